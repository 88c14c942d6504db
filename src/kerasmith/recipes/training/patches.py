"""Patches of images and of the maps that belong to them, drawn by seed and step."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kerasmith.data import Augmentation, TileMap
from kerasmith.data.drawn_batches import DrawnBatches
from kerasmith.recipes.training.cases import VOID

_MOST_PLACES = 4096  # pixels of objects that are remembered of a class of an image


@dataclasses.dataclass(frozen=True)
class Sample:
    """An image and what is to be learned of it.

    Attributes:
        image: (*spatial, C) float32, normalised.
        targets: {output: (*spatial) int32}, classes from 0 on, `VOID` where nothing counts.
    """

    image: np.ndarray
    targets: Mapping[str, np.ndarray]


class PatchBatches(DrawnBatches):
    """Batches of random patches of several images, of two axes or three.

    Batch number `step`, counted over all epochs, is a pure function of (seed, step): a run that goes on at any step sees what
    an uninterrupted one would have seen.

    Args:
        samples: functions that give a `Sample` each; called whenever one is needed.
        patch: size along each axis.
        batch, steps: patches in a batch, batches in an epoch.
        seed: whole number >= 0.
        augment: {"rotate", "mirror", "scale", "stretch", "contrast", "brightness", "noise"}, see `data.Augmentation`; volumes
            are mirrored along each axis and never turned.
        oversample: share of the patches whose middle is a pixel of an object, each class equally often.

    Returns:
        `data[i]` is (x, y): x float32 (B, *patch, C), y {output: int32 (B, *patch, 1)}, or the array of the one output.
    """

    def __init__(
        self,
        samples: Sequence[Callable[[], Sample]],
        *,
        patch: Sequence[int],
        batch: int,
        steps: int,
        seed: int,
        augment: Mapping[str, Any] | None,
        oversample: float,
    ) -> None:
        super().__init__(batch_size=batch, steps=steps, seed=seed)
        self._samples = list(samples)
        self.patch: tuple[int, ...] = tuple(patch)
        self.oversample: float = oversample
        none = {"rotate": False, "mirror": False}
        self.augmentation: Augmentation = Augmentation(**(none if augment is None else dict(augment)))
        asked = self._samples if oversample else []
        self._places: list[list[np.ndarray]] = [_places(make(), seed + i) for i, make in enumerate(asked)]
        self._with_objects = [i for i, places in enumerate(self._places) if places]

    def batch(self, step: int) -> tuple[Any, Any]:
        """Batch number `step` of the whole run, counted from 0."""
        rng = np.random.default_rng((self.seed, step))
        drawn = [self._patch(rng) for _ in range(self.batch_size)]
        return stacked(drawn)

    def _patch(self, rng):
        chosen, centre = int(rng.integers(len(self._samples))), None
        if rng.uniform() < self.oversample and self._with_objects:
            chosen = self._with_objects[int(rng.integers(len(self._with_objects)))]
            classes = self._places[chosen]
            places = classes[int(rng.integers(len(classes)))]
            centre = places[int(rng.integers(len(places)))]
        sample = self._samples[chosen]()
        cut = self._cut_image if len(self.patch) == 2 else self._cut_volume
        image, targets = cut(rng, sample, centre)
        return self.augmentation.draw_values(rng, image), targets

    def _cut_image(self, rng, sample, centre):
        size, shape = max(self.patch), sample.image.shape[:2]
        one = self.augmentation
        if not (one.rotate or one.mirror or one.scale or one.stretch):
            # Whole pixels: nothing is smoothed.
            drawn = rng.uniform(0, 1, 2) * (np.array(shape) - 1) if centre is None else centre
            place = TileMap(np.eye(2), np.floor(drawn) + (size - 1) / 2 % 1, shape, size)
        else:
            place = one.draw_map(rng, shape, size, centre=centre)
        rows, columns = ((size - side) // 2 for side in self.patch)
        window = (slice(rows, rows + self.patch[0]), slice(columns, columns + self.patch[1]))
        channels = [place.smooth(sample.image[..., i])[window] for i in range(sample.image.shape[-1])]
        return np.stack(channels, -1), {name: place.nearest(labels)[window] for name, labels in sample.targets.items()}

    def _cut_volume(self, rng, sample, centre):
        axes = []
        for axis, side in enumerate(self.patch):
            length = sample.image.shape[axis]
            if centre is None:
                start = int(rng.integers(max(length - side, 0) + 1)) if length >= side else -((side - length) // 2)
            else:
                start = int(np.clip(centre[axis] - side // 2, 0, length - side)) if length >= side else -((side - length) // 2)
            index = _mirrored(np.arange(start, start + side), length)
            axes.append(index[::-1] if self.augmentation.mirror and rng.integers(2) else index)
        window = np.ix_(*axes)
        return sample.image[window], {name: labels[window] for name, labels in sample.targets.items()}


def stacked(drawn: Sequence[tuple[np.ndarray, Mapping[str, np.ndarray]]]) -> tuple[Any, Any]:
    """A batch of (image, targets); the targets as one array where there is one output."""
    x = np.stack([image for image, _ in drawn]).astype(np.float32)
    y = {name: np.stack([targets[name] for _, targets in drawn])[..., None].astype(np.int32) for name in drawn[0][1]}
    return x, y if len(y) > 1 else next(iter(y.values()))


def _places(sample: Sample, seed: int) -> list[np.ndarray]:
    """For each class but the background that an image holds, some of its pixels, (n, axes)."""
    labels = next(iter(sample.targets.values()))
    rng = np.random.default_rng((seed, 1))
    result = []
    for number in np.unique(labels):
        if number not in (0, VOID):
            flat = np.flatnonzero(labels == number)
            if len(flat) > _MOST_PLACES:
                flat = np.sort(rng.choice(flat, _MOST_PLACES, replace=False))
            result.append(np.stack(np.unravel_index(flat, labels.shape), -1))
    return result


def _mirrored(position: np.ndarray, length: int) -> np.ndarray:
    """Positions folded into [0, length - 1]; the pixel at the edge is not repeated."""
    period = 2 * (length - 1)
    position = np.mod(position, period)
    return np.minimum(position, period - position)
