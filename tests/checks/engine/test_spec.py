"""Inputs written as text."""

import numpy as np
import pytest

from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.engine.spec import Spec, parse

pytestmark = pytest.mark.host("parses text and draws with NumPy")

TEXTS = (
    "float32[4,16,16,1](0,1)",
    "int32[4]{0,9}",
    "float32[8,5]simplex",
    "float32[8,5]onehot",
    "float32[3,2]",
    "bool[4,6]",
    "float16[2](-1.5,2)",
)


@pytest.mark.parametrize("text", TEXTS)
def test_text_survives_the_round_trip(text):
    assert str(parse(text)) == text
    assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize("text", TEXTS)
def test_draws_have_dtype_and_shape_and_repeat(text):
    spec = parse(text)
    array = spec.draw(3)
    assert array.dtype == np.dtype(spec.dtype)
    assert array.shape == spec.shape
    np.testing.assert_array_equal(array, spec.draw(3))
    assert not np.array_equal(parse("float32[50](0,1)").draw(3), parse("float32[50](0,1)").draw(4))


def test_draws_stay_in_their_domain():
    assert set(np.unique(parse("int32[500]{2,4}").draw(0))) == {2, 3, 4}
    inside = parse("float32[500](-2,3)").draw(0)
    assert inside.min() > -2
    assert inside.max() < 3
    rows = parse("float32[20,4]simplex").draw(0)
    assert rows.min() >= 0
    np.testing.assert_allclose(rows.sum(-1), 1, rtol=1e-5)
    hot = parse("float32[20,4]onehot").draw(0)
    assert set(np.unique(hot)) == {0, 1}
    np.testing.assert_array_equal(hot.sum(-1), 1)


def test_code_draws_the_same_array():
    spec = parse("float32[4,3](-2,2)")
    np.testing.assert_array_equal(eval(spec.code(11), {"np": np}), spec.draw(11))


def test_another_number_of_samples():
    assert parse("float32[4,3]").with_batch(7).draw(0).shape == (7, 3)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array([0.0, 1.0, 1.0], "float32"), "float32[3]{0,1}"),
        (np.array([0.1, 0.9], "float32"), "float32[2](0,1)"),
        (np.eye(3, dtype="float32"), "float32[3,3]onehot"),
        (np.full((2, 4), 0.25, "float32"), "float32[2,4]simplex"),
        (np.array([3, 7]), "int64[2]{3,7}"),
        (np.array([True, False]), "bool[2]"),
    ],
)
def test_an_array_is_described(array, text):
    assert str(parse(array)) == text


def test_a_spec_is_itself():
    spec = Spec("float32", (2,), None)
    assert parse(spec) is spec


@pytest.mark.parametrize(
    "text", ["float32", "float32[]", "float32[4](1,0)", "float99[4]", "float32[0]", "[4]", 5, None, "float32[4]("]
)
def test_what_cannot_be_read_is_refused_with_an_example(text):
    with pytest.raises(CannotCheck, match=r"float32\[4,16,16,1\]\(0,1\).*Received: "):
        parse(text)


def test_an_array_without_numbers_is_refused():
    with pytest.raises(CannotCheck, match="array of numbers"):
        parse(np.array(["a"]))
