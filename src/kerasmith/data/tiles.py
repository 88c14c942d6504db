"""Random tiles of one large image."""

from typing import Any

import numpy as np

from kerasmith.data.drawn_batches import DrawnBatches
from kerasmith.data.geometry import Augmentation


class RandomTiles(DrawnBatches):
    """Batches of random square tiles of an image and of the maps that belong to it.

    Batch number `step`, counted over all epochs, is a pure function of (seed, step): it does not depend on what was drawn
    before, so a run that continues at any step sees what an uninterrupted one would have seen. Write
    `model.fit(tiles, shuffle=False)`: with True, the default, Keras shuffles the batches of each epoch.

    The tiles are cut from the arrays given and from nothing else; positions beyond an edge are mirrored back. To hold a part
    of an image out, give the other part only.

    Args:
        image: (H, W) intensities.
        targets: {name: (H, W) array} of masks or labels; the geometry of a tile is the same for the image and all targets,
            which are read at the nearest pixel.
        size: side of a tile in pixels.
        batch_size: tiles in a batch.
        steps: batches in an epoch.
        seed: whole number >= 0.
        augmentation: a `data.Augmentation`.

    Returns:
        `tiles[i]` is (x, y) with x float32 (B, size, size, 1) and y {name: float32 (B, size, size, 1)}.

    Raises:
        ValueError: for shapes that do not fit together and sizes below 1.

    Example:

    >>> image = np.random.default_rng(0).normal(size=(64, 48))
    >>> tiles = RandomTiles(image, {"mask": image > 0}, size=16, batch_size=4, steps=10)
    >>> x, y = tiles[0]
    >>> x.shape, y["mask"].shape
    ((4, 16, 16, 1), (4, 16, 16, 1))
    """

    image: Any
    targets: Any
    augmentation: Any
    size: int

    def __init__(
        self,
        image: Any,
        targets: Any,
        *,
        size: int,
        batch_size: int,
        steps: int,
        seed: int = 0,
        augmentation: Augmentation | None = None,
    ) -> None:
        image = np.asarray(image)
        if image.ndim != 2 or min(image.shape) < 2:
            raise ValueError(f"`image` must be (H, W), at least 2 x 2 pixels. Received: shape={image.shape}")
        for name, target in targets.items():
            if np.shape(target) != image.shape:
                raise ValueError(
                    f"Target {name!r} must have the shape of the image, {image.shape}. Received: shape={np.shape(target)}"
                )
        for name, value in (("size", size), ("batch_size", batch_size), ("steps", steps)):
            if int(value) != value or value < 1:
                raise ValueError(f"`{name}` must be a whole number >= 1. Received: {name}={value}")
        if int(seed) != seed or seed < 0:
            raise ValueError(f"`seed` must be a whole number >= 0. Received: seed={seed}")
        super().__init__(batch_size=int(batch_size), steps=int(steps), seed=int(seed))
        self.image = image
        self.targets = {name: np.asarray(target) for name, target in targets.items()}
        self.size = int(size)
        self.augmentation = augmentation or Augmentation()

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Batch number `step` of the whole run, counted from 0."""
        rng = np.random.default_rng((self.seed, step))
        tiles = [self._tile(rng) for _ in range(self.batch_size)]
        x = np.stack([values for values, _ in tiles])
        y = {name: np.stack([maps[name] for _, maps in tiles]) for name in self.targets}
        return x, y

    def _tile(self, rng):
        place = self.augmentation.draw_map(rng, self.image.shape, self.size)
        values = self.augmentation.draw_values(rng, place.smooth(self.image))
        maps = {name: _channel(place.nearest(target)) for name, target in self.targets.items()}
        return _channel(values), maps


def _channel(array):
    return np.asarray(array, "float32")[..., None]
