"""The weights of an epoch, each from a batch on, and the samples they put into the batches."""

from typing import Any, NamedTuple

import numpy as np

from kerasmith.data.epoch_order import EpochOrder

_POSITIONS = 1 << 18  # computed at a time
_RETAINED = 64


class Version(NamedTuple):
    """Weights, (N,) or None, the batch of the epoch from which on they count, and the `EpochOrder.plan` of them."""

    from_batch: int
    weights: Any
    plan: Any


class WeightsVersions:
    """Weights that change within an epoch, and what is computed of them, kept as long as it is needed.

    Args:
        order: an `EpochOrder`.
        batch_size: samples in a batch.
        batches: batches in an epoch.
        weights: those of the first epoch, or None.
    """

    epoch: int
    versions: Any
    order: EpochOrder
    batch_size: int
    batches: Any

    def __init__(self, order: EpochOrder, batch_size: int, batches: Any, weights: Any) -> None:
        self.order, self.batch_size, self.batches = order, batch_size, batches
        self.epoch = 0
        self.begin(0, [self.checked(weights)])

    def checked(self, weights: Any, from_batch: int = 0) -> Version:
        """A `Version` of checked weights; changes nothing.

        Raises:
            ValueError: unless there is one finite number >= 0 for each sample and one above 0.
        """
        if weights is None:
            return Version(from_batch, None, None)
        weights = np.array(weights, "float64")
        if weights.shape != (self.order.samples,):
            raise ValueError(
                f"`weights` must hold one number per sample, ({self.order.samples},). Received: shape={weights.shape}"
            )
        bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
        if bad.size:
            raise ValueError(
                f"`weights` must be finite and >= 0; {bad.size} are not. Received: weights[{bad[0]}]={weights[bad[0]]}"
            )
        if not weights.any():
            raise ValueError("`weights` must hold at least one number above 0. Received: all 0")
        weights.flags.writeable = False
        return Version(from_batch, weights, self.order.plan(weights))

    def begin(self, epoch: int, versions: list[Version] | None = None) -> None:
        """Goes to an epoch, with the weights set last or with the versions given."""
        self.epoch = epoch
        self.versions = list(versions) if versions is not None else [self.last._replace(from_batch=0)]
        self._strata, self._blocks, self._recent = {}, {}, (0, 0, None)

    def add(self, version: Version) -> None:
        """Appends a version; the one before gives way where no batch has read it."""
        before = [v for v in self.versions if v.from_batch < version.from_batch]
        self.versions = [*before, version][-_RETAINED:]
        # An array may come to stand where another stood: its id is a key only while it lives.
        alive = {id(v.plan) for v in self.versions}
        self._strata = {key: value for key, value in self._strata.items() if key in alive}
        self._blocks = {key: value for key, value in self._blocks.items() if key[0] in alive}
        self._recent = (0, 0, None)

    @property
    def last(self) -> Version:
        return self.versions[-1]

    def samples_of(self, batch: Any) -> np.ndarray:
        """The samples in a batch of the epoch, integers.

        Raises:
            IndexError: for a batch that the epoch does not have, or whose weights are no longer there.
        """
        first, end, block = self._recent
        if not first <= batch < end:
            first, end, block = self._recent = self._around(batch)
        start = (batch - first) * self.batch_size
        return block[start : start + self.batch_size]

    def _around(self, batch):
        """(first batch, end, samples of the batches between) of a block in which a batch is, all of one version."""
        if not 0 <= batch < self.batches:
            raise IndexError(f"An epoch has {self.batches} batches. Received: batch={batch}")
        number = next((i for i in reversed(range(len(self.versions))) if self.versions[i].from_batch <= batch), None)
        if number is None:
            raise IndexError(
                f"The weights of batch {batch} are no longer there: since it was drawn they were set {_RETAINED} times."
            )
        version, after = self.versions[number], self.versions[number + 1 : number + 2]
        per_block = max(1, _POSITIONS // self.batch_size)
        start = batch // per_block * per_block
        first = max(start, version.from_batch)
        end = min(start + per_block, self.batches, *(v.from_batch for v in after))
        return first, end, self._block(version, start * self.batch_size)[(first - start) * self.batch_size :]

    def _block(self, version, start):
        key = id(version.plan), start
        if key not in self._blocks:
            stop = start + max(1, _POSITIONS // self.batch_size) * self.batch_size
            strata = None if version.plan is None else self._strata_of(version.plan)
            block = self.order.at(start, min(stop, self.order.draws), self.epoch, strata)
            block.flags.writeable = False
            self._blocks = {**dict(list(self._blocks.items())[-3:]), key: block}
        return self._blocks[key]

    def _strata_of(self, plan):
        if id(plan) not in self._strata:
            newest = list(self._strata.items())[-1:]  # workers may be at the batches before a change
            self._strata = {**dict(newest), id(plan): self.order.strata(plan, self.epoch)}
        return self._strata[id(plan)]
