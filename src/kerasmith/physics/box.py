"""Boxes: intervals, rectangles and so on."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith.base.arguments import check_choice
from kerasmith.physics import sampling
from kerasmith.physics.domain import Domain
from kerasmith.physics.points import Points
from kerasmith.physics.region import even_counts

_FACE = 5


class Box(Domain):
    """The points between two corners: an interval, a rectangle, a box of any dimension (since 0.2).

    Args:
        low: (D,) lowest coordinates; a number for an interval.
        high: (D,) highest coordinates.
        names: one name for each axis, as "xt". An axis named "t" is time, see `Domain`.

    Raises:
        ValueError: unless low < high along each axis, for other lengths, and where float32 has no room for the points.

    Example:

    >>> box = Box([-1, 0], [1, 2], names="xt")
    >>> inside = box.uniform(1000, seed=1)
    >>> bool(box.contains(inside).all()), box.boundary(4).normals[:, 1].tolist()
    (True, [0.0, 0.0, 0.0, 0.0])
    """

    def __init__(self, low: Any, high: Any, names: str | Sequence[str] | None = None) -> None:
        low, high = (np.atleast_1d(np.asarray(corner, "float64")) for corner in (low, high))
        if low.ndim != 1 or low.shape != high.shape or not low.size:
            raise ValueError(f"`low` and `high` must have one number for each axis. Received: low={low}, high={high}")
        if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
            raise ValueError(
                f"`low` must be below `high` along each axis, both finite. Received: low={low.tolist()}, high={high.tolist()}"
            )
        super().__init__(low, high, names)

    def face(self, axis: str | int, side: str, n: int = 1, seed: int = 0) -> Points:
        """n points on one face, each equally likely everywhere on it, with outward unit normals.

        Both faces of an axis have points with the same other coordinates for the same seed, as periodic conditions need.

        Args:
            axis: name or number of the axis that the face is at right angles to.
            side: "low" or "high".
            n: number of points.
            seed: whole number >= 0.

        Example:

        >>> box = Box([0, 0], [1, 1], names="xy")
        >>> left, right = box.face("x", "low", 5), box.face("x", "high", 5)
        >>> bool((left.x[:, 1] == right.x[:, 1]).all()), right.x[0, 0].item(), right.normals[0].tolist()
        (True, 1.0, [1.0, 0.0])
        """
        number = self._axis(axis)
        check_choice("side", side, ("low", "high"))
        x = self._propose(n, sampling.generator(n, seed, _FACE, number))
        normals = np.zeros_like(x)
        x[:, number] = (self.low if side == "low" else self.high)[number]
        normals[:, number] = -1 if side == "low" else 1
        return self._as_points(x, normals)

    def _axis(self, axis):
        known = [*(self.names or ()), *range(self.dimension)]
        if isinstance(axis, bool) or axis not in known:
            raise ValueError(f"`axis` must be one of {', '.join(map(repr, known))}. Received: axis={axis!r}")
        return self.names.index(axis) if isinstance(axis, str) else int(axis)

    def _depth(self, x):
        return (np.minimum(x - self.low, self.high - x) / self._tolerance).min(axis=1)

    def _faces(self):
        """(axis, measure) of the faces in space, two for each axis."""
        sides = self.high - self.low
        return [(int(axis), np.prod(np.delete(sides, axis))) for axis in self._space_axes() for _ in range(2)]

    def _surface(self):
        return float(sum(measure for _, measure in self._faces()))

    def _draw_surface(self, count, rng):
        axes, measures = (np.array(column) for column in zip(*self._faces(), strict=True))
        faces = np.repeat(np.arange(len(axes)), even_counts(measures, count, rng))
        x, rows = self._propose(count, rng), np.arange(count)
        normals = np.zeros_like(x)
        axis, upper = axes[faces], faces % 2 == 1
        x[rows, axis] = np.where(upper, self.high[axis], self.low[axis])
        normals[rows, axis] = np.where(upper, 1, -1)
        return x, normals

    def __repr__(self) -> str:
        return f"Box({self.low.tolist()}, {self.high.tolist()})"
