"""Several processes of JAX: one program over the devices of all of them, which gives the numbers of one device."""

import contextlib
import pickle
from collections.abc import Iterator
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from kerasmith.distribution._launch_notes import LaunchNotes
from kerasmith.distribution._place import Place
from kerasmith.distribution._replica_error import SetupError
from kerasmith.distribution._running import RUNNING
from kerasmith.distribution.engines.checksum import checksum
from kerasmith.distribution.engines.identity import compare, identity
from kerasmith.distribution.engines.script_errors import note_errors
from kerasmith.distribution.engines.together import SameEnd, fitting
from kerasmith.keras_internals import global_arrays, model_calls, random_state

# Seconds after which JAX ends a process that no longer hears of another.
_SILENCE = 10
# Arrays that are compared at the beginning of an epoch and of an evaluation: x, y and weights.
_COMPARED = 3
# What a process is about to do.
_FIT, _BATCH, _END, _CHECKPOINT = 1, 2, 3, 4


def start(place: Place, *, timeout: float, data: str) -> None:
    """Meets the other processes, and lets `fit`, `evaluate` and `predict` compute on the devices of all.

    Args:
        place: of this process.
        timeout: seconds to wait for the others.
        data: "same", or "own" where each process brings as many samples as every other, which its devices divide.
    """
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(
            place.address,
            place.count,
            place.rank,
            initialization_timeout=int(timeout),
            heartbeat_timeout_seconds=_SILENCE,
            shutdown_timeout_seconds=_SILENCE,
        )
        devices = jax.devices()
    except Exception as problem:
        raise SetupError(
            f"Rank {place.rank} has not met all {place.count} processes at {place.address} within {timeout:.0f} s. Were all "
            f"started, and is the port free? ({str(problem).splitlines()[0][:200]})"
        ) from None
    training = RUNNING.processes = JaxTraining(place, data)
    compare(training.of_all(identity()))
    # Weights begin as the numbers that each process draws, which JAX wants to be the same.
    random_state.restore(training.of_all(random_state.capture())[0])
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False))
    if data == "same":
        global_arrays.replace_distribution_of_batches(training.placed)
    model_calls.surround(training, {"fit": _fitting, "evaluate": _evaluating, "predict": _predicting}, quiet=training.rank > 0)
    note_errors(training.notes)


