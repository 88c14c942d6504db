"""What a component keeps in Python is found wherever it is, and can be put back."""

import collections
import functools

import keras
import numpy as np
import pytest

from kerasmith.checks.harness.attributes import reached_from, variables_in


class Helper:
    def __init__(self, value):
        self.value = value


def closure(value):
    return lambda x: x * value


class Part(keras.layers.Layer):
    def __init__(self, held):
        super().__init__()
        self.held = held


ARRAY = np.arange(3.0)


@pytest.mark.parametrize(
    ("held", "path"),
    [
        (ARRAY, "self.held"),
        ([1, ARRAY], "self.held[1]"),
        ({"a": ARRAY}, "self.held['a']"),
        (collections.deque([ARRAY]), "self.held[0]"),
        (Helper(ARRAY), "self.held.value"),
        (Helper([Helper(ARRAY)]), "self.held.value[0].value"),
        (closure(ARRAY), "self.held['value']"),
        (functools.partial(np.add, ARRAY), "self.held['args'][0]"),
        (Helper(ARRAY).__init__, "self.held['__self__'].value"),
    ],
)
def test_an_array_is_found_and_put_back(held, path):
    layer = Part(held)
    (place,) = [place for place in reached_from(layer) if place.value is ARRAY]
    assert place.path == path
    if place.holder is not None:
        place.put(5.0)
        assert 5.0 in [again.value for again in reached_from(layer) if again.path == path]


def test_what_keras_keeps_is_left_out():
    layer = Part(None)
    layer.build((2, 3))
    assert [place.path for place in reached_from(layer)] == ["self.held"]
    assert reached_from(keras.metrics.Metric(), "metric") == []


def test_a_cycle_ends():
    first, second = Helper(None), Helper(None)
    first.value, second.value = second, first
    assert len(reached_from(Part(first))) == 2


def test_layers_and_metrics_are_not_looked_into_unless_it_is_asked():
    class Outer(keras.metrics.Metric):
        def __init__(self):
            super().__init__()
            self.inner = keras.metrics.Mean()

    outer = Outer()
    assert variables_in(reached_from(outer)) == []
    found = variables_in(reached_from(outer, enter=(keras.metrics.Metric,)))
    assert [path for path, _ in found] == ["self.inner.total", "self.inner.count"]
