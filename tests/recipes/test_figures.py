import io
import math

import pytest
from rich.console import Console

from kerasmith.recipes.demo_run import epochs_or
from kerasmith.recipes.figures import Figure, page_table, terminal_table

pytestmark = pytest.mark.host("tables of numbers")

FIGURES = [Figure("Dice", 0.953, 0.949), Figure("error", 0.00123, 0.02, smaller_is_better=True), Figure("objects", "3 found")]


def test_better_is_greater_or_smaller_and_nothing_for_nan():
    assert [figure.is_better for figure in FIGURES] == [True, True, None]
    assert not Figure("Dice", math.nan, 0.1).is_better
    assert not Figure("error", math.nan, 0.1, smaller_is_better=True).is_better
    assert not Figure("Dice", 0.5, 0.5).is_better


def test_the_tables_show_both_figures():
    text = io.StringIO()
    Console(file=text, width=80).print(terminal_table(FIGURES, title="held out", simple="prototype"))
    page = page_table(FIGURES, simple="prototype", caption="About it.")
    for word in ("Dice", "0.953", "0.949", "0.00123", "3 found", "prototype"):
        assert word in text.getvalue()
        assert word in page


def test_epochs_are_whole_numbers():
    assert epochs_or(None, 12) == 12
    assert epochs_or(3, 12) == 3
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match=f"epochs={wrong}"):
            epochs_or(wrong, 12)
