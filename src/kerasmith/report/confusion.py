"""A confusion matrix as a shaded table."""

import numpy as np

from kerasmith.report.digits import short_count, write_into
from kerasmith.report.markup import Markup, escape
from kerasmith.report.palette import BAD, GOOD


def confusion_table(matrix, class_names=None):
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
    matrix, shares = _with_shares(matrix)
    names = [str(i) for i in range(len(matrix))] if class_names is None else [str(n) for n in class_names]
    if len(names) != len(matrix):
        raise ValueError(f"One name for each of the {len(matrix)} classes. Received: class_names={names}")
    if np.issubdtype(matrix.dtype, np.floating) and np.all(matrix == np.round(matrix)):
        matrix = matrix.astype("int64")
    head = "".join(f'<th scope="col" class="number">{escape(name)}</th>' for name in names)
    body = []
    for t, name in enumerate(names):
        cells = []
        for p in range(len(names)):
            hue = "--good" if t == p else "--bad"
            style = f"--share:{100 * shares[t, p]:.1f}%;--hue:var({hue})"
            note = f"{name} predicted as {names[p]}: {shares[t, p]:.1%} of {name}"
            cells.append(f'<td class="number share" style="{style}" title="{escape(note)}">{_count(matrix[t, p])}</td>')
        body.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    corner = '<th scope="col">truth ↓ prediction →</th>'
    return Markup(
        f'<div class="scroll"><table class="confusion"><thead><tr>{corner}{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def confusion_image(matrix):
    """The same as pixels, for where no HTML is shown: rows are the truth, columns the prediction, classes in order.

    Args:
        matrix: (C, C) counts.

    Returns:
        (H, W, 3) uint8; the counts are written into the cells of up to 24 classes.

    >>> confusion_image([[8, 2], [1, 9]]).shape
    (130, 130, 3)
    """
    matrix, shares = _with_shares(matrix)
    count = len(matrix)
    cell = max(4, min(64, 960 // count))
    picture = np.full((count * (cell + 2) - 2, count * (cell + 2) - 2, 3), 255, np.uint8)
    for t, p in np.ndindex(matrix.shape):
        top, left = t * (cell + 2), p * (cell + 2)
        hue, share = np.array(GOOD if t == p else BAD), 0.08 + 0.92 * shares[t, p]
        colour = (255 + (hue - 255) * share).round() if matrix[t, p] else (244, 245, 246)
        picture[top : top + cell, left : left + cell] = colour
        if cell >= 40:
            ink = (255, 255, 255) if shares[t, p] > 0.5 else (28, 32, 36)
            inside = picture[top : top + cell, left : left + cell]
            write_into(inside, short_count(matrix[t, p]), cell / 2, cell / 2, ink, scale=max(2, cell // 16))
    return picture


def _with_shares(matrix):
    """The matrix, and the share of its row that each entry has."""
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"A confusion matrix has the shape (classes, classes). Received: shape={matrix.shape}")
    totals = matrix.sum(axis=1, keepdims=True)
    return matrix, np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)


def _count(value):
    return f"{value:,}" if isinstance(value, np.integer) else f"{value:,.2f}"
