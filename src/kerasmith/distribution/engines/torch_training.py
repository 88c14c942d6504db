"""A training in several processes of PyTorch: where they meet, what each computes, what they have in common."""

import contextlib
import enum
import pickle
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import torch

from kerasmith.distribution._alone import alone
from kerasmith.distribution._replica_error import ReplicaError, SetupError
from kerasmith.distribution._running import RUNNING
from kerasmith.distribution._share_of_batch import sharing
from kerasmith.distribution.engines import torch_batches, torch_metrics
from kerasmith.distribution.engines.checksum import checksum
from kerasmith.distribution.engines.torch_collectives import Collectives
from kerasmith.distribution.engines.watch import Watch
from kerasmith.keras_internals import random_state


class Phase(enum.IntEnum):
    """What a process is about to do when it meets the others."""

    FIT = 0
    EPOCH = 1
    STEP = 2
    STEP_END = 3
    STEPS_END = 4
    EPOCH_END = 5
    FIT_END = 6
    EVALUATE = 7
    EVALUATE_END = 8
    CHECKPOINT = 9


_PLACES = {
    Phase.FIT: "at the beginning of a `fit`",
    Phase.EPOCH: "at the beginning of an epoch",
    Phase.STEP: "at the beginning of a step",
    Phase.STEP_END: "at the end of a step",
    Phase.STEPS_END: "at the end of the steps of an epoch",
    Phase.EPOCH_END: "at the end of an epoch",
    Phase.FIT_END: "at the end of a `fit`",
    Phase.EVALUATE: "at the beginning of an evaluation",
    Phase.EVALUATE_END: "at the end of an evaluation",
    Phase.CHECKPOINT: "at a checkpoint",
}


