"""Pictures side by side with captions and a colour legend."""

import numpy as np

from kerasmith.report.markup import Markup, element, escape
from kerasmith.report.overlays import AGREEMENT, PREDICTION, TRUTH
from kerasmith.report.png import data_uri

OVERLAY_LEGEND = {"agrees": AGREEMENT, "truth only (missed)": TRUTH, "prediction only (invented)": PREDICTION}

_SMALL = 400
"""Narrower pictures are enlarged on the page, pixel by pixel; wider ones are smoothed when they shrink."""


def gallery(pictures, captions=None, legend=None):
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

    >>> gallery([np.zeros((4, 4), "uint8")], ["black"]).count("<img")
    1
    """
    pictures = list(pictures)
    captions = [""] * len(pictures) if captions is None else list(captions)
    if len(captions) != len(pictures):
        raise ValueError(f"One caption for each picture. Received: {len(pictures)} pictures, {len(captions)} captions")
    figures, widest = [], 0
    for picture, caption in zip(pictures, captions, strict=True):
        height, width = np.shape(picture)[:2]
        kind = "small" if width < _SMALL else None
        image = element("img", src=data_uri(picture), alt=str(caption) or "picture", width=width, height=height, class_=kind)
        widest = max(widest, width)
        figures.append(element("figure", image, element("figcaption", caption) if caption else ""))
    wide = f"--wide:{min(max(0.7 * widest, 180), 480):.0f}px"
    return Markup(_legend(legend or {}) + f'<div class="gallery" style="{wide}">{"".join(figures)}</div>')


def _legend(legend):
    items = [
        f'<span><i style="background:rgb{tuple(int(c) for c in colour)}"></i>{escape(text)}</span>'
        for text, colour in legend.items()
    ]
    return f'<p class="legend">{"".join(items)}</p>' if items else ""