class JaxTraining:
    """What the hooks on Keras share.

    Args:
        place: of this process.
        data: as in `start`.
    """

    def __init__(self, place: Place, data: str) -> None:
        self.brings_own_share: bool = data == "own"
        # Whether a callback of any process ends the run for now.
        self.pausing: bool = False
        self.rank: int = place.rank
        self.count: int = place.count
        self.notes: LaunchNotes = LaunchNotes(place.rank)
        self.refused: str | None = None
        self.predicts = False
        # Arrays of the first batches that are still to be compared.
        self.unseen: int = 0
        # Whether nobody knows how many batches there are before the last is drawn.
        self.uncounted = False

    def placed(self, batch: Any, layout: Any) -> Any:
        """A batch that every process has, split over all devices, or whole on each of them.

        Where its samples do not divide, every device computes them all, so that none is made up; what is predicted is whole on
        each, so that every process has all of it.
        """
        batch = np.asarray(batch)
        if self.uncounted and not self.predicts:
            self.agree(_BATCH)
        if self.unseen and not self.predicts:
            self.unseen -= 1
            self._compare(batch)
        if not self.predicts and batch.ndim and batch.shape[0] and batch.shape[0] % jax.device_count() == 0:
            rows = batch.shape[0] // self.count
            return jax.make_array_from_process_local_data(layout, batch[self.rank * rows : (self.rank + 1) * rows])
        whole = jax.sharding.NamedSharding(layout.mesh, jax.sharding.PartitionSpec())
        return jax.make_array_from_process_local_data(whole, batch, batch.shape)

    def _compare(self, batch):
        known = self.gather_numbers(checksum(batch) % 2**31, batch.shape[0] if batch.ndim else self.count, 0)
        for rank in range(self.count):
            if (known[rank] != known[0]).any():
                raise SetupError(
                    f"Rank {rank} has another first batch than rank 0. Every process must iterate over the same batches, of "
                    "which it trains its part: give a shuffle a seed. Where each process brings its own share, write "
                    '`setup(data="own")`.'
                )
        if known[0, 1] < self.count:
            raise SetupError(
                "There are more processes than samples in a batch. Start at most as many processes as `batch_size`, or make "
                f"it larger. Received: {self.count} processes, a first batch of {known[0, 1]} samples"
            )

    def gather_numbers(self, *numbers: int) -> np.ndarray:
        """(processes, numbers) of whole numbers below 2^31."""
        if self.refused is not None:
            raise SetupError(
                f"{self.refused} runs in the first process alone and needs the others, as for `evaluate`. Give its class "
                '`processes = "every"`.'
            )
        return np.reshape(multihost_utils.process_allgather(np.array(numbers, np.int32)), (self.count, -1))

    def any_of(self, own: int) -> int:
        """The bits that are set in any process."""
        # As many numbers as `agree` gives, so that a process in another place is told and does not wait.
        return int(np.bitwise_or.reduce(self.gather_numbers(own, 0, 0)[:, 0]))

    def agree(self, *numbers: int) -> None:
        """Raises a `SetupError` where processes do not all give the same numbers."""
        known = self.gather_numbers(*numbers, *[0] * (3 - len(numbers)))
        for rank in range(self.count):
            if (known[rank] != known[0]).any():
                raise SetupError(
                    f"Rank {rank} has another number of epochs or batches than rank 0: {known[rank].tolist()} instead of "
                    f"{known[0].tolist()}. Every process must run the same script on the same data."
                )

    def of_all(self, value: Any) -> list[Any]:
        """What each process gives, of any size."""
        self.agree(_CHECKPOINT)
        data = np.frombuffer(pickle.dumps(value), np.uint8)
        lengths = self.gather_numbers(len(data))[:, 0]
        padded = np.zeros(int(lengths.max()), np.uint8)
        padded[: len(data)] = data
        rows = np.reshape(multihost_utils.process_allgather(padded), (self.count, -1))
        return [pickle.loads(row[:length].tobytes()) for row, length in zip(rows, lengths, strict=True)]

    def of_first(self, value: Any) -> Any:
        """What the first process gives."""
        self.agree(_CHECKPOINT)
        data = np.frombuffer(pickle.dumps(value), np.uint8)
        length = int(self.gather_numbers(len(data))[0, 0])
        sent = data if self.rank == 0 else np.zeros(length, np.uint8)
        return pickle.loads(np.asarray(multihost_utils.broadcast_one_to_all(sent)).tobytes())

    def own_state(self) -> dict[str, Any]:
        """Nothing: all variables are those of one program."""
        return {}

    def load_own_state(self, state: dict[str, Any], step: int | None) -> None:
        """Nothing to go on from."""

    def parts(self, model: keras.Model) -> tuple[list[Any], list[Any]]:
        """None."""
        return [], []

    @contextlib.contextmanager
    def only_first(self, name: str) -> Iterator[None]:
        """A context in which an exchange is an error: the others do not take part."""
        self.refused = name
        try:
            yield
        finally:
            self.refused = None


class JaxTogether(SameEnd):
    """The same data and the same end in every process."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.training.agree(_FIT, self.params.get("epochs") or 0, self.params.get("steps") or 0)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self.training.unseen = _COMPARED
        # Keras shuffles by them.
        random_state.restore(self.training.of_all(random_state.capture())[0])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.training.uncounted:
            self.training.agree(_END)
        super().on_epoch_end(epoch, logs)


@contextlib.contextmanager
def _fitting(training, arguments):
    training.uncounted = _is_uncounted(arguments)
    try:
        with fitting(arguments, JaxTogether(training)):
            yield
    finally:
        training.uncounted = False


@contextlib.contextmanager
def _evaluating(training, arguments):
    before = training.uncounted
    training.agree(_FIT)
    training.unseen, training.uncounted = _COMPARED, _is_uncounted(arguments)
    try:
        yield
        if training.uncounted:
            training.agree(_END)
    finally:
        training.unseen, training.uncounted = 0, before


def _is_uncounted(arguments):
    return arguments.get("x") is not None and not hasattr(arguments["x"], "__len__")


@contextlib.contextmanager
def _predicting(training, arguments):
    training.predicts = True
    try:
        yield
    finally:
        training.predicts = False
