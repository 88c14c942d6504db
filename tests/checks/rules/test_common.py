"""Helpers of the checks that every kind gets: the arguments of constructors, and what another process can import."""

import keras
import numpy as np
import pytest

from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import NotApplicable
from kerasmith.checks.engine.messages import first_line
from kerasmith.checks.engine.spec import parse
from kerasmith.checks.engine.subject import subject_of
from kerasmith.checks.rules.common.arguments import other_values, own_arguments, variations
from kerasmith.checks.rules.common.importable import origins
from kerasmith.checks.rules.losses.case import LossCase
from tests.support import fresh_process


class Powered(keras.losses.Loss):
    """Two arguments that show, one that does not on the inputs of the test, one without a neighbour."""

    def __init__(self, power=2.0, signed=False, most=1000.0, label=None, **kwargs):
        super().__init__(**kwargs)
        self.power, self.signed, self.most, self.label = power, signed, most, label

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        error = keras.ops.minimum(keras.ops.abs(error), self.most) ** self.power * (
            keras.ops.sign(error) if self.signed else 1.0
        )
        return keras.ops.mean(error, axis=-1)


class Cubed(Powered):
    def __init__(self, **kwargs):
        super().__init__(power=3.0, **kwargs)


def test_arguments_of_one_s_own_and_of_bases():
    assert [one.name for one in own_arguments(Powered)] == ["power", "signed", "most", "label"]
    assert {one.name for one in own_arguments(Cubed)} == {"power", "signed", "most", "label"}
    assert own_arguments(keras.layers.Flatten)[0].name == "data_format"


@pytest.mark.parametrize(
    ("value", "first"), [(True, [False]), (3, [4, 9, 2]), (0.5, [0.35, 0.85]), ((1, 2), [(2, 3)]), ({"a": 1.0}, [{"a": 0.65}])]
)
def test_values_like_a_value(value, first):
    assert other_values(value) == first


def test_values_without_neighbours():
    assert [other_values(value) for value in (None, "auto", [], np.ones(3), print)] == [[]] * 5


def test_a_variation_says_whether_it_shows():
    case = LossCase(subject_of(Powered), Contract())
    case.specs = {"y_true": parse("float32[4,3](-2,2)"), "y_pred": parse("float32[4,3](-2,2)")}
    assert {one.argument.name: (one.shows, one.retained) for one in variations(case)} == {
        "power": (True, True),
        "signed": (True, True),
        "most": (False, True),
    }


def test_what_no_other_process_can_import():
    class Local(keras.losses.Loss):
        pass

    with pytest.raises(NotApplicable, match="inside a function"):
        origins([Local])
    Main = type("Main", (keras.losses.Loss,), {"__module__": "__main__", "__qualname__": "Main"})
    with pytest.raises(NotApplicable, match="__main__ or a notebook"):
        origins([Main])
    (place,) = origins([Powered])
    assert (place["module"], place["name"], place["custom"]) == (__name__, "Powered", True)


def test_the_message_inside_a_message_of_keras():
    assert first_line(TypeError("Error when deserializing\n\nException encountered: no argument 'x'")) == "no argument 'x'"
    assert first_line(ValueError("")) == "(no message)"


@pytest.mark.skipif(keras.config.backend() == "tensorflow", reason="TensorFlow is the backend")
def test_tensorflow_stays_out():
    text = (
        "import sys, keras\n"
        "from kerasmith.keras_internals.without_tensorflow import without_tensorflow\n"
        "with without_tensorflow(keras.config.backend()):\n"
        "    keras.utils.set_random_seed(7)\n"
        "    keras.saving.serialize_keras_object(keras.layers.Dense(2, kernel_initializer='zeros'))\n"
        "print('tensorflow' in sys.modules)\n"
    )
    assert fresh_process.run(text).split() == ["False"]
