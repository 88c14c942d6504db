"""Ticks stand at round numbers, inside the axis."""

import math

import pytest

from kerasmith.report.numbers import format_duration, format_number
from kerasmith.report.ticks import linear_ticks, log_ticks

pytestmark = pytest.mark.host("draws and writes from numbers and text")


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.913, 0.957), (-3.2, 8.1), (1e-7, 3e-7), (0, 123456), (4.99, 5.01), (-1e9, 2e9)]
)
def test_linear_ticks_are_round_even_and_inside(low, high):
    positions, labels = linear_ticks(low, high)
    assert 3 <= len(positions) <= 7
    assert len(set(labels)) == len(labels)
    assert all(low - 1e-9 * abs(low) <= p <= high * (1 + 1e-9) for p in positions)
    step = positions[1] - positions[0]
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - m) for m in (1, 2, 5)) < 1e-6
    assert [float(label) for label in labels] == pytest.approx(positions, rel=1e-2)


def test_epochs_have_whole_ticks():
    assert linear_ticks(1, 3, 8, whole=True)[1] == ["1", "2", "3"]
    assert linear_ticks(1, 30, 8, whole=True)[1] == ["5", "10", "15", "20", "25", "30"]


@pytest.mark.parametrize(("low", "high"), [(1e-5, 1e-2), (0.011, 0.7), (2.1, 2.9), (1e-30, 1e30)])
def test_log_ticks_are_positive_ascending_inside_and_few(low, high):
    positions, labels = log_ticks(low, high)
    assert 2 <= len(positions) <= 8
    assert len(set(labels)) == len(labels)
    assert positions == sorted(positions)
    assert all(low * (1 - 1e-6) <= p <= high * (1 + 1e-6) for p in positions)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.94876, "0.9488"),
        (1.0, "1.0000"),
        (12.3456, "12.35"),
        (0.0123456, "0.0123"),
        (1234.56, "1,234.6"),
        (123456.7, "123,457"),
        (276481, "276,481"),
        (1.5e-5, "1.5e-05"),
        (-0.5, "-0.5000"),
        (0.0, "0"),
        (float("nan"), "NaN"),
        (float("-inf"), "−∞"),
        (True, "yes"),
        (None, "–"),
        ("text", "text"),
    ],
)
def test_numbers(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.96, "10 s"), (59.7, "1 min 00 s"), (185, "3 min 05 s"), (7200, "2 h 00 min"), (None, "–")],
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text
