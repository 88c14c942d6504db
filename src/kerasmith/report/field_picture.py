"""A solution beside its reference and the error between them, as pixels."""

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw

from kerasmith.report.numbers import format_number
from kerasmith.report.pixels import beside

# From dark to light, in even steps of lightness; and from blue over white to orange, the ends of equal lightness.
_SEQUENTIAL = ((25, 20, 70), (40, 75, 140), (30, 130, 140), (90, 180, 110), (245, 225, 80))
_DIVERGING = ((0, 90, 160), (130, 185, 220), (250, 250, 250), (245, 170, 110), (190, 75, 0))
_EMPTY = (200, 200, 200)
_INK, _GROUND, _SOFT = (28, 32, 36), (255, 255, 255), (205, 208, 212)
_TITLE = 18
_SIDE = 240


def draw_field(x: ArrayLike, reference: ArrayLike, prediction: ArrayLike, side: int = _SIDE) -> np.ndarray:
    """Reference, prediction and error side by side, with their ranges.

    With two axes three maps, the first axis to the right, the second upwards: reference and prediction in the colours of one
    range, the error from blue (too low) over white to orange. With one axis curves, with more axes the prediction over the
    reference, where the diagonal is right.

    Args:
        x: (N, D) points.
        reference, prediction: (N,) values there.
        side: of a map, in pixels.

    Returns:
        uint8 array (H, W, 3).

    Raises:
        ValueError: for arrays of other shapes.

    Example:

    >>> x = np.stack(np.meshgrid([0.0, 1.0], [0.0, 1.0], indexing="ij"), -1).reshape(-1, 2)
    >>> draw_field(x, x[:, 0], x[:, 0], side=100).shape
    (118, 316, 3)
    """
    x, reference, prediction = (np.asarray(array, "float64") for array in (x, reference, prediction))
    if x.ndim != 2 or reference.shape != (len(x),) or prediction.shape != (len(x),) or not len(x):
        raise ValueError(
            "A picture needs points (N, D) and N values of the reference and of the prediction. "
            f"Received: shapes {x.shape}, {reference.shape} and {prediction.shape}"
        )
    error = prediction - reference
    low, high = min(reference.min(), prediction.min()), max(reference.max(), prediction.max())
    largest = float(np.abs(error).max())
    titles = [
        f"reference {_range(reference)}",
        f"prediction {_range(prediction)}",
        f"error, at most {format_number(largest)}",
    ]
    if x.shape[1] == 2:
        cells = _cells(x, side)
        panels = [
            _map(cells, reference, low, high, _SEQUENTIAL, side),
            _map(cells, prediction, low, high, _SEQUENTIAL, side),
            _map(cells, error, -largest, largest, _DIVERGING, side),
        ]
    elif x.shape[1] == 1:
        panels = [_curve(x[:, 0], values, low, high, side) for values in (reference, prediction)]
        panels.append(_curve(x[:, 0], error, -largest, largest, side))
    else:
        panels, titles = [_scatter(reference, prediction, low, high, side)], ["prediction over reference"]
    return beside([_titled(panel, title) for panel, title in zip(panels, titles, strict=True)], gap=8)


def _range(values):
    return f"{format_number(float(values.min()))} to {format_number(float(values.max()))}"


def _cells(x, side):
    """(side, side) numbers of the points that the pixels show, -1 for none."""
    columns, rows = ([*np.unique(x[:, axis])] for axis in range(2))
    if len(columns) * len(rows) <= 4 * len(x):
        # A grid, whole or in part: a pixel shows the nearest of its lines.
        table = np.full((len(rows), len(columns)), -1)
        table[np.searchsorted(rows, x[:, 1]), np.searchsorted(columns, x[:, 0])] = np.arange(len(x))
        nearest = [_nearest(np.array(lines), side) for lines in (rows, columns)]
        return table[nearest[0][::-1]][:, nearest[1]]
    count = int(np.clip(np.sqrt(len(x) / 2), 1, side))
    low, high = x.min(axis=0), x.max(axis=0)
    place = ((x - low) / np.where(high > low, high - low, 1) * (count - 1e-9)).astype(int)
    table = np.full((count, count), -1)
    table[count - 1 - place[:, 1], place[:, 0]] = np.arange(len(x))
    lines = (np.arange(side) * count) // side
    return table[lines][:, lines]


def _nearest(lines, side):
    places = np.linspace(lines[0], lines[-1], side)
    after = np.clip(np.searchsorted(lines, places), 1, len(lines) - 1) if len(lines) > 1 else np.zeros(side, int)
    if len(lines) == 1:
        return after
    return np.where(places - lines[after - 1] < lines[after] - places, after - 1, after)


def _map(cells, values, low, high, colours, side):
    scaled = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    stops = np.linspace(0, 1, len(colours))
    pixels = np.stack([np.interp(scaled, stops, [colour[c] for colour in colours]) for c in range(3)], axis=-1)
    pixels = np.concatenate([pixels.round(), [_EMPTY]]).astype(np.uint8)
    return pixels[cells]


def _curve(x, values, low, high, side):
    image = Image.new("RGB", (side, side), _GROUND)
    draw = ImageDraw.Draw(image)
    width, height = x.max() - x.min(), high - low
    order = np.argsort(x, kind="stable")
    across = (x[order] - x.min()) / (width if width > 0 else 1) * (side - 9) + 4
    up = (values[order] - low) / height * (side - 9) + 4 if height > 0 else np.full(len(x), side / 2)
    if low < 0 < high:
        zero = side - 1 - (-low / height * (side - 9) + 4)
        draw.line([(0, zero), (side, zero)], fill=_SOFT)
    draw.line(list(zip(across.tolist(), (side - 1 - up).tolist(), strict=True)), fill=_DIVERGING[0], width=2)
    return np.asarray(image)


def _scatter(reference, prediction, low, high, side):
    image = np.full((side, side, 3), 255, np.uint8)
    line = np.arange(side)
    image[side - 1 - line, line] = _SOFT
    height = high - low if high > low else 1.0
    across, up = (((values - low) / height * (side - 1)).round().astype(int) for values in (reference, prediction))
    image[side - 1 - up, across] = _DIVERGING[0]
    return image


def _titled(panel, title):
    image = Image.new("RGB", (panel.shape[1], panel.shape[0] + _TITLE), _GROUND)
    ImageDraw.Draw(image).text((2, 3), title, fill=_INK)
    pixels = np.array(image)
    pixels[_TITLE:] = panel
    return pixels
