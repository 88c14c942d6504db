"""Polygons in the plane."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith.physics.ball import refuse_time
from kerasmith.physics.domain import Domain
from kerasmith.physics.points import axis_names, coordinates
from kerasmith.physics.region import even_counts

_BLOCK = 1 << 20  # pairs of points and edges at a time


class Polygon(Domain):
    """The inside of a closed line in the plane, convex or not; holes are differences (since 0.2).

    Args:
        vertices: (V, 2) corners in order, either way round; the last is joined to the first.
        names: two names, as "xy"; over time write `Polygon(...).over_time(0, 1)`.

    Raises:
        ValueError: for fewer than three corners, edges that cross or touch each other, or an edge without length.

    Example:

    >>> triangle = Polygon([[0, 0], [2, 0], [0, 2]])
    >>> triangle.contains([[0.5, 0.5], [1.5, 1.5]]).tolist()
    [True, False]
    """

    vertices: np.ndarray

    def __init__(self, vertices: Any, names: str | Sequence[str] | None = None) -> None:
        vertices = coordinates(vertices, 2, "vertices")
        if len(vertices) > 1 and (vertices[0] == vertices[-1]).all():
            vertices = vertices[:-1]
        if len(vertices) < 3:
            raise ValueError(f"A polygon needs three corners or more. Received: vertices={vertices.tolist()}")
        refuse_time(type(self), axis_names(names, 2))
        _refuse_crossings(vertices)
        if _area(vertices) < 0:
            vertices = vertices[::-1].copy()
        super().__init__(vertices.min(axis=0), vertices.max(axis=0), names)
        self._tolerance = np.full(2, self._tolerance.max())
        self.vertices = vertices
        self._edges = np.roll(vertices, -1, axis=0) - vertices
        self._lengths = np.linalg.norm(self._edges, axis=1)

    def _depth(self, x):
        block = max(1, _BLOCK // len(self.vertices))
        parts = [self._signed_distance(x[start : start + block]) for start in range(0, len(x), block)]
        return np.concatenate(parts) / self._tolerance[0] if parts else np.zeros(0)

    def _signed_distance(self, x):
        offset = x[:, None] - self.vertices
        along = np.clip((offset * self._edges).sum(-1) / self._lengths**2, 0, 1)
        nearest = np.linalg.norm(offset - along[..., None] * self._edges, axis=-1).min(axis=1)
        # A ray to the right crosses the edges that it has an end above and one below of.
        above, above_next = offset[..., 1] < 0, offset[..., 1] < self._edges[:, 1]
        side = self._edges[:, 0] * offset[..., 1] - self._edges[:, 1] * offset[..., 0]
        crosses = (above != above_next) & ((side > 0) == (self._edges[:, 1] > 0))
        return np.where(crosses.sum(axis=1) % 2 == 1, nearest, -nearest)

    def _surface(self):
        return float(self._lengths.sum())

    def _draw_surface(self, count, rng):
        edge = np.repeat(np.arange(len(self.vertices)), even_counts(self._lengths, count, rng))
        x = self.vertices[edge] + rng.random((count, 1)) * self._edges[edge]
        normals = np.column_stack([self._edges[:, 1], -self._edges[:, 0]]) / self._lengths[:, None]
        return x, normals[edge]

    def __repr__(self) -> str:
        text = str(self.vertices.tolist()) if len(self.vertices) < 9 else f"<{len(self.vertices)} corners>"
        return f"Polygon({text})"


def _area(vertices):
    (x, y), (x_next, y_next) = vertices.T, np.roll(vertices, -1, axis=0).T
    return 0.5 * float((x * y_next - x_next * y).sum())


def _refuse_crossings(vertices):
    """Raises ValueError if two edges have a point in common that is not the corner between them."""
    following = np.roll(vertices, -1, axis=0)
    count = len(vertices)
    repeated = np.flatnonzero((vertices == following).all(axis=1))
    if repeated.size:
        raise ValueError(
            f"Two corners in a row are the same. Received: vertices[{repeated[0]}]={vertices[repeated[0]].tolist()}"
        )
    for i in range(count):
        a, b = vertices[i], following[i]
        if _turn(a, b, following[(i + 1) % count]) == 0 and np.dot(b - a, following[(i + 1) % count] - b) < 0:
            raise ValueError(f"The edges at corner {(i + 1) % count} lie on each other. Received: {b.tolist()}")
        others = np.arange(i + 2, count - (i == 0))
        c, d = vertices[others], following[others]
        lines = [(a, b, c), (a, b, d), (c, d, a), (c, d, b)]
        ends = [_turn(*line) for line in lines]
        crossing = (ends[0] * ends[1] < 0) & (ends[2] * ends[3] < 0)
        touching = np.any([(end == 0) & _between(*line) for end, line in zip(ends, lines, strict=True)], axis=0)
        if (crossing | touching).any():
            j = int(others[np.argmax(crossing | touching)])
            raise ValueError(
                f"The edges of a polygon must not cross or touch: edge {i} from {a.tolist()} to {b.tolist()} and edge {j} "
                f"from {vertices[j].tolist()} to {following[j].tolist()} do. Give the corners in order; make several parts "
                "with `a | b`."
            )


def _turn(a, b, c):
    """1 where the way from a over b to c turns left, -1 right, 0 straight."""
    (ax, ay), (bx, by), (cx, cy) = (np.moveaxis(p, -1, 0) for p in (a, b, c))
    return np.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))


def _between(a, b, c):
    """Whether c, on the line through a and b, lies between them."""
    return ((np.minimum(a, b) <= c) & (c <= np.maximum(a, b))).all(axis=-1)
