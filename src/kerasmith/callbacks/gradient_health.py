"""Watches the gradients and updates of each layer in samples of the training steps."""

import math
import os
import weakref
from typing import Any

import numpy as np
from keras import ops

from kerasmith._types import Logs
from kerasmith.base.arguments import check_integer
from kerasmith.callbacks.copies import no_model
from kerasmith.callbacks.driven_optimizers import check_can_train
from kerasmith.callbacks.gradient_notes import gradient_notes
from kerasmith.callbacks.watcher import Watcher
from kerasmith.files import run_events
from kerasmith.files.atomic_write import write_atomically
from kerasmith.files.messages import say
from kerasmith.files.writable_directory import writable_directory
from kerasmith.keras_internals.layer_names import weight_owners
from kerasmith.keras_internals.optimizers import training_optimizers
from kerasmith.keras_internals.step_gradients import MeasuredStep
from kerasmith.keras_internals.step_updates import UnseenTraining
from kerasmith.keras_internals.train_function_hook import attach, detach, is_ready, own_function, replica_count
from kerasmith.report._gradient_chart import gradient_page, gradient_section

PAGE = "gradient_health.html"


class GradientHealth(Watcher):
    """Measures norms of gradients, updates and dead units of each layer in every hundredth step, and says what stands out.

    For each layer, over all its trainable weights w with gradients g:

        gradient = |g|,  weight = |w|,  update = |w after the step - w| / |w|,
        zeros = share of entries of g that are exactly 0,  dead = share of units all of whose entries of g are exactly 0

    A unit is an entry of the last axis of a weight; it is dead if it is so in all weights of the layer. Gradients are those
    of the training step: the same batch, weights and random numbers, with all terms of the loss, before the optimizer clips
    them. They are computed once more beside it, so that the training goes exactly as it would without this callback; a sample
    costs about as much as a step.

    What stands out is printed at the end of an epoch, once for each kind; see `gradient_notes`.

    Args:
        every: steps between two samples; the first step is one.
        directory: where the page `gradient_health.html` is written after each epoch; None for none.
        report: a `RunReport`, which gets a section "Gradients".
        verbose: 0 prints nothing.

    Attributes:
        rows: one dict for each sample: `step` (counted from 0 over all epochs), `epoch`, `batch` (as Keras counts them) and
            `layers`, {name: {"gradient", "weight", "update", "zeros", "dead"}}; names as in `encoder/conv`.
        notes: {kind: sentence} so far.

    Several replicas on TensorFlow, and `steps_per_execution` above 1 there, hide the single step: nothing is sampled then. Nor
    is it where a `train_step` of the model's own trains by more than one update with `model.optimizer`, as that of a GAN. One
    line says so, and training goes on as without this callback.

    Raises:
        ValueError: for `every` below 1.

    Example:

    >>> import keras
    >>> score = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="score")
    >>> model = keras.Sequential([keras.Input((2,)), score])
    >>> model.compile(keras.optimizers.SGD(0.1), "mse")
    >>> health = GradientHealth(every=2, verbose=0)
    >>> _ = model.fit(np.ones((4, 2)), np.zeros((4, 1)), batch_size=1, verbose=0, callbacks=[health])
    >>> {name: round(value, 3) for name, value in health.rows[0]["layers"]["score"].items()}
    {'gradient': 5.657, 'weight': 1.414, 'update': 0.4, 'zeros': 0.0, 'dead': 0.0}
    """

    of_one_fit = {"_measured": no_model, "_of": lambda: no_model, "_weights": no_model, "_trained": no_model}

    directory: Any
    every: int
    report: Any
    verbose: int
    notes: Any

    def __init__(
        self, every: int = 100, directory: str | os.PathLike[str] | None = None, *, report: Any = None, verbose: int = 1
    ) -> None:
        check_integer("every", every, minimum=1)
        super().__init__()
        if report is not None and not hasattr(report, "add_section"):
            raise TypeError(f"`report` must be a RunReport. Received: report={report!r}")
        self.directory = None if directory is None else writable_directory(directory)
        self.every = every
        self.report = report
        self.verbose = verbose
        self.notes = {}
        self._step = self._epoch = self._batch = self._reported = 0
        self._rows, self._open, self._weights = [], [], None
        self._measured, self._of, self._trained = None, no_model, None
        self._is_blind = False

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dict for each sample; see the class."""
        self._close()
        return self._rows

    # What Keras calls. `self.model` is left alone: on JAX it moves the state of the step back into the model.

    def on_train_begin(self, logs: Logs = None) -> None:
        check_can_train(self.model, "GradientHealth")
        self._is_blind = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch = batch
        if self._step % self.every == 0 and not self._is_blind:
            attach(self._model, self)
        self._step += 1

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        new = len(self.rows) - self._reported
        if not new:
            return
        self._reported = len(self.rows)
        for kind, sentence in gradient_notes(self.rows, new).items():
            if kind not in self.notes:
                self.notes[kind] = sentence
                run_events.tell("warning", sentence, by="GradientHealth", epoch=epoch)
                if self.verbose:
                    say(f"\nGradientHealth: {sentence}")
        self._draw()

    def on_train_end(self, logs: Logs = None) -> None:
        detach(self._model)

    # What `TrainFunctionHook` calls.

    def before_step(self, state: Any, batches: Any) -> None:
        """Measures the gradients of the step."""
        self._weights = None
        if batches is None or replica_count(self._model) > 1:
            self._say_blind("TensorFlow runs several steps, or replicas, in one call")
            return
        if getattr(self._model, "optimizer", None) is None:
            self._say_blind("the model has no `model.optimizer`, and how it trains cannot be seen")
            return
        if not is_ready(self._model, batches[0]):
            return
        own = own_function(self._model)
        # Not kept alive: JAX would go on with what was traced for a function that Keras has replaced.
        trained = [id(variable) for variable in self._model.trainable_variables] if self._batch == 0 else self._trained
        if self._of() is not own or trained != self._trained:
            self._measured, self._of, self._trained = MeasuredStep(self._model), weakref.ref(own), trained
            names = weight_owners(self._model)
            self._owners = [names[id(variable)] for variable in self._measured.variables]
            self._sizes = np.array([math.prod(variable.shape) for variable in self._measured.variables])
        try:
            rows, self._weights = self._measured.before(state, batches[0])
        except UnseenTraining:
            others = [place for place in training_optimizers(self._model) if place != "optimizer"]
            listed = f" (it has {', '.join(others)})" if others else ""
            self._say_blind(f"the model's own `train_step` trains by more than one update with `model.optimizer`{listed}")
            return
        place = {"step": self._step - 1, "epoch": self._epoch, "batch": self._batch}
        self._open.append([place, rows, None, self._owners, self._sizes])

    def after_step(self, logs: Any, state: Any, batches: Any) -> tuple[Any, Any]:
        """Measures the updates."""
        if self._weights is not None:
            with self.sparing("measuring a step"):
                # Numbers stay on the device until somebody reads them.
                self._open[-1][2] = self._measured.after(state, self._weights)
            self._weights = None
        return logs, state

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """Steps, rows and notes so far."""
        return {"step": self._step, "rows": self.rows.copy(), "told": self._reported, "notes": dict(self.notes)}

    def load_state_dict(self, state: Any) -> None:
        """Goes on from what `state_dict` returned; the page is written again."""
        self._step, self._reported = int(state["step"]), int(state["told"])
        self._rows, self._open = list(state["rows"]), []
        self.notes = dict(state["notes"])
        if self._rows:
            self._draw()

    def __getstate__(self) -> dict[str, Any]:
        self._close()
        return super().__getstate__()

    # Parts.

    def _close(self):
        for place, rows, squares, owners, sizes in self._open:
            if squares is not None:
                self._rows.append({**place, "layers": _layers(owners, sizes, _numbers(rows), _numbers(squares))})
        self._open = []

    def _draw(self):
        if self.directory is not None:
            with self.sparing(f"writing {self.directory / PAGE}"):
                write_atomically(self.directory / PAGE, gradient_page(self.rows, self.notes.values()), make_directory=True)
        if self.report is not None:
            self.report.add_section("Gradients", gradient_section(self.rows, self.notes.values()))

    def _say_blind(self, why):
        if not self._is_blind and self.verbose:
            say(f"\nGradientHealth: nothing is sampled, as {why}. Training goes on as without this callback.")
        self._is_blind = True


def _layers(owners, sizes, rows, squares):
    """{layer: its numbers} from those of its variables: norms of all together; a unit is dead if it is so in each of them."""
    found = {}
    for name in dict.fromkeys(owners):
        own = [i for i, owner in enumerate(owners) if owner == name]
        gradient, weight, update = (math.sqrt(part[own].sum()) for part in (rows[:, 0], rows[:, 1], squares))
        found[name] = {
            "gradient": gradient,
            "weight": weight,
            "update": update / weight if weight > 0 else None,
            "zeros": float((rows[own, 2] * sizes[own]).sum() / sizes[own].sum()),
            "dead": float(rows[own, 3].min()),
        }
    return found


def _numbers(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")
