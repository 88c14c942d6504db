"""What a run shows: numbers and pictures turned into one self-contained HTML page.

Pure functions from data to text and bytes. They need NumPy and the standard library only, import nothing else of
kerasmith, and never load anything from a network.
"""

from kerasmith.base.direction import direction_of
from kerasmith.report.confusion import confusion_table
from kerasmith.report.curves import line_chart
from kerasmith.report.environment import environment
from kerasmith.report.gradient_chart import gradient_chart, gradient_picture, gradient_section
from kerasmith.report.image_grid import gallery
from kerasmith.report.markup import Markup
from kerasmith.report.overlays import AGREEMENT, PREDICTION, TRUTH, overlay
from kerasmith.report.page import Section, render
from kerasmith.report.pixels import stretched
from kerasmith.report.png import data_uri, encode_png
from kerasmith.report.reliability import reliability_chart
from kerasmith.report.tables import key_value_table, table

__all__ = [
    "AGREEMENT",
    "PREDICTION",
    "TRUTH",
    "Markup",
    "Section",
    "confusion_table",
    "data_uri",
    "direction_of",
    "encode_png",
    "environment",
    "gallery",
    "key_value_table",
    "gradient_chart",
    "gradient_picture",
    "gradient_section",
    "line_chart",
    "overlay",
    "reliability_chart",
    "render",
    "stretched",
    "table",
]
