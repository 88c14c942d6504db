"""Pictures side by side with captions and a colour legend."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kerasmith.report.overlays import overlay
from kerasmith.report.pixels import as_pixels, data_uri
from kerasmith.report.templating import Markup, render_template


def _example(truth: bool, prediction: bool, whole: bool) -> np.ndarray:
    """A small picture as `overlay` draws it."""
    objects = np.zeros((2, 10, 16), bool)
    objects[0, 2:8, 2:14], objects[1, 2:8, 2:14] = truth, prediction
    alone = {"false_negatives": whole and objects[0], "false_positives": whole and objects[1]}
    alone = {name: np.zeros((10, 16), bool) if area is False else area for name, area in alone.items()}
    return overlay(np.zeros((10, 16)), *objects, scale=2, **alone)


OVERLAY_LEGEND = {
    "agrees": _example(True, True, False),
    "truth only": _example(True, False, False),
    "prediction only": _example(False, True, False),
    "missed object": _example(True, False, True),
    "invented object": _example(False, True, True),
}
"""What the outlines and patterns of `overlay` say, each with a small picture of it."""

_SMALL = 400
"""Narrower pictures are enlarged on the page, pixel by pixel; wider ones are smoothed when they shrink."""


def image_grid(
    pictures: Iterable[ArrayLike],
    captions: Iterable[str] | None = None,
    legend: Mapping[str, tuple[int, int, int] | np.ndarray] | None = None,
) -> Markup:
    """HTML figures of the pictures, several in a row where there is room.

    Args:
        pictures: uint8 arrays, (H, W) or (H, W, 3).
        captions: one text for each picture.
        legend: {text: (r, g, b) or a small uint8 picture}; `OVERLAY_LEGEND` explains those of `overlay`.

    Returns:
        HTML for a section of the report.

    Raises:
        ValueError: when there are not as many captions as pictures.

    Example:

    >>> image_grid([np.zeros((4, 4), "uint8")], ["black"]).count("<img")
    1
    """
    arrays = [np.asarray(picture) for picture in pictures]
    captions = [""] * len(arrays) if captions is None else list(captions)
    if len(captions) != len(arrays):
        raise ValueError(f"One caption for each picture. Received: {len(arrays)} pictures, {len(captions)} captions")
    figures = []
    for array, caption in zip(arrays, captions, strict=True):
        height, width = array.shape[:2]
        is_small = width < _SMALL
        figures.append(
            {"uri": data_uri(array), "caption": str(caption), "width": width, "height": height, "is_small": is_small}
        )
    widest = max((figure["width"] for figure in figures), default=0)
    wide = round(min(max(0.7 * widest, 180), 480))
    return render_template("image_grid.html", figures=figures, legend=legend_entries(legend), wide=wide)


def legend_entries(legend: Mapping[str, tuple[int, int, int] | np.ndarray] | None) -> list[dict[str, Any]]:
    """[{"text", "colour", "uri"}] of {text: (r, g, b) or a small uint8 picture}; what it is not is empty."""
    entries = []
    for text, one in (legend or {}).items():
        is_picture = np.ndim(one) > 1
        colour = "" if is_picture else f"rgb{tuple(int(c) for c in one)}"
        entries.append({"text": text, "colour": colour, "uri": data_uri(as_pixels(one)) if is_picture else ""})
    return entries
