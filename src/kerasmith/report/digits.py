"""Numbers written into pictures, without a font."""

import numpy as np

# Five rows of three pixels, each row as an octal digit.
_GLYPHS = {
    "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717", "6": "74757", "7": "71111",
    "8": "75757", "9": "75717", ".": "00002", "k": "45655", "M": "57755",
}  # fmt: skip


def written(text):
    """(5, 4 n - 1) booleans, the text of n digits, dots, `k` and `M` in letters of 3 x 5 pixels.

    >>> written("1").astype(int).tolist()
    [[0, 1, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0], [1, 1, 1]]
    """
    columns = []
    for letter in text:
        rows = [[int(digit) >> bit & 1 for bit in (2, 1, 0)] for digit in _GLYPHS[letter]]
        columns += [np.array(rows, bool), np.zeros((5, 1), bool)]
    return np.concatenate(columns[:-1], axis=1)


def short_count(value):
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


def write_into(picture, text, row, column, colour, scale=2):
    """Writes a text into an RGB picture, centred at (row, column); leaves the picture as it is where it does not fit.

    Args:
        picture: (H, W, 3) uint8, changed.
        text: see `written`.
        row, column: the middle of the text.
        colour: (r, g, b).
        scale: pixels of the picture for one of a letter.
    """
    mask = written(text).repeat(scale, axis=0).repeat(scale, axis=1)
    top, left = round(row - mask.shape[0] / 2), round(column - mask.shape[1] / 2)
    if top < 0 or left < 0 or top + mask.shape[0] > picture.shape[0] or left + mask.shape[1] > picture.shape[1]:
        return
    picture[top : top + mask.shape[0], left : left + mask.shape[1]][mask] = colour
