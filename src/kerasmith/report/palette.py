"""The colours of charts and pictures, readable with every common colour blindness.

Light set after Okabe and Ito (2008), "Color Universal Design"; the dark set keeps the hues and raises the lightness.
A chart knows a colour by its number; the style sheet of the page has `--series-1` to `--series-8`.
"""

LIGHT = ("#0072b2", "#d55e00", "#00876a", "#a2397b", "#c98a00", "#3f9fdb", "#6b7280", "#7a4b2a")
DARK = ("#5ab4f0", "#ff9457", "#38cfa3", "#e58ac0", "#f2c14e", "#9bd8ff", "#a9b2c0", "#d1a283")

GOOD, BAD = (0, 135, 106), (213, 94, 0)
"""For pixels; the style sheet has them a little darker as --good and --bad, for letters on white."""
