"""What an `Objective` costs in `fit`, beside one loss function and beside a `compute_loss` written by hand."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import timing
from kerasmith import Model, Objective, Tap, Term
from kerasmith.multitask import GradientSurgery, GradNorm

STEPS = 40
WEIGHTS = (1.0, 0.5, 0.1)


class Task(NamedTuple):
    """A model and a batch."""

    name: str
    batch: str
    make: Any
    shape: tuple


def squared(y, y_pred):
    return ops.mean(ops.square(y_pred - y), axis=-1)


def absolute(y, y_pred):
    return ops.mean(ops.abs(y_pred - y), axis=-1)


def rough(y_pred):
    return ops.mean(ops.abs(y_pred[:, 1:] - y_pred[:, :-1]), axis=-1)


def whole(y, y_pred):
    """The three terms as people write them when `compile` takes one function."""
    terms = ops.mean(squared(y, y_pred)), ops.mean(absolute(y, y_pred)), ops.mean(rough(y_pred))
    return sum(weight * term for weight, term in zip(WEIGHTS, terms))


@keras.saving.register_keras_serializable("benchmarks")
class ByHand(keras.Model):
    """The three terms in a `compute_loss`, each with its own mean, as Keras' guide shows."""

    def __init__(self, inputs, outputs, name=None, **kwargs):
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.means = [keras.metrics.Mean(name=name) for name in ("squared", "absolute", "rough")]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        terms = ops.mean(squared(y, y_pred)), ops.mean(absolute(y, y_pred)), ops.mean(rough(y_pred))
        for mean, term in zip(self.means, terms):
            mean.update_state(term, sample_weight=ops.shape(y_pred)[0])
        return sum(weight * term for weight, term in zip(WEIGHTS, terms))


def _dense():
    inputs = keras.Input((64,))
    x = keras.layers.Dense(64, activation="relu")(inputs)
    return inputs, Tap("shared")(keras.layers.Dense(64, activation="relu")(x)), keras.layers.Dense(64)


def _convolutional():
    inputs = keras.Input((64, 64, 1))
    x = inputs
    for _ in range(3):
        x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    return inputs, Tap("shared")(x), keras.layers.Conv2D(1, 1)


TASKS = (
    Task("two dense layers of 64", "32 x 64", _dense, (32, 64)),
    Task("three convolutions of 16", "8 x 64 x 64", _convolutional, (8, 64, 64, 1)),
)


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the tables for the backend in use; arguments as of `losses.run`. Memory is that of the terms themselves."""
    chosen = [task for task in TASKS if only.lower() in task.name]
    if not chosen:
        raise ValueError(f"`--only` must be part of one of {', '.join(t.name for t in TASKS)}. Received: --only {only}")
    backend = keras.backend.backend()
    for jit in {"tensorflow": (False, True), "jax": (True,), "torch": (False,)}[backend]:
        rows = [(task, _ratios(task, jit, blocks=3 if quick else 15)) for task in chosen]
        mode = {"tensorflow": "graph, jit" if jit else "graph", "jax": "jit", "torch": "eager"}[backend]
        _show(f"objectives, {backend}, {mode}", rows, markdown)


def _ratios(task, jit, *, blocks):
    rng = np.random.default_rng(0)
    x, y = (rng.random((STEPS * task.shape[0], *task.shape[1:]), "float32") for _ in range(2))
    models = _models(task, jit)

    def epoch(model):
        return lambda: model.fit(x, y, batch_size=task.shape[0], shuffle=False, verbose=0)

    calls = {name: epoch(model) for name, model in models.items()}
    floor = calls.pop("one function")
    losses = {name: call().history["loss"][-1] for name, call in {"one function": floor, **calls}.items()}
    for name in ("by hand", "Objective"):
        if not np.allclose(losses[name], losses["one function"], rtol=1e-5, atol=0):
            raise RuntimeError(f"{name} trains to {losses[name]}, one function to {losses['one function']}: unequal things")
    return timing.ratios(calls, floor, blocks=blocks, block_seconds=0.0)


def _models(task, jit):
    def build(cls):
        keras.utils.set_random_seed(1)
        inputs, shared, head = task.make()
        return cls(inputs, head(shared))

    def objective(balance=None):
        terms = {"squared": Term(squared), "absolute": Term(absolute), "rough": Term(rough)}
        return Objective(terms, weights=list(WEIGHTS), balance=balance)

    losses = {
        "one function": (keras.Model, whole),
        "by hand": (ByHand, None),
        "Objective": (Model, objective()),
        "with GradNorm": (Model, objective(GradNorm())),
        "with pcgrad": (Model, objective(GradientSurgery("pcgrad"))),
    }
    models = {}
    for name, (cls, loss) in losses.items():
        models[name] = build(cls)
        models[name].compile(keras.optimizers.SGD(1e-3), loss, jit_compile=jit)
    return models


def _show(title, rows, markdown):
    names = list(rows[0][1])
    head = ["model", "batch", *names]
    lines = [[task.name, task.batch, *(f"{np.median(ratios[name]):.2f}" for name in names)] for task, ratios in rows]
    note = f"CPU time of an epoch of {STEPS} steps in fit; 1 is one loss function that adds the three terms and shows none"
    if markdown:
        print(f"**{title}.** {note}.\n\n| {' | '.join(head)} |\n|---|---|{'--:|' * len(names)}")
        print("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
        return
    table = Table(title=title, caption=note, box=box.SIMPLE_HEAD)
    for i, name in enumerate(head):
        table.add_column(name, justify="right" if i > 1 else "left")
    for line in lines:
        table.add_row(*line)
    Console().print(table)
