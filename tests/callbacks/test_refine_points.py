"""RefinePoints: new points lie where the residual is large, and come again after a kill."""

import copy
import itertools
import pickle

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective, Term
from kerasmith.callbacks import RefinePoints, Resume
from kerasmith.callbacks.refine_points import drawn_by, refinement_weights
from kerasmith.physics import Box, Condition, PointBatches, Residual, Unknown
from kerasmith.physics.residual_values import residual_values

BOX = Box([0, 0], [1, 1], names="xt")


def narrow(f, height):
    """Whatever the model: height times a bump round x = 1/2."""
    return height * ops.exp(-ops.square((f["x"] - 0.5) / 0.1)) + 0 * f.d("t")


def flat(f):
    return 3.0 + 0 * f.d("x")


def bump(x):
    return 2 * np.exp(-(((x[:, 0] - 0.5) / 0.1) ** 2))


def model(*terms):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((2,))
    net = Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(4, activation="tanh")(inputs)))
    net.compile(keras.optimizers.Adam(0.01), Objective([*terms]) if terms else "mse")
    return net


def narrow_model():
    cold = Condition(BOX.initial(4), 0.0, kind="initial")
    net = model(Residual(narrow, weight=4.0, fixed={"height": 2.0}), cold)
    return net


def test_the_residual_of_all_equations_at_points():
    net = model(
        Residual(narrow, weight=4.0), Residual(flat), Unknown(2.0, "height"), Residual(flat, points=[[0.0, 1.0]], name="b")
    )
    x = BOX.uniform(10).x
    expected = np.sqrt(4 * bump(x) ** 2 + 9)
    np.testing.assert_allclose(residual_values(net, x, batch_size=4), expected, rtol=1e-5)


@pytest.mark.host("draws with NumPy alone")
def test_points_are_drawn_by_weight_without_replacement():
    weights = np.array([0.0, 1, 2, 4, 1])
    first, seen = np.zeros(5), np.zeros(5)
    rng = np.random.default_rng(0)
    for _ in range(20000):
        chosen = drawn_by(weights, 3, rng)
        assert len(set(chosen.tolist())) == 3
        first[chosen[0]] += 1
        seen[chosen] += 1
    np.testing.assert_allclose(first / 20000, weights / 8, atol=0.012)
    # Exact: 1 less the chance to be left out of three draws of four.
    left_out = np.zeros(5)
    for a in range(1, 5):
        for b in set(range(1, 5)) - {a}:
            for c in set(range(1, 5)) - {a, b}:
                p = weights[a] / 8 * weights[b] / (8 - weights[a]) * weights[c] / (8 - weights[a] - weights[b])
                left_out[[i for i in range(5) if i not in (a, b, c)]] += p
    np.testing.assert_allclose(seen / 20000, 1 - left_out, atol=0.012)
    assert set(drawn_by(np.array([0.0, 1, 0]), 2, rng)) > {1}
    np.testing.assert_allclose(refinement_weights(np.array([1.0, 2.0]), 2, 0.5), [0.4 + 0.5, 1.6 + 0.5])
    np.testing.assert_allclose(refinement_weights(np.array([1e-200, 3e-200]), 2, 0), [0.2, 1.8])
    np.testing.assert_allclose(refinement_weights(np.zeros(3), 1, 0), 1)


def run(directory, epochs, *callbacks, **options):
    net, data = narrow_model(), PointBatches(BOX.uniform(200), batch_size=100, seed=1)
    refine = RefinePoints(2, **{"k": 1, "c": 0, "seed": 5, **options})
    resume = [] if directory is None else [Resume(directory, every="epoch", verbose=0)]
    history = net.fit(data, epochs=epochs, verbose=0, callbacks=[refine, *resume, *callbacks]).history
    return history, data.points.x, net.get_weights()


def test_new_points_lie_where_the_residual_is_large_and_resume(tmp_path):
    points = []
    watch = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: points.append(watch_data()))
    data = PointBatches(BOX.uniform(200), batch_size=100, seed=1)

    def watch_data():
        return data.points.x.copy()

    net = narrow_model()
    net.fit(data, epochs=5, verbose=0, callbacks=[RefinePoints(2, k=1, c=0, seed=5), watch])
    same = [np.array_equal(a, b) for a, b in itertools.pairwise(points)]
    assert same == [True, False, True, False]
    # Uniform before; by a Gaussian of deviation .1 / sqrt(2) after.
    near = [np.mean(np.abs(x[:, 0] - 0.5) < 0.1) for x in points]
    assert near[0] < 0.3
    assert near[2] > 0.7
    assert abs(near[4] - near[2]) < 0.15
    assert data.points.domain is BOX

    whole = run(tmp_path / "whole", 5)
    run(tmp_path / "parts", 3)
    parts = run(tmp_path / "parts", 5)
    assert parts[0] == whole[0]
    np.testing.assert_array_equal(parts[1], whole[1])
    for a, b in zip(parts[2], whole[2], strict=True):
        np.testing.assert_array_equal(a, b)


def holes(f):
    return ops.where(f["x"] < 0.5, np.nan, f.d("t"))


def test_residuals_that_are_not_finite():
    data = PointBatches(Box([0.5, 0], [1, 1]).uniform(50))
    net = model(Residual(holes))
    refine = RefinePoints(1, k=4, c=0, domain=BOX)
    with pytest.warns(UserWarning, match="not finite"):
        net.fit(data, epochs=1, verbose=0, callbacks=[refine])
    assert refine.drawn == 1
    assert (data.points.x[:, 0] < 0.5).any()


def of_labels(f, y):
    return f.d("x") - y


def test_mistakes_are_named():
    points = BOX.uniform(10)
    net = narrow_model()

    def refused(error, match, net, data, **options):
        with pytest.raises(error, match=match):
            net.fit(data, verbose=0, callbacks=[RefinePoints(1, **options)])

    refused(TypeError, "PointBatches", net, points)
    refused(ValueError, "where points may be drawn", net, PointBatches(points.x))
    refused(ValueError, "lie outside", net, PointBatches(points), domain=Box([0, 0], [0.5, 0.5]))
    refused(ValueError, r"\(N, 1\)", net, PointBatches(points), domain=Box(0, 1))
    refused(ValueError, "`candidates`", net, PointBatches(points), candidates=9)
    refused(ValueError, "trained on an equation", model(Term(lambda y_pred: y_pred)), PointBatches(points))
    refused(ValueError, "asks for 'y'", model(Residual(of_labels)), PointBatches(points))
    for bad in ({"every": 0}, {"k": -1}, {"c": -1}, {"candidates": 0}, {"seed": -1}, {"start": 0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            RefinePoints(**bad)
    with pytest.raises(TypeError, match="`domain`"):
        RefinePoints(1, domain=[0, 1])


def test_copies_have_a_life_of_their_own():
    refine = RefinePoints(1, domain=BOX)
    data, net = PointBatches(BOX.uniform(20)), narrow_model()
    net.fit(data, epochs=1, verbose=0, callbacks=[refine])
    other = copy.deepcopy(refine)
    assert other.domain is BOX
    net.fit(PointBatches(BOX.uniform(20)), epochs=2, verbose=0, callbacks=[other])
    assert (refine.drawn, other.drawn) == (1, 3)
    loaded = pickle.loads(pickle.dumps(refine))
    assert (loaded.drawn, loaded.domain.names) == (1, BOX.names)
