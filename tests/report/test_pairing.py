"""Paired differences: the interval is that of SciPy's bootstrap, and other cases are refused."""

import numpy as np
import pytest
import scipy.stats

from kerasmith.report.pairing import Difference, NotPaired, differences

pytestmark = pytest.mark.host("numbers and text")

RNG = np.random.default_rng(5)
FIRST = [{"case": f"c{i}", "digest": "x", "dice": float(v)} for i, v in enumerate(RNG.uniform(0.5, 0.9, 40))]
SECOND = [{**row, "dice": row["dice"] + float(v)} for row, v in zip(FIRST, RNG.normal(0.02, 0.03, 40), strict=True)]


def test_mean_and_interval():
    found = differences(FIRST, SECOND[::-1])["dice"]
    change = np.array([b["dice"] - a["dice"] for a, b in zip(FIRST, SECOND, strict=True)])
    expected = scipy.stats.bootstrap((change,), np.mean, method="percentile", n_resamples=9999, rng=1).confidence_interval
    assert found.mean == pytest.approx(change.mean())
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=1e-3)
    assert found.cases == 40
    assert differences(SECOND, FIRST)["dice"].mean == pytest.approx(-found.mean)


def test_other_cases_or_other_data_are_refused():
    with pytest.raises(NotPaired, match=r"1 only in the first, 0 only in the second \(c0\)"):
        differences(FIRST, SECOND[1:])
    with pytest.raises(NotPaired, match=r"other data in 1 of 40 cases \(c0\)"):
        differences(FIRST, [{**SECOND[0], "digest": "y"}, *SECOND[1:]])


def test_cases_without_a_number_do_not_count():
    rows = [{**FIRST[0], "dice": float("nan")}, {"case": "c1", "digest": "x"}, *FIRST[2:]]
    assert differences(rows, SECOND)["dice"].cases == 38
    assert differences(FIRST[:1], SECOND[:1]) == {}


@pytest.mark.parametrize(
    ("difference", "direction", "sentence"),
    [
        (Difference(0.012, 0.004, 0.019, 9), "max", "B better by .012, .004 to .019"),
        (Difference(-0.012, -0.019, -0.004, 9), "max", "A better by .012, .004 to .019"),
        (Difference(-0.012, -0.019, -0.004, 9), "min", "B better by .012, .004 to .019"),
        (Difference(2.5, 1.0, 4.0, 9), None, "B higher by 2.500, 1.000 to 4.000"),
        (Difference(0.001, -0.004, 0.019, 9), "max", "no clear difference: .001, −.004 to .019"),
    ],
)
def test_sentences(difference, direction, sentence):
    assert difference.sentence("A", "B", direction) == sentence
