"""Several processes of TensorFlow: the workers of a `MultiWorkerMirroredStrategy`, which give the numbers of one process."""

import contextlib
import os
import pickle
import types
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import tree

from kerasmith.distribution._launch_notes import LaunchNotes
from kerasmith.distribution._place import Place
from kerasmith.distribution._replica_error import SetupError
from kerasmith.distribution._running import RUNNING
from kerasmith.distribution.engines.checksum import checksum
from kerasmith.distribution.engines.identity import compare, identity
from kerasmith.distribution.engines.script_errors import note_errors
from kerasmith.distribution.engines.tensorflow_step import WholeStep, part_of
from kerasmith.distribution.engines.together import SameEnd, fitting
from kerasmith.keras_internals import model_calls, random_state, worker_steps
from kerasmith.keras_internals.layers import all_layers


def start(place: Place, *, timeout: float, data: str) -> None:
    """Meets the other processes, and lets `fit`, `evaluate` and `predict` compute in all of them.

    Args:
        place: of this process.
        timeout: seconds to wait for the others.
        data: "same"; each process computes its part of every batch.
    """
    if data != "same":
        raise SetupError('Several processes of TensorFlow train on the same batches: write `setup(data="same")`.')
    if "TF_CONFIG" not in os.environ:
        raise SetupError(
            f"{place.launcher} started {place.count} processes of TensorFlow without TF_CONFIG, by which they meet. Set it in "
            "each process, or start them with `kerasmith launch --engine tensorflow`."
        )
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except Exception as problem:
        raise SetupError(
            f"Rank {place.rank} has not met all {place.count} processes at {place.address}. Were all started, and are the "
            f"ports of TF_CONFIG free? Call `setup` before anything else of TensorFlow. ({str(problem).splitlines()[0][:200]})"
        ) from None
    if strategy.num_replicas_in_sync != place.count:
        raise SetupError(
            f"Each process of TensorFlow trains on one device. Received: {place.count} processes that see "
            f"{strategy.num_replicas_in_sync} devices. Set CUDA_VISIBLE_DEVICES to another one in each."
        )
    training = RUNNING.processes = TensorFlowTraining(place, strategy)
    compare(training.of_all(identity()))
    # The order in which Keras shuffles has to be the same.
    seed, state = training.of_all((int.from_bytes(os.urandom(3), "little"), random_state.capture()))[0]
    random_state.restore(state)
    if not random_state.tensorflow_is_seeded():
        random_state.seed_tensorflow_for_now(seed)
    strategy.experimental_distribute_dataset = training.distributed
    worker_steps.let_workers_fit()
    step = WholeStep(place.rank, place.count)
    worker_steps.replace_loss_and_metrics(step.loss, step.added, step.metrics, step.samples)
    model_calls.surround(training, {"fit": _fitting, "evaluate": _evaluating, "predict": _predicting}, quiet=training.rank > 0)
    for name in ("train_on_batch", "test_on_batch"):
        setattr(keras.Model, name, _refused_method(name))
    note_errors(training.notes)
    # What is made from now on is of all workers.
    training.enter()


class TensorFlowTraining:
    """What the hooks on Keras share.

    Args:
        place: of this process.
        strategy: of all.
    """

    def __init__(self, place: Place, strategy: Any) -> None:
        self.rank: int = place.rank
        self.count: int = place.count
        self.strategy: Any = strategy
        # It would be left where nobody holds it.
        self._scope: Any = None
        # `strategy.gather` is traced anew in each call.
        self._gather: Any = tf.function(self._gathered, input_signature=[tf.TensorSpec((1, None), tf.int32)])
        self._add: Any = tf.function(self._added, input_signature=[tf.TensorSpec((None,), tf.int32)])
        self.brings_own_share: bool = False
        # Whether a callback of any process ends the run for now.
        self.pausing: bool = False
        self.notes: LaunchNotes = LaunchNotes(place.rank)
        self.refused: str | None = None

    def _gathered(self, row):
        def all_rows(row: Any) -> Any:
            return tf.distribute.get_replica_context().all_gather(tf.identity(row), axis=0)

        return self.strategy.experimental_local_results(self.strategy.run(all_rows, args=(row,)))[0]

    def _added(self, row):
        def sum_of_rows(row: Any) -> Any:
            return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(row))

        return self.strategy.experimental_local_results(self.strategy.run(sum_of_rows, args=(row,)))[0]

    def enter(self) -> None:
        """Enters the scope of the strategy, for good."""
        self._scope = self.strategy.scope()
        self._scope.__enter__()

    def distributed(self, dataset: Any, options: Any = None) -> Any:
        """A dataset that every process iterates over, of whose batches each computes its part."""

        def part(leaf: Any) -> Any:
            if not isinstance(leaf, tf.Tensor) or leaf.shape.rank == 0:
                return leaf
            samples = tf.shape(leaf)[0]
            first, size = part_of(samples, self.rank, self.count)
            return leaf[first : first + size]

        def of_context(context: Any) -> Any:
            return dataset.map(lambda *batch: tree.map_structure(part, batch if len(batch) > 1 else batch[0]))

        return self.strategy.distribute_datasets_from_function(of_context)

    def gather_numbers(self, *numbers: int) -> np.ndarray:
        """(processes, numbers) of whole numbers below 2^31."""
        if self.refused is not None:
            raise SetupError(
                f"{self.refused} runs in the first process alone and needs the others, as for `evaluate`. Give its class "
                '`processes = "every"`.'
            )
        return self._gather(tf.constant(np.array([numbers], np.int32))).numpy()

    def any_of(self, own: int) -> int:
        """The bits that are set in any process."""
        return int(np.bitwise_or.reduce(self.gather_numbers(own)[:, 0]))

    def agree(self, what: str, *numbers: int) -> None:
        """Raises a `SetupError` where processes do not all give the same numbers."""
        known = self.gather_numbers(*numbers)
        for rank in range(self.count):
            if (known[rank] != known[0]).any():
                raise SetupError(
                    f"Rank {rank} has {what} than rank 0. Every process must run the same script on the same data, of which "
                    "it trains its part."
                )

    def of_all(self, value: Any) -> list[Any]:
        """What each process gives, of any size."""
        data = pickle.dumps(value)
        lengths = self.gather_numbers(len(data))[:, 0].tolist()
        rows = self._gather(tf.constant(_numbers(data, max(lengths))[None])).numpy()
        return [pickle.loads(row.tobytes()[:length]) for row, length in zip(rows, lengths, strict=True)]

    def of_first(self, value: Any) -> Any:
        """What the first process gives."""
        data = pickle.dumps(value) if self.rank == 0 else b""
        length = int(self.gather_numbers(len(data))[0, 0])
        # The others add zeros.
        return pickle.loads(self._add(tf.constant(_numbers(data, length))).numpy().tobytes()[:length])

    def own_state(self) -> dict[str, Any]:
        """Nothing: variables are the same in all workers."""
        return {}

    def load_own_state(self, state: dict[str, Any], step: int | None) -> None:
        """Nothing to go on from."""

    def parts(self, model: keras.Model) -> tuple[list[Any], list[Any]]:
        """None: every worker computes the whole loss and the whole metrics."""
        return [], []

    @contextlib.contextmanager
    def only_first(self, name: str) -> Iterator[None]:
        """A context in which an exchange is an error: the others do not take part."""
        if self.refused is not None:
            # A hook of Keras' base class calls another.
            yield
            return
        self.refused = name
        # A variable that is made in the scope begins as that of the first process, which all others must receive.
        self._scope.__exit__(None, None, None)
        try:
            yield
        finally:
            self.enter()
            self.refused = None


