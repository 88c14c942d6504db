"""Balls: disks, spheres and so on."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith.base.arguments import check_number
from kerasmith.physics.domain import Domain
from kerasmith.physics.points import axis_names, coordinates
from kerasmith.physics.region import TIME


class Ball(Domain):
    """The points within a radius of a centre: a disk, a ball of any dimension (since 0.2).

    Args:
        center: (D,) coordinates.
        radius: > 0.
        names: one name for each axis of space, as "xy"; over time write `Ball(...).over_time(0, 1)`.

    Example:

    >>> ring = Ball([0, 0], 2) - Ball([0, 0], 1)
    >>> x = ring.uniform(100).x
    >>> bool((np.linalg.norm(x, axis=1) >= 1).all())
    True
    """

    center: np.ndarray
    radius: float

    def __init__(self, center: Any, radius: float, names: str | Sequence[str] | None = None) -> None:
        check_number("radius", radius, above=0)
        self.center = coordinates(np.atleast_1d(np.asarray(center, "float64"))[None], name="center")[0]
        self.radius = float(radius)
        refuse_time(type(self), axis_names(names, len(self.center)))
        super().__init__(self.center - self.radius, self.center + self.radius, names)
        self._tolerance = np.full(self.dimension, self._tolerance.max())

    def _depth(self, x):
        return (self.radius - np.linalg.norm(x - self.center, axis=1)) / self._tolerance[0]

    def _propose(self, count, rng):
        distance = self.radius * rng.random(count) ** (1 / self.dimension)
        return self.center + distance[:, None] * self._directions(count, rng)

    def _surface(self):
        half = self.dimension / 2
        return 2 * math.pi**half / math.gamma(half) * self.radius ** (self.dimension - 1)

    def _draw_surface(self, count, rng):
        normals = self._directions(count, rng)
        return self.center + self.radius * normals, normals

    def _directions(self, count, rng):
        vectors = rng.standard_normal((count, self.dimension))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def __repr__(self) -> str:
        return f"Ball({self.center.tolist()}, {self.radius:g})"


def refuse_time(cls: type, names: tuple[str, ...] | None) -> None:
    """Raises ValueError if an axis of a shape in space is named as time."""
    if names and TIME in names:
        raise ValueError(
            f'A {cls.__name__} lies in space, and "t" is the name of time. Write {cls.__name__}(...).over_time(low, high), '
            f"which adds that axis. Received: names={names}"
        )
