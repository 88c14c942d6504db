"""Weights of an objective's terms in the report: one chart, and neither more nor less is better."""

import pytest

from kerasmith.base.direction import direction_of, directions_of
from kerasmith.report.training import headline, training_sections
from tests.report.html_checks import plots

pytestmark = pytest.mark.host("draws and writes from numbers and text")

ROWS = [
    {"epoch": 1, "loss": 1.0, "dice": 0.7, "dice_weight": 1.0, "edges": 3.0, "edges_weight": 0.5, "val_edges_weight": 0.5},
    {"epoch": 2, "loss": 0.8, "dice": 0.6, "dice_weight": 1.2, "edges": 2.0, "edges_weight": 0.3, "val_edges_weight": 0.3},
]


class Mean:
    def __init__(self, name):
        self.name, self._direction = name, "down"


class Weight:
    direction = None

    def __init__(self, name):
        self.name = name


KNOWN = directions_of([Mean("dice"), Weight("dice_weight"), Mean("edges"), Weight("edges_weight")])


def test_a_weight_has_no_direction_although_its_term_has():
    assert KNOWN == {"dice": "min", "dice_weight": None, "edges": "min", "edges_weight": None}
    assert direction_of("val_dice_weight", KNOWN) is None
    assert direction_of("val_dice", KNOWN) == "min"


def test_weights_share_one_chart():
    html = str(training_sections(ROWS, KNOWN)[-1].html)
    assert [plot["title"] for plot in plots(html)] == ["loss", "dice", "edges", "weights of the terms"]
    assert "dice_weight" not in html


def test_weights_are_no_headline():
    assert list(headline(ROWS, KNOWN)) == ["best loss", "best dice", "best edges"]


def test_a_weight_of_something_else_keeps_its_chart():
    rows = [{"epoch": 1, "body_weight": 70.0}, {"epoch": 2, "body_weight": 71.0}]
    html = str(training_sections(rows, {})[-1].html)
    assert "body_weight" in html
    assert "weights of the terms" not in html
