"""Held-out images cut into windows of the size of a patch, each pixel counted once."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from kerasmith.recipes.training.cases import VOID
from kerasmith.recipes.training.patches import Sample, stacked


class WindowBatches(keras.utils.PyDataset):
    """The windows of held-out images, in order.

    Windows stand side by side; the last one of an axis ends with the image. What it shares with the one before, and what is
    mirrored beyond the edge of an image that is smaller than a window, has the label `VOID` and counts for nothing.

    Args:
        samples: functions that give a `Sample` each.
        shapes: of their images, without channels.
        patch: size of a window.
        batch: windows in a batch; the last may be smaller.
    """

    def __init__(
        self, samples: Sequence[Callable[[], Sample]], shapes: Sequence[Sequence[int]], *, patch: Sequence[int], batch: int
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self._samples, self.batch = list(samples), batch
        self.patch: tuple[int, ...] = tuple(patch)
        self._windows = [
            (i, corner)
            for i, shape in enumerate(shapes)
            for corner in itertools.product(*(starts(length, side) for length, side in zip(shape, patch, strict=True)))
        ]

    def __len__(self) -> int:
        return -(-len(self._windows) // self.batch)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index={index}")
        chosen = self._windows[index * self.batch : (index + 1) * self.batch]
        return stacked([self._window(*one) for one in chosen])

    def _window(self, number, corner):
        sample = self._samples[number]()
        shape = sample.image.shape[:-1]
        image, targets = sample.image, dict(sample.targets)
        slices, fresh, pads = [], [], []
        for length, side, (start, done) in zip(shape, self.patch, corner, strict=True):
            slices.append(slice(start, start + side))
            fresh.append(np.arange(start, min(start + side, length)) >= done)
            pads.append((0, max(side - length, 0)))
        new = np.logical_and.reduce(np.meshgrid(*fresh, indexing="ij"))
        image = np.pad(image[tuple(slices)], [*pads, (0, 0)], mode="symmetric")
        cut = {name: np.where(new, labels[tuple(slices)], VOID) for name, labels in targets.items()}
        return image, {name: np.pad(labels, pads, constant_values=VOID) for name, labels in cut.items()}


def starts(length: int, side: int) -> list[tuple[int, int]]:
    """(start of each window of an axis, first pixel that no window before it has).

    >>> starts(10, 4), starts(3, 4)
    ([(0, 0), (4, 4), (6, 8)], [(0, 0)])
    """
    if length <= side:
        return [(0, 0)]
    places = [(start, start) for start in range(0, length - side + 1, side)]
    done = places[-1][0] + side
    return places if done == length else [*places, (length - side, done)]
