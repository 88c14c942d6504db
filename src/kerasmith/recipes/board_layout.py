"""The design of a made circuit board: tracks in a bundle, with pads and drilled vias at their ends."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np


class Place(NamedTuple):
    """A place on a track, in the coordinates of the layout."""

    across: float
    along: float


@dataclasses.dataclass(frozen=True)
class Layout:
    """Tracks that run side by side and bend together, on a grid that the camera sees a little turned.

    Every pixel has two coordinates: `along` the tracks, and `across` them, in which each track lies at one number, whatever
    bends it makes.

    Attributes:
        size: height and width in pixels.
        along, across: (size, size) of each pixel.
        bend: function of `along`: how far the bundle has moved aside there.
        angle: of the camera, in radians.
        pitch: distance of two tracks.
        half_width: of a track.
        tracks: ((across, first, last), ...) in `along`.
        via_radius, pad: half sizes of round and of rectangular pads.
    """

    size: int
    along: np.ndarray
    across: np.ndarray
    bend: tuple[np.ndarray, np.ndarray]
    angle: float
    pitch: float
    half_width: float
    tracks: tuple[tuple[float, float, float], ...]
    ends: tuple[tuple[float, float, bool], ...]
    via_radius: float

    def copper(self) -> Any:
        """(size, size) signed distance to the edge of the copper, about in pixels, positive inside."""
        distance = self.pads()
        for across, first, last in self.tracks:
            beside = self.half_width - np.abs(self.across - across)
            distance = np.maximum(distance, np.minimum(beside, np.minimum(self.along - first, last - self.along)))
        # A hole has no copper, wherever the drill of the picture lands.
        return np.minimum(distance, -self.drills())

    def pads(self, across: float = 0.0, along: float = 0.0) -> Any:
        """The same of the pads alone, moved by (`across`, `along`)."""
        distance = np.full((self.size, self.size), -float(self.size))
        for row, column, is_via in self.ends:
            u, v = self.across - row - across, self.along - column - along
            if is_via:
                shape = self.via_radius - np.hypot(u, v)
            else:
                shape = np.minimum(self.via_radius - 0.6 - np.abs(u), self.via_radius + 0.8 - np.abs(v))
            distance = np.maximum(distance, shape)
        return distance

    def drills(self, across: float = 0.0, along: float = 0.0) -> Any:
        """The same of the holes of vias."""
        distance = np.full((self.size, self.size), -float(self.size))
        for row, column, is_via in self.ends:
            if is_via:
                distance = np.maximum(distance, 1.8 - np.hypot(self.across - row - across, self.along - column - along))
        return distance

    def print_strokes(self, rng: np.random.Generator) -> Any:
        """(size, size) share of printing ink: a few thin strokes."""
        distance = np.zeros((self.size, self.size))
        for _ in range(rng.integers(0, 3)):
            row, column, length = *rng.uniform(0, self.size, 2), rng.uniform(6, 16)
            stroke = np.minimum(0.6 - np.abs(self.across - row), length / 2 - np.abs(self.along - column))
            distance = np.maximum(distance, np.clip(stroke + 0.5, 0, 1))
        return distance

    def pixel(self, across: float, along: float) -> tuple[float, float]:
        """(row, column) of a place."""
        down = across + np.interp(along, *self.bend)
        cosine, sine, middle = np.cos(self.angle), np.sin(self.angle), self.size / 2
        return (
            float(middle + cosine * (down - middle) - sine * (along - middle)),
            float(middle + sine * (down - middle) + cosine * (along - middle)),
        )

    def random_place(self, rng: np.random.Generator, *, with_neighbour: bool = False, on_pad: bool = False) -> Place | None:
        """A place on a track clear of its ends, or None where chance has none.

        Args:
            with_neighbour: where the next track runs beside it.
            on_pad: the middle of a pad without a hole.
        """
        if on_pad:
            pads = [(row, column) for row, column, is_via in self.ends if not is_via]
            return Place(*pads[rng.integers(len(pads))]) if pads else None
        across, first, last = self.tracks[rng.integers(len(self.tracks))]
        clear = self.via_radius + 4
        if last - first < 2 * clear + 2:
            return None
        along = rng.uniform(first + clear, last - clear)
        if with_neighbour and not any(
            abs(other - across - self.pitch) < 0.1 and start + clear < along < end - clear for other, start, end in self.tracks
        ):
            return None
        return Place(float(across), float(along))

    def random_gap(self, rng: np.random.Generator) -> Place:
        """A place half way between two tracks."""
        rows = sorted({across for across, _, _ in self.tracks})
        return Place(float(rows[rng.integers(len(rows))] + self.pitch / 2), float(rng.uniform(0, self.size)))


def random_layout(size: int, rng: np.random.Generator) -> Layout:
    """A layout for a picture of `size` x `size` pixels."""
    angle, middle = rng.uniform(-0.04, 0.04), size / 2
    rows, columns = np.mgrid[:size, :size].astype(float) - middle
    down = middle + np.cos(angle) * rows + np.sin(angle) * columns
    along = middle - np.sin(angle) * rows + np.cos(angle) * columns
    bend = _random_bend(size, rng)
    pitch, half_width = rng.uniform(12.5, 15), rng.uniform(2.3, 3)
    tracks, ends = [], []
    for across in np.arange(rng.uniform(-2 * pitch, -pitch), size + 2 * pitch, pitch):
        start = rng.uniform(-60, -10)
        while start < size + 10:
            last = start + rng.uniform(36, 90)
            tracks.append((float(across), float(start), float(last)))
            ends += [(float(across), float(place), bool(rng.random() < 0.4)) for place in (start, last)]
            start = last + rng.uniform(13, 20)
    return Layout(
        size=size,
        along=along,
        across=down - np.interp(along, *bend),
        bend=bend,
        angle=float(angle),
        pitch=float(pitch),
        half_width=float(half_width),
        tracks=tuple(tracks),
        ends=tuple(ends),
        via_radius=float(rng.uniform(4.2, 4.8)),
    )


def _random_bend(size, rng):
    """Where the bundle bends by about 35 degrees, and how far it lies aside between: knots to interpolate between."""
    start = rng.uniform(-0.2, 0.9) * size
    length = rng.uniform(8, 20)
    return np.array([start, start + length]), np.array([0.0, rng.choice([-0.7, 0.0, 0.7]) * length])
