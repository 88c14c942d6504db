"""Domains, what is made of two of them, and a domain over time."""

from typing import Any

import numpy as np

from kerasmith.base.arguments import check_number
from kerasmith.physics.region import TIME, Region


class Domain(Region):
    """A bounded part of space, or of space and time, to draw points of (since 0.2).

    `Box`, `Ball` and `Polygon` are domains; `a - b`, `a | b` and `a & b` make others of them, `a.over_time(low, high)` adds an
    axis of time. An axis named "t" is time: `boundary` then is that of space at all times, and `initial` is where t is lowest.

    What is drawn depends on the arguments alone: the same seed gives the same points. All points come as `Points`, float32.

    Attributes:
        low, high: (D,) corners of a box around the domain.
        dimension: D.
        names: a tuple of D names, or None.
    """

    def over_time(self, low: float, high: float) -> "SpaceTime":
        """This domain at all times from `low` to `high`; the last axis is "t".

        Example:

        >>> from kerasmith.physics import Ball
        >>> Ball([0, 0], 1, names="xy").over_time(0, 2).initial(4).x.shape
        (4, 3)
        """
        return SpaceTime(self, low, high)

    def __sub__(self, other: Any) -> "Difference":
        return Difference(self, other) if isinstance(other, Domain) else NotImplemented

    def __or__(self, other: Any) -> "Union":
        return Union(self, other) if isinstance(other, Domain) else NotImplemented

    def __and__(self, other: Any) -> "Intersection":
        return Intersection(self, other) if isinstance(other, Domain) else NotImplemented


class _Combined(Domain):
    _symbol: str
    a: Domain
    b: Domain

    def __init__(self, a: Domain, b: Domain) -> None:
        if a.dimension != b.dimension:
            raise ValueError(
                f"Domains must have the same number of axes. Received: {a!r} of {a.dimension} and {b!r} of {b.dimension}"
            )
        if (a.names and b.names and a.names != b.names) or a._time_axis() != b._time_axis():
            raise ValueError(f"Domains must have the same names. Received: {a!r} with {a.names} and {b!r} with {b.names}")
        low, high = self._corners(a, b)
        if (low >= high).any():
            raise ValueError(f"Nothing is in both domains. Received: {a!r} {self._symbol} {b!r}")
        super().__init__(low, high, a.names or b.names)
        self.a, self.b = a, b
        self._tolerance = np.maximum(a._tolerance, b._tolerance)

    def _corners(self, a, b):
        return a.low, a.high

    def _propose(self, count, rng):
        return self.a._propose(count, rng)

    def _leaves(self):
        return self.a._leaves() + self.b._leaves()

    def __repr__(self) -> str:
        return f"({self.a!r} {self._symbol} {self.b!r})"


class Difference(_Combined):
    """`a - b`: the points of a that are not inside b; the normals of the new boundary point into b."""

    _symbol = "-"

    def _depth(self, x):
        return np.minimum(self.a._depth(x), -self.b._depth(x))

    def _leaves(self):
        return self.a._leaves() + [(leaf, -sign) for leaf, sign in self.b._leaves()]


class Union(_Combined):
    """`a | b`: the points of either."""

    _symbol = "|"

    def _corners(self, a, b):
        return np.minimum(a.low, b.low), np.maximum(a.high, b.high)

    def _depth(self, x):
        return np.maximum(self.a._depth(x), self.b._depth(x))

    def _propose(self, count, rng):
        return self._scaled(rng.random((count, self.dimension)))


class Intersection(_Combined):
    """`a & b`: the points of both."""

    _symbol = "&"

    def _corners(self, a, b):
        return np.maximum(a.low, b.low), np.minimum(a.high, b.high)

    def _depth(self, x):
        return np.minimum(self.a._depth(x), self.b._depth(x))


class SpaceTime(Domain):
    """A domain at all times from `low` to `high`, see `Domain.over_time` (since 0.2).

    Args:
        space: a domain without time.
        low, high: first and last time.
    """

    def __init__(self, space: Domain, low: float, high: float) -> None:
        check_number("low", low)
        check_number("high", high, above=low)
        if space._time_axis() is not None:
            raise ValueError(f'There is an axis "t" already. Received: {space!r} with names {space.names}')
        if space.names is None:
            raise ValueError(f'Name the axes of space, as in Ball([0, 0], 1, names="xy"). Received: {space!r} without names')
        super().__init__(np.append(space.low, float(low)), np.append(space.high, float(high)), (*space.names, TIME))
        self.space: Domain = space
        self._tolerance = np.append(space._tolerance, self._tolerance[-1])

    def _depth(self, x):
        time = np.minimum(x[:, -1] - self.low[-1], self.high[-1] - x[:, -1]) / self._tolerance[-1]
        return np.minimum(self.space._depth(x[:, :-1]), time)

    def _propose(self, count, rng):
        return self._at_all_times(self.space._propose(count, rng), rng)

    def _propose_surface(self, count, rng):
        x, normals, owners = self.space._propose_surface(count, rng)
        return self._at_all_times(x, rng), np.pad(normals, ((0, 0), (0, 1))), owners

    def _on_surface(self, x, normals, owners):
        return self.space._on_surface(x[:, :-1], normals[:, :-1], owners)

    def _leaves(self):
        return [(_Lateral(leaf, self), sign) for leaf, sign in self.space._leaves()]

    def _at_all_times(self, x, rng):
        return np.column_stack([x, self.low[-1] + rng.random(len(x)) * (self.high[-1] - self.low[-1])])

    def __repr__(self) -> str:
        return f"{self.space!r}.over_time({self.low[-1]:g}, {self.high[-1]:g})"


class _Lateral:
    """A leaf of space at all times, as a leaf of what is made of domains over time."""

    def __init__(self, leaf, whole):
        self.leaf, self.whole = leaf, whole

    def _depth(self, x):
        time = np.minimum(x[:, -1] - self.whole.low[-1], self.whole.high[-1] - x[:, -1]) / self.whole._tolerance[-1]
        return np.minimum(self.leaf._depth(x[:, :-1]), time)

    def _surface(self):
        return self.leaf._surface() * (self.whole.high[-1] - self.whole.low[-1])

    def _draw_surface(self, count, rng):
        x, normals = self.leaf._draw_surface(count, rng)
        return self.whole._at_all_times(x, rng), np.pad(normals, ((0, 0), (0, 1)))
