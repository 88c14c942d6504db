"""Random maps from a square tile into a larger image, and reading images through them."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith.base.keywords import KnowsKeywords


@dataclasses.dataclass(frozen=True)
class Augmentation(KnowsKeywords):
    """How much tiles may differ from the image they are cut from.

    Attributes:
        rotate: turn by any angle; otherwise tiles stay parallel to the image.
        mirror: mirror half of the tiles.
        scale: magnify by up to exp(+-scale) in all directions.
        stretch: stretch one random direction by up to exp(+-stretch), and squeeze the other.
        contrast: multiply values by up to exp(+-contrast).
        brightness: standard deviation of a number added to all values of a tile.
        noise: largest standard deviation of white noise added to the values.
    """

    rotate: bool = True
    mirror: bool = True
    scale: float = 0.0
    stretch: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        for name in ("scale", "stretch", "contrast", "brightness", "noise"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"`{name}` must be >= 0. Received: {name}={getattr(self, name)}")

    def draw_map(
        self, rng: np.random.Generator, shape: Sequence[int], size: int, *, centre: Sequence[float] | None = None
    ) -> "TileMap":
        """A random `TileMap` of size x size pixels whose centre lies anywhere in an image of `shape`.

        Args:
            rng: draws the map.
            shape: (H, W) of the image.
            size: side of the tile in pixels.
            centre: (row, column) of the centre, where it is not random (since 0.2).
        """
        angle = rng.uniform(0, 2 * np.pi) if self.rotate else 0.0
        direction = rng.uniform(0, np.pi)
        along = np.exp(rng.uniform(-1, 1) * self.stretch)
        linear = _turn(direction) @ np.diag([along, 1 / along]) @ _turn(-direction)
        linear = np.exp(rng.uniform(-1, 1) * self.scale) * _turn(angle) @ linear
        if self.mirror and rng.integers(2):
            linear = linear * [1, -1]
        drawn = rng.uniform(0, 1, 2) * (np.array(shape) - 1)
        return TileMap(linear, drawn if centre is None else centre, shape, size)

    def draw_values(self, rng: np.random.Generator, tile: np.ndarray) -> np.ndarray:
        """The tile with random contrast, brightness and noise."""
        tile = tile * np.exp(rng.uniform(-1, 1) * self.contrast) + rng.normal() * self.brightness
        return tile + rng.uniform(0, 1) * self.noise * rng.normal(size=tile.shape)


class TileMap(KnowsKeywords):
    """An affine map from the pixels of a tile to positions in an image, mirrored back at its edges.

    position = linear @ (pixel - middle of the tile) + centre

    Args:
        linear: (2, 2) matrix in (row, column) order; the identity cuts a tile out.
        centre: (row, column) of the image that the middle of the tile shows.
        shape: (H, W) of the image, at least 2 x 2; no position outside is ever read.
        size: side of the tile in pixels.

    Example:

    >>> image = np.arange(20.0).reshape(4, 5)
    >>> TileMap(np.eye(2), (1.5, 2.5), (4, 5), 2).smooth(image)
    array([[ 7.,  8.],
           [12., 13.]])
    """

    shape: Any
    rows: Any
    columns: Any

    def __init__(self, linear: Any, centre: Sequence[float], shape: Sequence[int], size: int) -> None:
        if len(shape) != 2 or min(shape) < 2:
            raise ValueError(f"An image must be (H, W), at least 2 x 2 pixels. Received: shape={tuple(shape)}")
        self.shape = tuple(shape)
        offset = np.arange(size) - (size - 1) / 2
        rows, columns = np.meshgrid(offset, offset, indexing="ij")
        self.rows = _mirrored(linear[0][0] * rows + linear[0][1] * columns + centre[0], shape[0])
        self.columns = _mirrored(linear[1][0] * rows + linear[1][1] * columns + centre[1], shape[1])

    def nearest(self, image: np.ndarray) -> np.ndarray:
        """Values of the nearest pixels: for labels and masks."""
        return self._checked(image)[np.rint(self.rows).astype(int), np.rint(self.columns).astype(int)]

    def smooth(self, image: np.ndarray) -> np.ndarray:
        """Bilinear values: for intensities."""
        image = self._checked(image)
        top = np.minimum(self.rows.astype(int), self.shape[0] - 2)
        left = np.minimum(self.columns.astype(int), self.shape[1] - 2)
        down, right = self.rows - top, self.columns - left
        upper = image[top, left] * (1 - right) + image[top, left + 1] * right
        lower = image[top + 1, left] * (1 - right) + image[top + 1, left + 1] * right
        return upper * (1 - down) + lower * down

    def _checked(self, image):
        if np.shape(image) != self.shape:
            raise ValueError(f"This map reads images of shape {self.shape}. Received: shape={np.shape(image)}")
        return np.asarray(image)


def _turn(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _mirrored(position, length):
    """Positions folded into [0, length - 1]; the pixel at the edge is not repeated."""
    period = 2 * (length - 1)
    position = np.mod(position, period)
    return np.minimum(position, period - position)
