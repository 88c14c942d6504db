"""The reliability diagram holds what it was given and parses as SVG."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from kerasmith.report.reliability import reliability_chart

pytestmark = pytest.mark.host("draws and writes from numbers and text")

NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_bars_have_the_heights_of_the_numbers():
    accuracy = [0.0, 0.25, 1.0, np.nan]
    chart = reliability_chart([0, 0.1, 0.5, 0.9, 1], [0.05, 0.5, 0.8, np.nan], accuracy, [3, 5, 10, 0], title="a < b")
    bins = [g for g in ElementTree.fromstring(chart).iter(f"{NAMESPACE}g") if g.get("class") == "bin"]
    assert len(bins) == 4
    heights = []
    for group in bins[:3]:
        strip, bar, gap = group.findall(f"{NAMESPACE}rect")
        heights.append((float(strip.get("height")), float(bar.get("height")), float(gap.get("height"))))
    strips, bars, gaps = np.transpose(heights)
    np.testing.assert_allclose(strips / strips[2], [0.3, 0.5, 1], atol=1e-2)
    np.testing.assert_allclose(bars / bars[2], accuracy[:3], atol=1e-2)
    np.testing.assert_allclose(gaps / bars[2], [0.05, 0.25, 0.2], atol=1e-2)
    assert len(bins[3].findall(f"{NAMESPACE}rect")) == 1
    assert "0 cases" in bins[3].find(f"{NAMESPACE}title").text
    assert "right 0.2500" in bins[1].find(f"{NAMESPACE}title").text


def test_no_cases_says_so():
    assert "no cases" in reliability_chart([0, 1], [np.nan], [np.nan], [0])


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"edges=2, confidence=2"):
        reliability_chart([0, 1], [0, 1], [0, 1], [1, 1])
    with pytest.raises(ValueError, match="must ascend"):
        reliability_chart([0, 0.5, 0.5], [0, 1], [0, 1], [1, 1])
