"""When two results are the same numbers, and two values the same values."""

import keras
import numpy as np
import pytest

from kerasmith.checks.engine.comparison import (
    EXACT,
    REPEATED,
    copied,
    differ,
    farthest,
    format_numbers,
    format_value,
    gap,
    same,
    same_setting,
)

NAN, INF = np.nan, np.inf


def test_numbers_differ_relative_to_the_largest():
    a = np.array([1000.0, 1.0])
    assert not differ([a], [a + 0.01])
    assert differ([a], [a + 1.0])
    assert differ([a], [a + 0.01], REPEATED)
    assert gap([np.array([100.0, 0.0])], [np.array([101.0, 0.0])]) == pytest.approx(1 / 101)


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ([NAN, INF], [NAN, INF], False),
        ([NAN, 1.0], [1.0, NAN], True),
        ([NAN, 1.0], [2.0, 1.0], True),
        ([INF, 1.0], [-INF, 1.0], True),
        ([0.0, 0.0], [0.0, 0.0], False),
    ],
)
def test_nan_is_equal_to_nan_only(first, second, apart):
    assert differ(np.array(first), np.array(second)) is apart
    assert (gap(np.array(first), np.array(second)) == INF) is apart
    assert differ(np.array(first), np.array(second), EXACT) is apart


def test_shapes_and_keys_must_agree():
    a = np.ones(2)
    assert gap([a], [np.ones(3)]) == INF
    assert differ([a], [a, a])
    assert differ([a], [a[:, None]])
    assert differ({"a": a}, {"b": a})
    assert not differ({"a": [a]}, {"a": (a,)})


def test_the_numbers_that_are_farthest_apart():
    assert farthest([np.array([1.0, 5.0])], [np.array([1.0, 7.0])]) == ("5", "7")
    assert farthest(np.array([NAN, 5.0]), np.array([1.0, 7.0])) == ("nan", "1")
    assert farthest([np.ones(2)], [np.ones(3)]) == ("shape (2,)", "shape (3,)")


def test_entries_of_a_config_that_are_the_same():
    assert same_setting({"a": [1, 2.5]}, {"a": (1, 2.5)})
    assert not same_setting({"a": 1}, {"b": 1})
    assert not same_setting([1], [1, 2])
    assert same_setting(np.ones(3), keras.ops.ones(3))
    assert not same_setting(np.ones(3), np.zeros(3))
    assert not same_setting("relu", "tanh")
    assert same_setting(float("nan"), float("nan"))
    assert same_setting(object(), object())


def test_values_of_a_training_that_are_the_same():
    assert same({1: [0.5, None]}, {1: [0.5 + 1e-7, None]})
    assert not same(0.5, 0.5 + 1e-7, EXACT)
    assert not same(object(), object())
    assert not same(None, 0.0)
    assert not same(keras.losses.MeanSquaredError(), keras.losses.MeanSquaredError())


def test_copies_do_not_follow():
    numbers, config = np.zeros(2), {"a": [1, {"b": 2}]}
    retained, of_config = copied([numbers, 1]), copied(config)
    numbers += 1
    config["a"][1]["b"] = 3
    assert same(retained, [np.zeros(2), 1], EXACT)
    assert not same(retained, [numbers, 1], EXACT)
    assert of_config == {"a": [1, {"b": 2}]}


def test_values_are_written_short():
    assert format_numbers(np.arange(6.0)) == "[0, 1, 2, 3, ...]"
    assert format_numbers(0.123456) == "0.1235"
    assert format_value([1, 2, 3, 4]) == "4 entries"
    assert len(format_value("x" * 100)) == 60
