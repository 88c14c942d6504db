"""What a run shows: numbers and pictures turned into one self-contained HTML page.

Pure functions from data to text and bytes. They need NumPy, Pillow and Jinja2 and never load anything from a
network. Templates and the style sheet are in `templates`.
"""

from collections.abc import Callable

from kerasmith._moved import renamed
from kerasmith.base.direction import direction_of
from kerasmith.report._environment import environment
from kerasmith.report._gradient_chart import gradient_chart, gradient_page, gradient_section
from kerasmith.report._image_grid import image_grid
from kerasmith.report.case_pictures import CasePicture, chosen_cases
from kerasmith.report.confusion import confusion_table
from kerasmith.report.curves import line_chart
from kerasmith.report.field_picture import draw_field
from kerasmith.report.overlays import AGREEMENT, PREDICTION, TRUTH, overlay
from kerasmith.report.page import Section, render
from kerasmith.report.pixels import data_uri, encode_png, stretched
from kerasmith.report.reliability import reliability_chart
from kerasmith.report.tables import key_value_table, table
from kerasmith.report.templating import Markup

__all__ = [
    "AGREEMENT",
    "PREDICTION",
    "TRUTH",
    "CasePicture",
    "Markup",
    "Section",
    "chosen_cases",
    "confusion_table",
    "data_uri",
    "direction_of",
    "draw_field",
    "encode_png",
    "environment",
    "gradient_chart",
    "gradient_page",
    "gradient_section",
    "image_grid",
    "key_value_table",
    "line_chart",
    "overlay",
    "reliability_chart",
    "render",
    "stretched",
    "table",
]

__getattr__: Callable[[str], object] = renamed("kerasmith.report", {"gallery": "image_grid"})


def __dir__() -> list[str]:
    return __all__