class TorchTraining:
    """What the hooks on Keras share: the exchanges, and where this process stands.

    Args:
        collectives: the exchanges.
        data: "same" where every process iterates over the same batches, "own" where each brings its share.
    """

    def __init__(self, collectives: Collectives, data: str) -> None:
        self.collectives: Collectives = collectives
        self.data: str = data
        self.watch: Watch = collectives.watch
        self.rank: int = collectives.rank
        self.count: int = collectives.count
        self.mode: str = data
        # Whether all processes are known to take the same number of batches.
        self.counted: bool = False
        self.is_fitting: bool = False
        self.is_evaluating: bool = False
        self.in_step: bool = False
        self.fresh: bool = False
        # Between the beginning and the end of a step of `fit`, callbacks included.
        self.in_batch: bool = False
        self.epoch: int = 0
        self.step: int = 0
        # Whether a callback of any process ends the run for now.
        self.pausing: bool = False
        self._generator: Any = None

    def meet(self, phase: Phase, *numbers: int) -> np.ndarray:
        """(processes, numbers): waits for all processes, which must all be in the same phase."""
        self.watch.at(_PLACES[phase], self.epoch, self.step)
        known = self.collectives.gather_numbers(phase, self.epoch, self.step, *numbers, *[0] * (4 - len(numbers)))
        if len({tuple(one) for one in known[:, :3].tolist()}) > 1:
            places = "; ".join(
                f"rank {rank} is {_PLACES[one[0]]}, epoch {one[1]}, step {one[2]}" for rank, one in enumerate(known)
            )
            raise ReplicaError(
                f"The processes do different things: {places}. Each must take the same number of batches, make the same calls "
                "of `fit` and `evaluate`, and stop at the same step; a callback that calls them must run in every process."
            )
        return known[:, 3 : 3 + len(numbers)]

    @contextlib.contextmanager
    def split(self, model: keras.Model, batch: Any, trains: bool) -> Iterator[Any]:
        """A context of one step: gives this process's part of a batch."""
        RUNNING.merged = {}
        self.in_step, fresh, self.fresh = True, self.fresh, False
        try:
            if self.mode == "own":
                own = torch_batches.samples_of(batch)
                known = self.meet(Phase.STEP, own)[:, 0]
                part, whole, is_equal = batch, int(known.sum()), bool((known == own).all())
            else:
                if fresh:
                    self._compare(batch)
                elif not self.counted or not trains:
                    self.meet(Phase.STEP)
                part, own, whole = torch_batches.part_of(batch, self.rank, self.count)
                is_equal = whole % self.count == 0
            if trains:
                self.watch.at("training", self.epoch, self.step)
            with (
                alone(False),
                sharing(own, whole, is_equal),
                self._own_random_numbers(),
                without_new_nans(model if own == 0 else None),
            ):
                yield part
            self.step += 1
        finally:
            self.in_step = False

    def _compare(self, batch):
        """Refuses batches that differ between processes, and such that are too small."""
        known = self.meet(Phase.STEP, checksum(batch), torch_batches.samples_of(batch))
        if len({*known[:, 1]}) > 1 or len({*known[:, 0]}) > 1:
            others = [rank for rank in range(self.count) if (known[rank] != known[0]).any()]
            raise SetupError(
                f"Rank {others[0]} has another first batch of epoch {self.epoch} than rank 0. Every process must iterate over "
                "the same batches, of which it trains its part: give a shuffle a seed. Where each process brings its own "
                'share, as of files or of a DistributedSampler, write `setup(data="own")`.'
            )
        if known[0, 1] < self.count:
            raise SetupError(
                f"There are more processes than samples in a batch. Start at most as many processes as `batch_size`, or make "
                f"it larger. Received: {self.count} processes, a first batch of {known[0, 1]} samples"
            )

    @contextlib.contextmanager
    def _own_random_numbers(self):
        """Dropout of each process draws numbers of its own; what shuffles data draws the same everywhere."""
        if self._generator is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(torch.initial_seed() + self.rank)
                self._generator = torch.get_rng_state()
        outside = torch.get_rng_state()
        torch.set_rng_state(self._generator)
        try:
            yield
        finally:
            self._generator = torch.get_rng_state()
            torch.set_rng_state(outside)

    def begin_epoch(self, model: keras.Model, epoch: int) -> None:
        """All processes begin an epoch with the weights and random numbers of the first."""
        self.epoch, self.step, self.fresh = epoch, 0, True
        RUNNING.merged = {}
        self.meet(Phase.EPOCH)
        variables = [*model.variables, *getattr(model.optimizer, "variables", [])]
        self.collectives.copy_many_([variable.value for variable in variables])
        state = pickle.dumps(random_state.capture()) if self.rank == 0 else b""
        random_state.restore(pickle.loads(self.collectives.copy_bytes(state)))
        self.watch.at("in an epoch", epoch, 0)

    def share_statistics(self, model: keras.Model) -> None:
        """Statistics that each process has gathered of its own samples, as those of batch normalisation, become their mean."""
        values = [one.value for one in model.non_trainable_variables if "float" in str(one.dtype)]
        sums = [value.detach().to(torch.float64) for value in values]
        self.collectives.sum_many_(sums)
        for value, total in zip(values, sums, strict=True):
            value.detach().copy_(total / self.count)

    def any_of(self, own: int, phase: Phase) -> int:
        """The bits that are set in any process."""
        return int(np.bitwise_or.reduce(self.meet(phase, own)[:, 0]))

    @property
    def brings_own_share(self) -> bool:
        """Whether each process has other data in the `fit` under way."""
        return self.mode == "own"

    def of_all(self, value: Any) -> list[Any]:
        """What each process gives, of any size."""
        self.meet(Phase.CHECKPOINT)
        data = torch.frombuffer(bytearray(pickle.dumps(value)), dtype=torch.uint8)
        return [pickle.loads(row.cpu().numpy().tobytes()) for row in self.collectives.gather_rows(data)]

    def of_first(self, value: Any) -> Any:
        """What the first process gives."""
        self.meet(Phase.CHECKPOINT)
        return pickle.loads(self.collectives.copy_bytes(pickle.dumps(value) if self.rank == 0 else b""))

    def own_state(self) -> dict[str, Any]:
        """The random numbers of dropout."""
        return {"dropout": None if self._generator is None else self._generator.numpy().copy()}

    def load_own_state(self, state: dict[str, Any], step: int | None) -> None:
        """Goes on at a step of the epoch, with None at that of now."""
        self.step = self.step if step is None else step
        if state:
            self._generator = None if state["dropout"] is None else torch.from_numpy(state["dropout"].copy())

    def parts(self, model: keras.Model) -> tuple[list[Any], list[Any]]:
        """(sums of metrics, statistics as those of batch normalisation)."""
        statistics = [one for one in model.non_trainable_variables if "float" in str(one.dtype)]
        return torch_metrics.summed_variables(model), statistics

    @contextlib.contextmanager
    def only_first(self, name: str) -> Iterator[None]:
        """A context in which an exchange is an error: the others do not take part."""
        self.collectives.refused = name
        try:
            yield
        finally:
            self.collectives.refused = None


@contextlib.contextmanager
def without_new_nans(model: keras.Model | None) -> Iterator[None]:
    """A context after which no statistic of a model is NaN that was not before: of no samples there is no mean."""
    variables = [] if model is None else [one for one in model.non_trainable_variables if "float" in str(one.dtype)]
    before = [one.value.detach().clone() for one in variables]
    yield
    for variable, value in zip(variables, before, strict=True):
        if not bool(torch.isfinite(variable.value).all()):
            variable.value.detach().copy_(value)
