"""Drawing points in a part of space and on its boundary, whatever its shape."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerasmith.base.keywords import KnowsKeywords
from kerasmith.physics import sampling
from kerasmith.physics.points import Points, axis_names, coordinates

_SPACING = 2.0**-23  # of float32 at 1
TIME = "t"
_UNIFORM, _LATIN, _SOBOL, _BOUNDARY, _INITIAL = range(5)


class Region(KnowsKeywords):
    """A bounded part of space, or of space and time, to draw points of; the base of `Domain`.

    A subclass defines `_depth`, a leaf also `_surface` and `_draw_surface`. All coordinates are float64 inside.

    Attributes:
        low, high: (D,) corners of a box around the region.
        dimension: D.
        names: a tuple of D names, or None.
    """

    __array_ufunc__ = None  # `domain - array` is an error, not an array of domains

    low: np.ndarray
    high: np.ndarray
    names: tuple[str, ...] | None

    def __init__(self, low: np.ndarray, high: np.ndarray, names: str | Sequence[str] | None = None) -> None:
        self.low, self.high = low, high
        self.names = axis_names(names, len(low))
        largest = np.maximum(np.abs(low), np.abs(high))
        if (high - low < 64 * _SPACING * largest).any():
            axis = int(np.argmax(64 * _SPACING * largest - (high - low)))
            raise ValueError(
                "The points of this domain would be one and the same in float32. Move it towards 0, or write it in other "
                f"units. Received: {low[axis]} to {high[axis]} along axis {axis}"
            )
        # Distances that float32 cannot tell apart.
        self._tolerance = 4 * _SPACING * np.maximum(largest, high - low)

    @property
    def dimension(self) -> int:
        """Number of axes."""
        return len(self.low)

    def contains(self, x: Any) -> np.ndarray:
        """Whether points lie in the domain or on its boundary, (N,) booleans.

        Up to 5e-7 of its size counts as on the boundary, as points of it do not come nearer once they are float32.

        Args:
            x: (N, D), an array or `Points`.

        Raises:
            ValueError: for another number of axes.

        Example:

        >>> from kerasmith.physics import Box
        >>> Box([0, 0], [1, 2]).contains([[0.5, 2.0], [0.5, 2.1]]).tolist()
        [True, False]
        """
        return self._depth(coordinates(x, self.dimension)) >= -1

    def points(self, x: Any) -> Points:
        """Points of your own as points of this domain.

        Raises:
            ValueError: if some lie outside; says how many and names the first.
        """
        array = coordinates(x, self.dimension)
        outside = np.flatnonzero(~self.contains(array))
        if outside.size:
            raise ValueError(
                f"{outside.size} of {len(array)} points lie outside of {self!r}, the first is number {outside[0]}. "
                f"Received: x[{outside[0]}]={array[outside[0]].tolist()}"
            )
        return self._as_points(array)

    def uniform(self, n: int, seed: int = 0) -> Points:
        """n independent points, each equally likely everywhere in the domain.

        Example:

        >>> from kerasmith.physics import Ball
        >>> Ball([0, 0], 1).uniform(100, seed=3).x.shape
        (100, 2)
        """
        rng = sampling.generator(n, seed, _UNIFORM)
        (x,) = sampling.accepted(lambda count: (self._propose(count, rng),), self._inside, n, f"inside {self!r}")
        return self._as_points(x)

    def latin_hypercube(self, n: int, seed: int = 0) -> Points:
        """n points that are spread evenly along each axis.

        In a `Box` each of n equal intervals of each axis has one point. In other domains: n of the points of a larger Latin
        hypercube in the box around it, those that lie inside.
        """
        rng = sampling.generator(n, seed, _LATIN)
        size, most = n, max(sampling.EMPTY, 64 * n)
        while True:
            x = self._scaled(sampling.latin_hypercube(size, self.dimension, rng))
            x = x[self._inside(x)]
            if len(x) >= n:
                return self._as_points(x if len(x) == n else x[np.sort(rng.choice(len(x), n, replace=False))])
            if size >= most:
                raise ValueError(
                    f"Of a Latin hypercube of {size:,} points only {len(x):,} lie inside {self!r}, {n:,} were asked for. "
                    "Write `uniform(n)`, and look whether the domain is empty: a difference `a - b` where b covers a is."
                )
            size = min(most, max(size + 64, int(1.2 * size * n / max(len(x), 1))))

    def sobol(self, n: int, seed: int = 0) -> Points:
        """The first n points of a scrambled Sobol sequence in the box around the domain that lie inside.

        A `Box` is filled most evenly by a power of two.

        Raises:
            ImportError: without SciPy.
        """
        draw = sampling.sobol(self.dimension, sampling.generator(n, seed, _SOBOL))
        (x,) = sampling.accepted(lambda count: (self._scaled(draw(count)),), self._inside, n, f"inside {self!r}")
        return self._as_points(x)

    def boundary(self, n: int, seed: int = 0, where: Callable[[np.ndarray], np.ndarray] | None = None) -> Points:
        """n points on the boundary, each equally likely everywhere on it, with outward unit normals.

        A domain with a "t" axis: the boundary of space at all times, without first and last time. A domain of one axis: its
        ends in turn.

        Args:
            n: number of points.
            seed: whole number >= 0.
            where: a function from (N, D) coordinates to (N,) booleans, for a part of the boundary.

        Raises:
            ValueError: if nothing of the boundary is left.

        Example:

        >>> from kerasmith.physics import Ball
        >>> circle = Ball([1, 0], 2).boundary(5)
        >>> bool(np.allclose(circle.x, [1, 0] + 2 * circle.normals))
        True
        """
        rng = sampling.generator(n, seed, _BOUNDARY)
        if self._space_axes().size == 0:
            raise ValueError(f"{self!r} has no axis but time, and no boundary in space. Write `initial(n)`.")
        of_ends = self.dimension == 1
        x, normals, _ = sampling.accepted(
            lambda count: self._propose_surface(count, rng),
            lambda x, normals, owners: self._on_surface(x, normals, owners) & _selected(where, x),
            256 if of_ends else n,
            f"on the boundary of {self!r}" + (" where `where` is true" if where else ""),
        )
        if of_ends:
            x, first = np.unique(x, axis=0, return_index=True)
            x, normals = (np.resize(rows, (n, 1)) for rows in (x, normals[first]))
        return self._as_points(x, normals)

    def initial(self, n: int, seed: int = 0) -> Points:
        """n points at the first time, each equally likely everywhere in space.

        Raises:
            ValueError: for a domain without an axis named "t".

        Example:

        >>> from kerasmith.physics import Box
        >>> Box([-1, 0], [1, 5], names="xt").initial(3).x[:, 1].tolist()
        [0.0, 0.0, 0.0]
        """
        rng = sampling.generator(n, seed, _INITIAL)
        time = self._time_axis()
        if time is None:
            raise ValueError(
                f'{self!r} has no axis of time. Name its axes, one of them "t": Box([0, 0], [1, 1], names="xt"), or write '
                f"`over_time(0, 1)`. Received: names={self.names}"
            )

        def propose(count):
            x = self._propose(count, rng)
            x[:, time] = self.low[time]
            return (x,)

        (x,) = sampling.accepted(propose, lambda x: self._depth(x) >= -1, n, f"at the first time of {self!r}")
        return self._as_points(x)

    def _depth(self, x: np.ndarray) -> np.ndarray:
        """(N,) distances from the boundary in units of what float32 cannot tell apart; > 0 inside."""
        raise NotImplementedError(f"{type(self).__name__} must implement `_depth`.")

    def _propose(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count, D) points that are uniform in the domain, or in more than it."""
        return self._scaled(rng.random((count, self.dimension)))

    def _leaves(self) -> "list[tuple[Region, int]]":
        """The domains with a surface of their own, each with 1, or -1 where its inside is taken away."""
        return [(self, 1)]

    def _surface(self) -> float:
        """Measure of the surface of a leaf."""
        raise NotImplementedError(f"{type(self).__name__} must implement `_surface`.")

    def _draw_surface(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(count, D) uniform points on the surface of a leaf and outward normals, in any order."""
        raise NotImplementedError(f"{type(self).__name__} must implement `_draw_surface`.")

    # What follows from it.

    def _time_axis(self):
        return self.names.index(TIME) if self.names and TIME in self.names else None

    def _space_axes(self):
        return np.delete(np.arange(self.dimension), [] if self._time_axis() is None else self._time_axis())

    def _inside(self, x):
        return self._depth(x) >= 0

    def _scaled(self, unit):
        return self.low + unit * (self.high - self.low)

    def _as_points(self, x, normals=None):
        return Points(x, normals, names=self.names, domain=self)

    def _propose_surface(self, count, rng):
        """Uniform points on the surfaces of all leaves in random order, normals as they count here, the number of the leaf."""
        leaves = self._leaves()
        counts = even_counts(np.array([leaf._surface() for leaf, _ in leaves]), count, rng)
        parts = [leaf._draw_surface(int(part), rng) for (leaf, _), part in zip(leaves, counts, strict=True)]
        order = rng.permutation(count)
        x = np.concatenate([x for x, _ in parts])[order]
        normals = np.concatenate([sign * n for (_, n), (_, sign) in zip(parts, leaves, strict=True)])[order]
        return x, normals, np.repeat(np.arange(len(leaves)), counts)[order]

    def _on_surface(self, x, normals, owners):
        """Which of the proposed points lie between inside and outside; each place once, where surfaces coincide."""
        leaves = self._leaves()
        if len(leaves) == 1:
            return np.ones(len(x), bool)
        step = 2 * self._tolerance * normals
        before, after = x - step, x + step
        valid = (self._depth(before) > 0) & (self._depth(after) < 0)
        # Where several leaves end at one place and towards one side, the points of the first count.
        for number, (leaf, sign) in enumerate(leaves[:-1]):
            ends = (sign * leaf._depth(before) > 0) & (sign * leaf._depth(after) < 0)
            valid &= ~(ends & (owners > number))
        return valid


def even_counts(measures: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """How many of `count` points each part gets: its share, rounded up or down at random so that it is right on average."""
    edges = np.concatenate([[0.0], np.cumsum(measures) / measures.sum() * count])
    edges[-1] = count
    return np.diff(np.floor(edges + rng.random() * (edges < count)).clip(0, count).astype(int))


def _selected(where, x):
    if where is None:
        return np.ones(len(x), bool)
    mask = np.asarray(where(x))
    if mask.shape != (len(x),) or mask.dtype != bool:
        raise ValueError(
            f"`where` must return one boolean per point, ({len(x)},), as `lambda x: x[:, 0] > 0` does. "
            f"It returned shape {mask.shape} of {mask.dtype}"
        )
    return mask
