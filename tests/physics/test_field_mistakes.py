"""What a field refuses, and what it says."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.physics import Field, divergence, laplacian
from tests.physics.networks import X, network


def _product(p):
    return p[:, 0] * p[:, 1]


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (
            lambda f: f.d("xy"),
            r"no derivative 'xy'. The coordinates are 'x', 't'; there are f.d\('x'\), f.d\('t'\), f.d\('xx'\)",
        ),
        (lambda f: f.d(""), "no derivative ''"),
        (lambda f: f.d("xxxxx"), "up to order 4. Received: 'xxxxx', of order 5"),
        (lambda f: f.d(2), "named by a text"),
        (lambda f: f.d("x", "v"), "no output 'v'. The outputs are: 'u'"),
        (lambda f: f.v, "no 'v'. Its outputs are: 'u'"),
        (lambda f: f["y"], "no coordinate 'y'. The coordinates are: 'x', 't'"),
    ],
)
@pytest.mark.host("names are read before anything is computed")
def test_unknown_names(ask, says):
    with pytest.raises((ValueError, TypeError, AttributeError, KeyError), match=says):
        ask(Field(_product, X))


@pytest.mark.host("shapes are read before anything is computed")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Field(_product, X, names="xyz"), "each of the 2 inputs, and names 3"),
        (lambda: Field(_product, X, names="xx"), "different names"),
        (lambda: Field(_product, X, names=3), "string of letters"),
        (lambda: Field(_product, X, outputs="uv"), "each of the 1 outputs, and names 2"),
        (lambda: Field("u", X), "function of the coordinates or a Keras model"),
        (lambda: Field(_product, X.astype("int32")), "must be floating point numbers"),
        (lambda: Field(_product, np.zeros((4, 2, 2), "float32")), r"shape \(points, axes\).*\(4, 2, 2\)"),
        (lambda: Field(lambda p: ops.sum(p), X), r"returned shape \(\) for 24 points"),
        (lambda: Field(lambda p: p[:5, 0], X), r"returned shape \(5,\) for 24 points"),
        (lambda: Field(lambda p: None, X), "returned None"),
        (lambda: Field(lambda p: p[:, :1] * p[:, 1], X), r"shape \(24, 24\) for 24 points: a tensor of shape \(24,\) has met"),
        (lambda: divergence(Field(_product, X, names="xy")), "one output for each coordinate"),
        (lambda: Field(lambda p: p * p, X).d("x"), "There are 2 outputs. Name the one that you mean: positions 0 to 1"),
        (lambda: Field(lambda p: p[0], {"a": X[:, 0], "b": X[:3, 0]}), r"one row for each point.*\(24,\), \(3,\)"),
    ],
)
def test_shapes_and_types(make, says):
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_a_coordinate_that_nothing_depends_on():
    f = Field(lambda p: ops.sin(p[:, 0]), X)
    f.d("xx")
    with pytest.raises(ValueError, match="Nothing depends on the coordinate 't'"):
        f.d("t")
    with pytest.raises(ValueError, match="Nothing depends on the coordinate 't'"):
        f.d("xt")
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(3, activation="relu")(inputs[:, 1:])))
    with pytest.raises(ValueError, match="Nothing depends on the coordinate 'x'"):
        Field(model, X).d("x")


@pytest.mark.host("a constant is no derivative; the same code on each backend")
def test_zero_slopes_that_are_no_mistake():
    Field(lambda p: p[:, 0] + ops.relu(p[:, 1] - 5), X).d("t")  # flat here, not elsewhere
    model = network()
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    assert not np.any(ops.convert_to_numpy(ops.stop_gradient(Field(model, X).d("t"))))


def test_statistics_of_the_batch():
    inputs = keras.Input((2,))
    normal = keras.layers.BatchNormalization(name="norm")
    model = keras.Model(inputs, keras.layers.Dense(1)(normal(keras.layers.Dense(3, activation="tanh")(inputs))))
    Field(model, X).d("x")
    with pytest.raises(ValueError, match="'norm' normalises with the statistics of the batch"):
        Field(model, X, training=True)
    normal.trainable = False
    Field(model, X, training=True).d("x")


def test_dropout_is_the_same_in_values_and_derivatives():
    """A linear model: u = x du/dx holds for one mask, not for two."""
    inputs = keras.Input((1,))
    hidden = keras.layers.Dropout(0.5, seed=3)(keras.layers.Dense(64, use_bias=False)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(hidden))
    f = Field(model, X[:, :1], names="x", training=True)
    found, slope = (ops.convert_to_numpy(ops.stop_gradient(part)) for part in (f.u, f.d("x")))
    assert np.ptp(slope) > 0.01
    np.testing.assert_allclose(found, slope * X[:, 0], atol=1e-5)


def test_axes_without_names_are_said_to_be_space_and_time():
    x = np.ones((3, 2), "float32")
    with pytest.warns(UserWarning, match="taken for time"):
        second = laplacian(Field(lambda x: x[:, 0] ** 2 + x[:, 1] ** 2, x))
    assert [float(v) for v in second] == [2, 2, 2]
    assert [float(v) for v in Field(lambda x: x[:, 0] ** 2, x[:, :1]).d("x")] == [2, 2, 2]
