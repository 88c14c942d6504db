"""Made pictures of printed circuit boards with the six classic faults.

No package ships photographs of boards with faults, so these are drawn: copper, drill, solder mask and print, each laid a
little beside the others, under uneven light and a noisy camera. They are no measure of how a network does on real boards.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasmith.objects.components import label_objects
from kerasmith.recipes.board_layout import Layout, random_layout

KINDS = ("open", "short", "mouse bite", "spur", "pinhole", "spurious copper")
MOST = 0.01
"""Largest share of the pixels of a board that its faults cover."""
_APART = 14
"""Pixels between two faults, in each direction or along the diagonal."""


@dataclasses.dataclass(frozen=True)
class Boards:
    """Pictures and what is wrong on them.

    Attributes:
        images: (N, H, W, 1) float32, about 0..1.
        kinds: (N, H, W) uint8, 0 for right pixels and 1.. for those of a fault: the index in `KINDS` plus 1.
        faults: (N, H, W) int32, one number per fault of a board, right pixels 0.
    """

    images: np.ndarray
    kinds: np.ndarray
    faults: np.ndarray


def make_boards(count: int, *, size: int, seed: int, most_faults: int = 3) -> Boards:
    """Draws `count` boards; the same seed draws the same ones.

    A fault is where copper is that should not be, or is missing: the pixels where the copper of the board differs from the
    design. One board in eight has none.

    Args:
        count: number of boards.
        size: height and width in pixels, at least 48.
        seed: of everything that is random.
        most_faults: faults on one board at most, as far as they cover no more than `MOST` of it.

    Example:

    >>> boards = make_boards(2, size=64, seed=0)
    >>> boards.images.shape, bool((boards.kinds > 0).mean() <= MOST)
    ((2, 64, 64, 1), True)
    """
    rng = np.random.default_rng(seed)
    # In turn, so that there are equally many of each.
    order = iter(rng.permutation(np.arange(count * most_faults) % len(KINDS)))
    made = [_board(size, rng, [int(next(order)) for _ in range(most_faults)]) for _ in range(count)]
    images, kinds, faults = (np.stack(part) for part in zip(*made))
    return Boards(images[..., None].astype("float32"), kinds, faults)


def _board(size: int, rng: np.random.Generator, wanted: list[int]) -> tuple[Any, Any, Any]:
    layout = random_layout(size, rng)
    design = layout.copper()
    kinds, copper, places = np.zeros((size, size), "uint8"), design, []
    if rng.random() > 1 / 8:
        for kind in wanted:
            copper = _with_fault(layout, copper, design, kind, rng, places, kinds)
    faults = label_objects(kinds > 0, connectivity=8)[0].astype("int32")
    image, kinds, faults = _turned(rng, _photograph(layout, copper, rng), kinds, faults)
    return image, kinds, faults


def _with_fault(layout, copper, design, kind, rng, places, kinds):
    """The copper with one more fault, whose pixels are written into `kinds`; unchanged where no place is free."""
    for _ in range(20):
        changed, row, column = _FAULTS[kind](layout, copper, rng)
        if changed is None or not (5 < row < layout.size - 5 and 5 < column < layout.size - 5):
            continue
        if any(max(abs(row - r), abs(column - c)) < _APART for r, c in places):
            continue
        pixels = ((changed > 0) != (design > 0)) & (kinds == 0)
        if pixels.sum() < 4 or pixels.sum() + (kinds > 0).sum() > MOST * kinds.size:
            continue
        # In one piece, and none that reaches into another fault.
        if label_objects(pixels, connectivity=8)[1] != 1:
            continue
        kinds[pixels] = kind + 1
        places.append((row, column))
        return changed
    return copper


def _disc(layout: Layout, across: float, along: float, radius: float) -> Any:
    """Signed distance to the edge of a disc at a place of the layout, positive inside."""
    return radius - np.hypot(layout.across - across, layout.along - along)


def _open(layout, copper, rng):
    track = layout.random_place(rng)
    if track is None:
        return None, 0, 0
    gap = rng.uniform(1.5, 2.5) - np.abs(
        layout.along - track.along - rng.uniform(-0.15, 0.15) * (layout.across - track.across)
    )
    near = layout.half_width + 2.5 - np.abs(layout.across - track.across)
    return np.minimum(copper, -np.minimum(gap, near)), *layout.pixel(track.across, track.along)


def _short(layout, copper, rng):
    track = layout.random_place(rng, with_neighbour=True)
    if track is None:
        return None, 0, 0
    middle = track.across + layout.pitch / 2
    width = rng.uniform(1.2, 2.0)
    bridge = np.minimum(
        width - np.abs(layout.along - track.along), layout.pitch / 2 - np.abs(layout.across - middle)
    )  # fmt: skip
    return np.maximum(copper, bridge), *layout.pixel(middle, track.along)


def _mouse_bite(layout, copper, rng):
    track = layout.random_place(rng)
    if track is None:
        return None, 0, 0
    edge = track.across + rng.choice([-1, 1]) * (layout.half_width + 0.2)
    return np.minimum(copper, -_disc(layout, edge, track.along, rng.uniform(1.8, 2.5))), *layout.pixel(edge, track.along)


def _spur(layout, copper, rng):
    track = layout.random_place(rng)
    if track is None:
        return None, 0, 0
    side = rng.choice([-1, 1])
    out = rng.uniform(2.0, 3.2)
    edge = track.across + side * layout.half_width
    # A tongue that grows thinner, and ends before the next track.
    reach = side * (layout.across - edge)
    tongue = np.minimum(
        np.minimum(reach + 1.0, out - reach),
        rng.uniform(1.3, 1.9) * (1 - 0.3 * reach / out) - np.abs(layout.along - track.along),
    )
    return np.maximum(copper, tongue), *layout.pixel(edge + side * out / 2, track.along)


def _pinhole(layout, copper, rng):
    track = layout.random_place(rng, on_pad=True)
    if track is None:
        return None, 0, 0
    across, along = (value + rng.uniform(-0.8, 0.8) for value in (track.across, track.along))
    return np.minimum(copper, -_disc(layout, across, along, rng.uniform(1.25, 1.7))), *layout.pixel(across, along)


def _spurious(layout, copper, rng):
    across, along = layout.random_gap(rng)
    spot = _disc(layout, across, along, rng.uniform(1.7, 2.2))
    # Free on all sides: one that touches a track would be a spur.
    if copper[spot > -1.5].max(initial=-1) > 0:
        return None, 0, 0
    return np.maximum(copper, spot), *layout.pixel(across, along)


_FAULTS: tuple[Callable[..., Any], ...] = (_open, _short, _mouse_bite, _spur, _pinhole, _spurious)


def _photograph(layout, copper, rng):
    """The board as a camera sees it."""
    size = layout.size
    # Etching leaves no straight edge.
    copper = copper + 0.35 * smooth_noise(rng, size, size // 4)
    cover = np.clip(copper + 0.5, 0, 1)
    ground = rng.uniform(0.2, 0.35) + 0.02 * np.sin(0.9 * layout.across) * np.sin(0.9 * layout.along)
    ground = ground + 0.03 * smooth_noise(rng, size, 8) + 0.015 * rng.normal(size=(size, size))
    masked = rng.uniform(0.5, 0.62) + 0.04 * smooth_noise(rng, size, size // 3) + 0.02 * rng.normal(size=(size, size))
    bare = masked + rng.uniform(0.15, 0.25)
    # Each layer lies a little beside the one below.
    opening = np.clip(layout.pads(*rng.uniform(-1.2, 1.2, 2)) + 0.5, 0, 1)
    image = ground + cover * (masked + opening * (bare - masked) - ground)
    image = image + np.clip(layout.drills(*rng.uniform(-0.8, 0.8, 2)) + 0.5, 0, 1) * (rng.uniform(0.05, 0.12) - image)
    image = image + layout.print_strokes(rng) * (rng.uniform(0.8, 0.9) - image) * 0.8
    # Dust, dark and bright, of one or two pixels.
    for row, column in rng.integers(0, size - 1, (rng.integers(0, 6), 2)):
        image[row : row + rng.integers(1, 3), column] += rng.uniform(-0.2, 0.2)
    rows, columns = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    slope, place = rng.uniform(-0.12, 0.12, 2), rng.uniform(-1, 1, 2)
    light = rng.uniform(0.85, 1.15) + slope[0] * rows + slope[1] * columns
    light = light + rng.uniform(0, 0.15) * np.exp(-3 * ((rows - place[0]) ** 2 + (columns - place[1]) ** 2))
    image = _blurred(image * light, rng.uniform(0.05, 0.2))
    return np.clip(image + rng.uniform(0.01, 0.03) * rng.normal(size=image.shape), 0, 1.5)


def _blurred(image, share):
    """Each pixel gives a share to its neighbours along both axes."""
    for axis in (0, 1):
        wide = np.pad(image, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        before, after = (np.take(wide, range(i, i + image.shape[axis]), axis) for i in (0, 2))
        image = (1 - 2 * share) * image + share * (before + after)
    return image


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """(size, size) noise of deviation about 1, from `cells` random values along each axis, interpolated."""
    places = np.linspace(0, cells - 1, size)
    left = np.minimum(places.astype(int), cells - 2)
    weights = np.zeros((size, cells))
    weights[np.arange(size), left] = 1 - (places - left)
    weights[np.arange(size), left + 1] += places - left
    return 1.5 * weights @ rng.normal(size=(cells, cells)) @ weights.T


def _turned(rng, *arrays):
    """Turned by quarters and mirrored: tracks run in both directions."""
    turns, mirror = rng.integers(0, 4), rng.random() < 0.5
    return tuple(np.ascontiguousarray(np.rot90(a[:, ::-1] if mirror else a, turns)) for a in arrays)
