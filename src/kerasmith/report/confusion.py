"""A confusion matrix as a shaded table and as a picture."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw, ImageFont

from kerasmith.report.palette import BAD, GOOD
from kerasmith.report.templating import Markup, render_template


def confusion_table(matrix: ArrayLike, class_names: Sequence[str] | None = None) -> Markup:
    """An HTML picture of a confusion matrix: rows are the truth, columns the prediction, shading the share of the row.

    Args:
        matrix: (C, C) counts, entry (t, p) = samples of true class t predicted as p.
        class_names: C texts; 0, 1, 2, ... by default.

    Raises:
        ValueError: when the matrix is not square or the names do not fit.

    Example:

    >>> confusion_table([[8, 2], [1, 9]], ["cell", "debris"]).count("<td")
    4
    """
    counts, shares = _with_shares(matrix)
    names = [str(i) for i in range(len(counts))] if class_names is None else [str(n) for n in class_names]
    if len(names) != len(counts):
        raise ValueError(f"One name for each of the {len(counts)} classes. Received: class_names={names}")
    if np.issubdtype(counts.dtype, np.floating) and np.all(counts == np.round(counts)):
        counts = counts.astype("int64")
    rows = []
    for t, name in enumerate(names):
        cells = [
            {
                "percent": f"{100 * shares[t, p]:.1f}",
                "is_right": t == p,
                "note": f"{name} predicted as {other}: {shares[t, p]:.1%} of {name}",
                "count": f"{counts[t, p]:,}" if isinstance(counts[t, p], np.integer) else f"{counts[t, p]:,.2f}",
            }
            for p, other in enumerate(names)
        ]
        rows.append((name, cells))
    return render_template("confusion.html", names=names, rows=rows)


def confusion_image(matrix: ArrayLike) -> np.ndarray:
    """The same as pixels, for where no HTML is shown: rows are the truth, columns the prediction, classes in order.

    Args:
        matrix: (C, C) counts.

    Returns:
        (H, W, 3) uint8; the counts are written into the cells of up to 24 classes.

    >>> confusion_image([[8, 2], [1, 9]]).shape
    (130, 130, 3)
    """
    counts, shares = _with_shares(matrix)
    cell = max(4, min(64, 960 // len(counts)))
    side = len(counts) * (cell + 2) - 2
    picture = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(max(10, cell // 4))
    for t, p in np.ndindex(counts.shape):
        left, top = p * (cell + 2), t * (cell + 2)
        hue, share = np.array(GOOD if t == p else BAD), 0.08 + 0.92 * shares[t, p]
        colour = (255 + (hue - 255) * share).round().astype(int) if counts[t, p] else (244, 245, 246)
        draw.rectangle((left, top, left + cell - 1, top + cell - 1), fill=tuple(map(int, colour)))
        text = short_count(counts[t, p])
        if cell >= 40 and draw.textlength(text, font) <= cell - 4:
            ink = "white" if shares[t, p] > 0.5 else (28, 32, 36)
            draw.text((left + cell / 2, top + cell / 2), text, fill=ink, font=font, anchor="mm")
    return np.asarray(picture)


def short_count(value: float) -> str:
    """A count >= 0 in at most four letters, five from 1,000 million on.

    >>> [short_count(n) for n in (0, 9999, 12345, 2_500_000, 0.25, 31.5)]
    ['0', '9999', '12k', '2.5M', '0.25', '31.5']
    """
    value = float(value)
    if value != round(value) and value < 100:
        return f"{value:.3g}"[:4]
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= 9999.5 and value >= 0.9995 * size:
            return (f"{value / size:.1f}" if value < 9.95 * size else f"{value / size:.0f}") + letter
    return f"{value:.0f}"


def _with_shares(matrix: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The matrix, and the share of its row that each entry has."""
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(f"A confusion matrix has the shape (classes, classes). Received: shape={counts.shape}")
    totals = counts.sum(axis=1, keepdims=True)
    return counts, np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