def _numbers(data, length):
    """Bytes as whole numbers, with zeros behind them up to a length."""
    return np.frombuffer(data.ljust(length + -length % 4, b"\0"), np.int32)


@contextlib.contextmanager
def _fitting(training, arguments):
    _refuse(arguments["self"], arguments, training)
    training.agree("another number of epochs", arguments.get("epochs") or 1, arguments.get("steps_per_epoch") or 0)
    with fitting(arguments, SameEnd(training)):
        yield


@contextlib.contextmanager
def _evaluating(training, arguments):
    _refuse(arguments["self"], arguments, training)
    yield


@contextlib.contextmanager
def _predicting(training, arguments):
    training.agree("another call", 0)
    yield


def _refused_method(name):
    def refused(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise SetupError(f"`{name}` does not train in several processes of TensorFlow yet. Use `fit` and `evaluate`.")

    return refused


def _refuse(model, arguments, training):
    """Raises a `SetupError` for what would give other numbers, and for other data in other processes."""
    cls = type(model)
    objective = getattr(model, "objective", None)
    if getattr(getattr(objective, "balance", None), "needs_gradients", False):
        raise SetupError(
            f"{type(objective.balance).__name__} does not train in several processes of TensorFlow: it needs gradients at a "
            "tap, of which each worker has its own part only. Use `--engine torch` or `--engine jax`, or `DWA`."
        )
    not_yet = [term.name for term in getattr(objective, "terms", ()) if term.differentiates or term.memory is not None]
    if not_yet:
        raise SetupError(
            "Terms that derive the model by its inputs, and such with a memory, do not train in several processes of "
            f"TensorFlow yet. Use `--engine torch` or `--engine jax`. Received: the terms {not_yet}"
        )
    for method in ("train_step", "test_step", "compute_loss", "compute_metrics"):
        made_by = getattr(cls, method).__module__.partition(".")[0]
        if made_by not in ("keras", "kerasmith"):
            raise SetupError(
                f"{cls.__name__} has a `{method}` of its own, which does not train in several processes of TensorFlow yet. "
                "Use `--engine torch` or `--engine jax`, or leave it out."
            )
    if (model.steps_per_execution or 1) > 1:
        raise SetupError("`steps_per_execution` must be 1 in several processes of TensorFlow.")
    if model.jit_compile:
        raise SetupError("XLA cannot exchange what workers of TensorFlow do. Write `compile(..., jit_compile=False)`.")
    if isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
        raise SetupError(
            "The steps that a `LossScaleOptimizer` leaves out would be others than in one process of TensorFlow. Use the "
            'policy "float32".'
        )
    normalised = [one.name for one in all_layers(model) if isinstance(one, keras.layers.BatchNormalization)]
    if normalised:
        raise SetupError(
            "`BatchNormalization` does not train in several processes of TensorFlow yet: each would normalise by its own "
            f"part, which may be empty. Use `--engine jax`, or another normalisation. Received: the layers {normalised}"
        )
    if isinstance(arguments.get("x"), types.GeneratorType):
        raise SetupError(
            "A generator does not train in several processes of TensorFlow: its workers draw ahead, and batches would be "
            "lost. Give arrays, a `keras.utils.PyDataset` or a `tf.data.Dataset`."
        )
    arrays = [arguments.get(name) for name in ("x", "y", "sample_weight")]
    known = [checksum(np.asarray(leaf)) % 2**31 for leaf in tree.flatten(arrays) if isinstance(leaf, np.ndarray)]
    try:
        length = len(arguments["x"])
    except (KeyError, TypeError):
        length = 0
    training.agree("other data, or another number of arrays", len(known), length)
    training.agree("other data", *known, 0)
