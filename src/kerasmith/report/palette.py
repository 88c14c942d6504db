"""The colours of charts and pictures, readable with every common colour blindness.

Light set after Okabe and Ito (2008), "Color Universal Design"; the dark set keeps the hues and raises the lightness.
A chart writes `var(--series-1, #0072b2)`: the page's style sheet decides, and a chart alone still has its colours.
"""

LIGHT = ("#0072b2", "#d55e00", "#00876a", "#a2397b", "#c98a00", "#3f9fdb", "#6b7280", "#7a4b2a")
DARK = ("#5ab4f0", "#ff9457", "#38cfa3", "#e58ac0", "#f2c14e", "#9bd8ff", "#a9b2c0", "#d1a283")

GOOD, BAD = (0, 135, 106), (213, 94, 0)
"""What the style sheet calls --good and --bad, for pixels."""

INK = "var(--ink, #1c2024)"
SOFT = "var(--soft, #687076)"
GRID = "var(--grid, #e6e8eb)"
GROUND = "var(--card, #ffffff)"


def series_colour(index: int) -> str:
    """The CSS colour of series number `index`; colours repeat after eight."""
    index %= len(LIGHT)
    return f"var(--series-{index + 1}, {LIGHT[index]})"
