"""Pictures side by side with captions and a colour legend."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from kerasmith.report.overlays import AGREEMENT, PREDICTION, TRUTH
from kerasmith.report.pixels import data_uri
from kerasmith.report.templating import Markup, render_template

OVERLAY_LEGEND = {"agrees": AGREEMENT, "truth only (missed)": TRUTH, "prediction only (invented)": PREDICTION}

_SMALL = 400
"""Narrower pictures are enlarged on the page, pixel by pixel; wider ones are smoothed when they shrink."""


def image_grid(
    pictures: Iterable[ArrayLike],
    captions: Iterable[str] | None = None,
    legend: Mapping[str, tuple[int, int, int]] | None = None,
) -> Markup:
    """HTML figures of the pictures, several in a row where there is room.

    Args:
        pictures: uint8 arrays, (H, W) or (H, W, 3).
        captions: one text for each picture.
        legend: {text: (r, g, b)}; `OVERLAY_LEGEND` explains the colours of `overlay`.

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
    colours = [(text, tuple(int(c) for c in colour)) for text, colour in (legend or {}).items()]
    return render_template("image_grid.html", figures=figures, legend=colours, wide=round(min(max(0.7 * widest, 180), 480)))
