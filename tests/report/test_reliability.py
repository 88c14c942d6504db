"""The reliability diagram holds what it was given."""

import numpy as np
import pytest

from kerasmith.report.reliability import reliability_chart
from tests.report.html_checks import plots, values_of

pytestmark = pytest.mark.host("draws and writes from numbers and text")


def test_bars_have_the_heights_of_the_numbers():
    accuracy = [0.0, 0.25, 1.0, np.nan]
    chart = reliability_chart([0, 0.1, 0.5, 0.9, 1], [0.05, 0.5, 0.8, np.nan], accuracy, [3, 5, 10, 0], title="a < b")
    (found,) = plots(chart)
    assert values_of(found, "how often right") == [0, 0.25, 1, None]
    assert values_of(found, "mean confidence") == [0.05, 0.5, 0.8, None]
    assert values_of(found, "share of cases") == pytest.approx([3 / 18, 5 / 18, 10 / 18, 0])
    assert found["series"][0]["bars"] == [[0, 0.1], [0.1, 0.5], [0.5, 0.9], [0.9, 1]]
    # (5 x .25 + 10) / 18 and (3 x .05 + 5 x .5 + 10 x .8) / 18
    assert "18 cases: right 0.6250, mean confidence 0.5917" in chart


def test_no_cases_says_so():
    assert "no cases" in reliability_chart([0, 1], [np.nan], [np.nan], [0])


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"edges=2, confidence=2"):
        reliability_chart([0, 1], [0, 1], [0, 1], [1, 1])
    with pytest.raises(ValueError, match="must ascend"):
        reliability_chart([0, 0.5, 0.5], [0, 1], [0, 1], [1, 1])
