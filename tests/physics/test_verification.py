"""verify: errors against known solutions, and finite differences that find them."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective
from kerasmith.physics import Ball, Box, Condition, Field, Residual, Unknown, laplacian, verify

LINE = Box(0, 1, names="x")
PLANE = Box([0, -1], [1, 1], names="xy")
STRIP = Box([0, 0], [1, 1], names="xt")
EARLY = Box([0, 0], [1, 1], names="tx")
MOVING = Box([0, 0, 0], [1, 1, 1], names="xyt")
TIME = Box(0, 2, names="t")
pi = math.pi


def model(*terms, axes, outputs=1):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((axes,))
    net = Model(inputs, keras.layers.Dense(outputs)(keras.layers.Dense(3, activation="tanh")(inputs)))
    net.compile("sgd", Objective(list(terms)))
    return net


def poisson(f):
    return -f.d("xx") - pi**2 * ops.sin(pi * f["x"])


def reaction(f):
    """u = exp(x)."""
    return f.d("xx") + 2 * f.d("x") - f.u - 2 * ops.exp(f["x"])


def general(f):
    """u = sin(x + 2y), with coefficients that vary and a mixed derivative."""
    x, y = f["x"], f["y"]
    s, c, a = ops.sin(x + 2 * y), ops.cos(x + 2 * y), 2 + x * y
    source = -a * s - 8 * s - s + 2 * x * c + 3 * s
    return [a * f.d("xx") + 2 * f.d("yy") + 0.5 * f.d("xy") + x * f.d("y") + 3 * f.u - source][0]


def heat(f, k):
    return f.d("t") - k * laplacian(f)


def decay(f):
    return f.d("t") + 2 * f.u


def diagonal(p):
    return np.sin(p[:, 0] + 2 * p[:, 1])


def wave(p):
    return np.sin(pi * p[:, 0])


def cosine(p):
    return np.cos(pi * p[:, 0])


def swapped(p):
    return np.sin(pi * p[:, 1])


def waves(p):
    return np.sin(pi * p[:, 0]) * np.sin(pi * p[:, 1])


def at_walls(box):
    return Condition(box.boundary(60), 0.0)


SOLVED = {
    "Poisson": (
        LINE,
        lambda: model(Residual(poisson, names="x"), Condition(LINE.boundary(2), 0.0), axes=1),
        lambda x: np.sin(pi * x[:, 0]),
    ),
    "slope and mixed condition": (
        LINE,
        lambda: model(
            Residual(reaction, names="x"),
            Condition(LINE.face("x", "low"), -1.0, "neumann"),
            Condition(LINE.face("x", "high"), 5 * math.e, "robin", coefficients=(2.0, 3.0)),
            axes=1,
        ),
        lambda x: np.exp(x[:, 0]),
    ),
    "varying coefficients": (
        PLANE,
        lambda: model(Residual(general, names="xy"), Condition(PLANE.boundary(200), diagonal), axes=2),
        diagonal,
    ),
    "heat, learned coefficient": (
        STRIP,
        lambda: model(
            Residual(heat), Unknown(0.1, "k"), Condition(STRIP.initial(50), wave, "initial"), at_walls(STRIP), axes=2
        ),
        lambda x: np.sin(pi * x[:, 0]) * np.exp(-0.1 * pi**2 * x[:, 1]),
    ),
    "heat, insulated": (
        STRIP,
        lambda: model(
            Residual(heat, fixed={"k": 0.2}),
            Condition(STRIP.initial(50), cosine, "initial"),
            Condition(STRIP.boundary(60), 0.0, "neumann"),
            axes=2,
        ),
        lambda x: np.cos(pi * x[:, 0]) * np.exp(-0.2 * pi**2 * x[:, 1]),
    ),
    "time first": (
        EARLY,
        lambda: model(
            Residual(heat, names="tx", fixed={"k": 0.1}),
            Condition(EARLY.initial(50), swapped, "initial"),
            at_walls(EARLY),
            axes=2,
        ),
        lambda x: np.sin(pi * x[:, 1]) * np.exp(-0.1 * pi**2 * x[:, 0]),
    ),
    "heat in the plane": (
        MOVING,
        lambda: model(
            Residual(heat, names="xyt", fixed={"k": 0.1}),
            Condition(MOVING.initial(50), waves, "initial"),
            Condition(MOVING.boundary(200), 0.0),
            axes=3,
        ),
        lambda x: waves(x) * np.exp(-0.2 * pi**2 * x[:, 2]),
    ),
    "decay": (
        TIME,
        lambda: model(Residual(decay, names="t"), Condition([[0.0]], 3.0, "initial"), axes=1),
        lambda x: 3 * np.exp(-2 * x[:, 0]),
    ),
}


@pytest.mark.heavy("solves on a fine grid", on=("jax", "tensorflow"), seconds=3)
@pytest.mark.parametrize("name", SOLVED)
def test_finite_differences_find_known_solutions(name):
    box, make, exact = SOLVED[name]
    found = verify(make(), box)
    expected = exact(found.x)
    error = np.linalg.norm(found.reference_values - expected) / np.linalg.norm(expected)
    assert error < (2e-3 if box.dimension == 3 else 2e-4)
    # The estimate covers the error; second order: a grid twice as coarse is four times worse.
    assert error < found["reference_error"] < 5 * error + 3e-6
    assert found["reference"] == "finite differences"
    np.testing.assert_allclose(found.error, found.prediction - found.reference_values)
    assert found.error.reshape(found.shape).ndim == box.dimension


def burgers(f):
    return f.d("t") + f.u * f.d("x") - 0.01 * f.d("xx")


def vibration(f):
    return f.d("tt") - f.d("xx")


def backwards(f):
    return f.d("t") + f.d("xx")


def advection(f):
    return f.d("t") + f.d("x")


def dispersion(f):
    return f.d("t") + f.d("xxx")


def thin_layer(f):
    return f.d("x") - 1e-5 * f.d("xx") - 1


def pair(f):
    return [f.d("t"), f.d("x")]


COLD = Condition(STRIP.initial(40), 0.0, "initial", name="start")
WALLS = Condition(STRIP.boundary(40), 0.0, name="walls")
HEAT = Residual(heat, fixed={"k": 0.1})
REFUSED = [
    ([Residual(burgers), COLD, WALLS], "not linear"),
    ([Residual(vibration), COLD, WALLS], "second derivative by time"),
    ([Residual(backwards), COLD, WALLS], "backwards in time"),
    ([Residual(advection), COLD, WALLS], "not elliptic"),
    ([Residual(dispersion), COLD, WALLS], "order 3"),
    ([Residual(pair), COLD, WALLS], "system"),
    ([HEAT, Residual(backwards), COLD, WALLS], "several equations"),
    ([HEAT, COLD], "no condition on the face .* x is lowest"),
    ([HEAT, WALLS], "no condition on the face .* t is lowest"),
    ([HEAT, Condition(STRIP.initial(40), np.zeros(40), "initial"), WALLS], "values at its points alone"),
    ([HEAT, COLD, WALLS, Condition(STRIP.uniform(9), 0.0)], "do not lie on the boundary"),
    ([HEAT, COLD, Condition(STRIP.boundary(60, where=lambda x: x[:, 1] < 0.5), 0.0)], "a part of a face"),
    ([HEAT, COLD, WALLS, Condition(STRIP.boundary(9), 1.0)], "lie on one face"),
    ([HEAT, COLD, WALLS, Condition(STRIP.face("t", "high", 9), 1.0)], "at the last time"),
    ([HEAT, COLD, Condition(STRIP.face("x", "low", 9), 0.0, "periodic", axis="x", bounds=(0.0, 1.0))], "periodic"),
    ([Residual(poisson, names="xt"), Condition(STRIP.boundary(40), 0.0)], "no condition on the face"),
    ([COLD], "trained on an equation"),
]


@pytest.mark.heavy("asks many small models", on=("jax", "tensorflow"), seconds=10)
def test_what_cannot_be_solved_is_refused():
    for terms, match in REFUSED:
        with pytest.raises(ValueError, match=match):
            verify(model(*terms, axes=2), STRIP)
    net = model(HEAT, COLD, WALLS, axes=2)
    for field in (Ball([0, 0], 1), STRIP.uniform(5)):
        with pytest.raises(ValueError, match="on a Box"):
            verify(net, field)
    slopes = Condition(LINE.boundary(2), 1.0, "neumann")
    with pytest.raises(ValueError, match="a constant may be added"):
        verify(model(Residual(poisson, names="x"), slopes, axes=1), LINE)
    with pytest.raises(ValueError, match="too rough"):
        verify(model(Residual(thin_layer, names="x"), Condition(LINE.boundary(2), 0.0), axes=1), LINE)


def square(x):
    return x[:, 0] ** 2


def test_errors_are_those_of_numpy():
    rng = np.random.default_rng(0)
    x = rng.random((50, 2)).astype("float32")
    values = np.cos(x[:, 0] + x[:, 1])
    found = verify(square, x, values, names="ab")
    error = x[:, 0].astype("float64") ** 2 - values
    worst = np.abs(error).argmax()
    assert found["relative_l2"] == pytest.approx(np.linalg.norm(error) / np.linalg.norm(values), rel=1e-6)
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-6)
    assert found["max_error"] == pytest.approx(np.abs(error[worst]), rel=1e-6)
    assert found["max_error_at"] == pytest.approx({"a": x[worst, 0], "b": x[worst, 1]})
    assert (found["points"], found["reference"], found["residual_there"]) == (50, "array", None)
    assert "relative L2 error" in str(found)
    assert "a=" in str(found)
    for reference in (values, values[:, None], lambda p: np.cos(p.sum(axis=1)), lambda p: ops.cos(ops.sum(p, axis=1))):
        again = verify(square, Field(square, x, names="xt"), reference)
        assert again["relative_l2"] == pytest.approx(found["relative_l2"], rel=1e-6)
    assert math.isnan(verify(square, x, lambda p: 0.0)["relative_l2"])

    grid = verify(square, PLANE, lambda p: p[:, 1], points=5)
    assert (grid["points"], grid.shape) == (25, (5, 5))
    assert grid["max_error_at"] == {"x": 1.0, "y": -1.0}
    disk = verify(square, Ball([0, 0], 1), lambda p: p[:, 1], points=21)
    assert disk.shape is None
    assert disk["points"] == sum(a * a + b * b <= 100 for a in range(-10, 11) for b in range(-10, 11))
    assert verify(square, Box([0] * 3, [1] * 3), lambda p: p[:, 1], points=70)["points"] == 70

    net = model(Residual(heat, weight=4.0, fixed={"k": 0.1}), axes=2)
    found = verify(net, x, values)
    at = np.array([[found["max_error_at"][name] for name in "xt"]], "float32")
    field = Field(net, at, names="xt")
    left = 2 * abs(float(ops.convert_to_numpy(field.d("t") - 0.1 * field.d("xx"))[0]))
    assert found["residual_there"] == pytest.approx(left, rel=1e-4)
    np.testing.assert_allclose(found.prediction, np.asarray(net.predict_on_batch(x))[:, 0], rtol=1e-6)


def test_several_outputs_and_inputs():
    x = np.random.default_rng(0).random((6, 2)).astype("float32")

    def both(p):
        return ops.stack([p[:, 0], 2 * p[:, 1]], axis=1)

    assert verify(both, x, lambda p: 2 * p[:, 1], output=1)["max_error"] < 1e-6
    assert verify(both, x, lambda p: np.stack([p[:, 0], p[:, 1]], 1), output=0)["max_error"] < 1e-6
    named = verify(lambda p: {"u": p[:, 0], "v": p[:, 1]}, x, x[:, 1], output="v")
    assert named["max_error"] < 1e-6
    parts = [keras.Input((1,), name=name) for name in "tx"]
    out = keras.layers.Lambda(lambda t: t[0] - 3 * t[1])(parts)
    assert verify(keras.Model(parts, out), x, x[:, 0] - 3 * x[:, 1])["max_error"] < 1e-6
    by_name = keras.Model(dict(zip("tx", parts, strict=True)), out)
    assert verify(by_name, x, x[:, 1] - 3 * x[:, 0], names="xt")["max_error"] < 1e-6
    with pytest.raises(ValueError, match="Name the axes"):
        verify(by_name, x, x[:, 0], names="ab")


@pytest.mark.host("errors of arguments alone")
def test_mistakes_are_named():
    x = np.zeros((4, 2), "float32")
    two = lambda p: ops.stack([p[:, 0], p[:, 1]], axis=1)  # noqa: E731
    for error, match, make in [
        (ValueError, "belongs to points", lambda: verify(square, PLANE, np.zeros(9))),
        (ValueError, "one number a point", lambda: verify(square, x, np.zeros(3))),
        (ValueError, "one number a point", lambda: verify(square, x, np.zeros((4, 4, 1)))),
        (ValueError, "2 outputs of the model", lambda: verify(two, x, np.zeros(4))),
        (ValueError, "0 to 1", lambda: verify(two, x, np.zeros(4), output="u")),
        (ValueError, "reference is not finite at 1 of 4", lambda: verify(square, x, np.array([0, 1, np.nan, 0]))),
        (ValueError, "prediction is not finite", lambda: verify(lambda p: p[:, 0] / 0, x, np.zeros(4))),
        (TypeError, "`field` must be where", lambda: verify(square, "xt", np.zeros(4))),
        (ValueError, "2 different names", lambda: verify(square, x, np.zeros(4), names="xyz")),
        (ValueError, "different names", lambda: verify(square, PLANE, np.zeros(4), names="ab")),
        (ValueError, "those that a domain gives", lambda: verify(square, x, np.zeros(4), points=5)),
        (ValueError, "`points`", lambda: verify(square, PLANE, square, points=0)),
        (ValueError, "trained on an equation", lambda: verify(square, PLANE)),
    ]:
        with pytest.raises(error, match=match):
            make()
