"""Which sample stands at which position of an epoch: a pure function of seed, epoch, position and weights."""

from typing import Any

import numpy as np

from kerasmith.data import systematic_sampling as systematic
from kerasmith.data.index_permutation import key_of, permute

_BLOCK = 1 << 16


class EpochOrder:
    """The order of samples in the epochs of a dataset.

    A permutation keyed by (seed, epoch) takes position t to stratum k, one of `draws`. Without weights the strata are the
    samples themselves. With weights stratum k holds the point k + u of the running sum of the samples' expected counts, u one
    random number for each epoch; whose interval that is, is drawn.

    Args:
        samples: number of samples N.
        draws: number of positions in an epoch.
        seed: whole number >= 0.
        replace: whether a sample may be drawn twice in an epoch.
        shuffle: if False, samples come in ascending order.
    """

    samples: int
    draws: int
    seed: int
    replace: bool
    shuffle: bool

    def __init__(self, samples: int, draws: int, seed: int, *, replace: bool = True, shuffle: bool = True) -> None:
        self.samples, self.draws, self.seed = samples, draws, seed
        self.replace, self.shuffle = replace, shuffle
        self._layout = None

    def plan(self, weights: Any) -> np.ndarray:
        """What the weights alone determine: the running sum of the expected counts, in the order of the layout.

        Args:
            weights: (N,) float64.

        Raises:
            ValueError: without replacement, for fewer weights above 0 than draws.
        """
        if self.replace:
            counts = systematic.expected_counts(weights, self.draws)
        else:
            positive = np.count_nonzero(weights)
            if positive < self.draws:
                raise ValueError(
                    f"With replace=False an epoch of {self.draws} samples needs as many weights above 0. "
                    f"Received: {positive} weights above 0. Write a smaller `samples_per_epoch`, or replace=True."
                )
            counts = systematic.inclusion_probabilities(weights, self.draws)
        whole = systematic.whole_counts(counts, self.draws)
        layout = self._laid_out()
        whole = whole if layout is None else whole[layout]
        return np.cumsum(whole, out=whole)

    def strata(self, plan: np.ndarray, epoch: int) -> np.ndarray:
        """The sample of each stratum of an epoch, (draws,) integers."""
        offset = key_of(self.seed, "offset", epoch) >> (64 - systematic.fraction_bits(self.draws))
        return systematic.draw(plan, self.draws, offset, self._laid_out())

    def at(self, start: int, stop: int, epoch: int, strata: np.ndarray | None = None) -> np.ndarray:
        """The samples at positions start ... stop - 1 of an epoch, integers.

        Args:
            strata: what `strata` gave, or None without weights.
        """
        positions = np.arange(start, stop)
        if self.shuffle:
            positions = permute(positions, self.draws, key_of(self.seed, "order", epoch))
        if strata is not None:
            return strata[positions]
        if self.draws == self.samples:
            return positions
        positions %= self.samples
        # Which samples an epoch leaves out, or has once more, changes with the epoch.
        return permute(positions, self.samples, key_of(self.seed, "subset", epoch)) if self.shuffle else positions

    def _laid_out(self):
        """An order of the samples that has nothing to do with that of the data, or None for theirs.

        Neighbours in it exclude each other where weights are small. In the order of the data, where every second sample may be
        of one class, an epoch could see that class alone.
        """
        if self._layout is None and self.shuffle:
            # Blocks in a random order, each shuffled in the same way: gathering by it stays within the cache.
            size = min(self.samples, _BLOCK)
            blocks = -(-self.samples // size)
            starts = permute(np.arange(blocks), blocks, key_of(self.seed, "blocks")) * size
            layout = (starts[:, None] + permute(np.arange(size), size, key_of(self.seed, "layout"))).reshape(-1)
            self._layout = layout[layout < self.samples]
        return self._layout
