"""A confusion matrix as a shaded table."""

import numpy as np

from kerasmith.report.markup import Markup, escape


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
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"A confusion matrix has the shape (classes, classes). Received: shape={matrix.shape}")
    names = [str(i) for i in range(len(matrix))] if class_names is None else [str(n) for n in class_names]
    if len(names) != len(matrix):
        raise ValueError(f"One name for each of the {len(matrix)} classes. Received: class_names={names}")
    if np.issubdtype(matrix.dtype, np.floating) and np.all(matrix == np.round(matrix)):
        matrix = matrix.astype("int64")
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
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


def _count(value):
    return f"{value:,}" if isinstance(value, np.integer) else f"{value:,.2f}"
