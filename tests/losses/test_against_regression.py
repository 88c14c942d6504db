"""Regression losses against scikit-learn, PyTorch, kornia and plain loops; their limits and errors."""

import keras
import numpy as np
import pytest

from kerasmith import losses
from tests.losses import batches
from tests.losses.test_battery import masked, same, value
from tests.oracles import regression as oracles
from tests.support.agreement import agrees, gradient, name

pytestmark = pytest.mark.formula("values and gradients beside an oracle")


@pytest.mark.parametrize(("factor", "center", "power"), [(0.1, 0.0, 1), (0.7, 0.5, 2), (0.3, -0.2, 1), (0.0, 0.0, 2)])
def test_penalized_mse(factor, center, power):
    y_true, y_pred = batches.targets()
    loss = losses.PenalizedMSE(factor, center, power)
    agrees(gradient(loss, y_true, y_pred), oracles.torch_penalized(factor, center, power)(y_true, y_pred))


def test_penalized_mse_without_factor_is_mse():
    y_true, y_pred = batches.targets()
    same(value(losses.PenalizedMSE(0.0), y_true, y_pred), np.mean((y_true - y_pred) ** 2))


def test_charbonnier_with_epsilon_one_is_that_of_kornia_plus_one():
    y_true, y_pred = batches.targets()
    expected, slope = oracles.kornia_charbonnier()(y_true, y_pred)
    agrees(gradient(losses.Charbonnier(epsilon=1.0), y_true, y_pred), (expected + 1, slope))


@pytest.mark.parametrize(("epsilon", "alpha"), [(1e-3, 0.5), (0.3, 0.45), (2.0, 1.0)])
def test_charbonnier(epsilon, alpha):
    y_true, y_pred = (a.astype("float64") for a in batches.targets())
    inside = (y_pred - y_true) ** 2 + epsilon**2
    slope = 2 * alpha * (y_pred - y_true) * inside ** (alpha - 1) / y_pred.size
    got = gradient(losses.Charbonnier(epsilon, alpha), y_true.astype("float32"), y_pred.astype("float32"))
    agrees(got, (np.mean(inside**alpha), slope))


def test_charbonnier_of_a_perfect_prediction_is_flat():
    y_true, _ = batches.targets()
    got, slope = gradient(losses.Charbonnier(1e-3), y_true, y_true)
    same(got, 1e-3)
    assert np.all(slope == 0)


@pytest.mark.parametrize("quantiles", [[0.5], [0.1, 0.9], [0.05, 0.3, 0.5, 0.99]])
def test_pinball(quantiles):
    y_true, y_pred = batches.targets()
    y_true = y_true.ravel()
    y_pred = np.random.default_rng(3).normal(size=(len(y_true), len(quantiles))).astype("float32")
    weight = np.linspace(0, 2, len(y_true)).astype("float32")
    oracle = oracles.sklearn_pinball(quantiles)
    loss = losses.Pinball(quantiles)
    expected = oracles.pinball_loops(quantiles, 0.0, y_true, y_pred.astype("float64"))
    assert expected[0] == pytest.approx(oracle(y_true, y_pred.astype("float64")), rel=1e-6)
    agrees(gradient(loss, y_true, y_pred), expected)
    agrees(gradient(loss, y_true[:, None], y_pred), expected)
    weighted = losses.Pinball(quantiles, reduction="mean_with_sample_weight")
    same(value(weighted, y_true, y_pred, weight), oracle(y_true, y_pred.astype("float64"), weight), rtol=5e-6)
    single = losses.Pinball(quantiles[0])
    same(value(single, y_true, y_pred[:, 0]), oracles.sklearn_pinball(quantiles[:1])(y_true, y_pred), rtol=5e-6)


def test_pinball_crossing_penalty():
    quantiles = [0.1, 0.5, 0.9]
    y_true, y_pred = batches.quantiles()
    loss = losses.Pinball(quantiles, crossing_penalty=2.0)
    expected, slope = oracles.pinball_loops(quantiles, 2.0, y_true.ravel(), y_pred.reshape(-1, 3).astype("float64"))
    agrees(gradient(loss, y_true, y_pred), (expected, slope.reshape(y_pred.shape)))
    assert loss.term_names == ("pinball", "crossing")
    ordered = np.sort(y_pred, axis=-1)
    same(value(loss, y_true, ordered), value(losses.Pinball(quantiles), y_true, ordered))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("variance", ["log", "softplus", "identity"])
def test_gaussian_nll(variance, full):
    y_true, y_pred = batches.means_and_variances()
    if variance == "identity":
        y_pred[..., 2:] = np.abs(y_pred[..., 2:])
    # A floor that many variances are below; log-variances are raised as such, before PyTorch sees the variance.
    raised = np.concatenate([y_pred[..., :2], np.maximum(y_pred[..., 2:], np.log(0.3))], axis=-1)
    oracle = oracles.torch_gaussian(variance, full, 0.3)
    expected = oracle(y_true, raised if variance == "log" else y_pred)
    agrees(gradient(losses.GaussianNLL(variance, full, 0.3), y_true, y_pred), expected)
    oracle = oracles.torch_gaussian(variance, full, 1e-6)
    agrees(gradient(losses.GaussianNLL(variance, full), y_true, y_pred), oracle(y_true, y_pred))


@pytest.mark.parametrize("variance", ["log", "softplus", "identity"])
@pytest.mark.parametrize("extreme", [-1e4, -200.0, 0.0, 200.0, 1e4])
def test_gaussian_nll_of_extreme_variances_is_finite(variance, extreme):
    y_true = np.array([[0.0], [5.0]], "float32")
    y_pred = np.array([[0.0, extreme], [0.0, extreme]], "float32")
    got, slope = gradient(losses.GaussianNLL(variance), y_true, y_pred)
    assert np.isfinite(got)
    assert np.all(np.isfinite(slope))
    if variance != "softplus" and extreme < 0:
        assert slope[1, 1] < 0, "a variance under the floor must be able to grow again"


ELEMENTWISE = [losses.PenalizedMSE(0.3), losses.Charbonnier(0.1), losses.Pinball(0.2)]


@pytest.mark.parametrize("loss", ELEMENTWISE, ids=name)
def test_a_trailing_one_may_differ(loss):
    y_true, y_pred = batches.targets()
    expected = value(loss, y_true, y_pred)
    same(value(loss, y_true[..., None], y_pred), expected)
    same(value(loss, y_true, y_pred[..., None]), expected)
    same(value(loss, y_true[:, 0, 0], y_pred[:, 0, :1]), value(loss, y_true[:, 0, :1], y_pred[:, 0, 0]))


@pytest.mark.parametrize("loss", ELEMENTWISE, ids=name)
def test_shapes_that_would_broadcast(loss):
    y_true, y_pred = batches.targets()
    for labels in (
        y_true[:, 0],
        y_true[..., 0],
        y_true[:, :1],
        y_true[..., :1],
        y_true[0],
        np.arange(4),
        np.arange(4)[:, None],
    ):
        with pytest.raises(ValueError, match=r"broadcast.*one_hot"):
            loss(labels, y_pred)
    with pytest.raises(ValueError, match="broadcast"):
        loss(np.arange(8), np.ones((8, 10), "float32"))


@pytest.mark.parametrize(
    ("loss", "data"),
    [
        *((loss, batches.targets) for loss in ELEMENTWISE),
        (losses.Pinball([0.1, 0.5, 0.9], 1.0), batches.quantiles),
        (losses.GaussianNLL(), batches.means_and_variances),
        (losses.ClickDwell(), batches.clicks),
    ],
    ids=name,
)
def test_weights_and_masks_of_elements(loss, data):
    y_true, y_pred = data()
    places = y_pred.shape[:2]
    weight = np.random.default_rng(5).uniform(0.5, 2, places).astype("float32")
    weight[1] = 1.0
    weight[:, 0] = 0.0
    binary = (weight > 0).astype("float32")
    kept = y_true[:, 1:], y_pred[:, 1:]
    mean = type(loss).from_config({**loss.get_config(), "reduction": "mean_with_sample_weight"})
    missing = y_true.copy()
    missing[:, 0] = np.nan
    if isinstance(loss, losses.ClickDwell):
        missing = y_true
    got, slope = gradient(mean, missing, y_pred, binary)
    same(got, value(loss, *kept))
    assert np.all(slope[:, 0] == 0)
    share = (places[1] - 1) / places[1]
    same(value(loss, missing, y_pred, binary[..., None]), value(loss, *kept) * share)
    same(value(loss, y_true, y_pred, 3 * weight), 3 * value(loss, y_true, y_pred, weight))
    same(value(loss, missing, masked(y_pred, binary > 0)), value(loss, *kept))
    same(value(mean, missing, masked(y_pred, binary > 0), weight), value(mean, *kept, weight[:, 1:]))


def test_a_missing_target_of_weight_zero():
    y_true, y_pred = batches.targets()
    weight = np.array([1, 0, 2, 1], "float32")
    expected, slope = gradient(losses.PenalizedMSE(), y_true, y_pred, weight)
    y_true[1] = np.nan
    got, other = gradient(losses.PenalizedMSE(), y_true, y_pred, weight)
    same(got, expected)
    same(other, slope)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: losses.PenalizedMSE(power=3), ValueError, "`power` must be one of 1, 2"),
        (lambda: losses.PenalizedMSE(factor=-1), ValueError, "`factor`.*>= 0"),
        (lambda: losses.Charbonnier(0), ValueError, "`epsilon`.*> 0"),
        (lambda: losses.Pinball(0.0), ValueError, "between 0 and 1.*Received: quantiles=0.0"),
        (lambda: losses.Pinball([0.1, 1.0]), ValueError, "between 0 and 1"),
        (lambda: losses.Pinball([]), ValueError, "between 0 and 1"),
        (lambda: losses.Pinball([0.9, 0.1]), ValueError, r"increase.*Write quantiles=\[0.1, 0.9\]"),
        (lambda: losses.Pinball([0.5, 0.5]), ValueError, "increase"),
        (lambda: losses.Pinball("median"), TypeError, "must be a number"),
        (lambda: losses.Pinball(0.5, crossing_penalty=1.0), ValueError, "at least two quantiles"),
        (lambda: losses.GaussianNLL("exp"), ValueError, "'log', 'softplus', 'identity'"),
        (lambda: losses.GaussianNLL(variance_floor=0), ValueError, "`variance_floor`.*> 0"),
        (lambda: losses.Pinball([0.1, 0.9])(np.ones(3), np.ones((3, 3))), ValueError, r"2 quantiles \[0.1, 0.9\].*2 units"),
        (lambda: losses.Pinball([0.1, 0.9])(np.ones((3, 4)), np.ones((3, 2))), ValueError, "broadcast"),
        (lambda: losses.GaussianNLL()(np.ones((3, 1)), np.ones((3, 3))), ValueError, "twice as many units"),
        (lambda: losses.GaussianNLL()(np.ones((3, 4)), np.ones((3, 4))), ValueError, "means in y_pred.*broadcast"),
    ],
)
def test_bad_input(make, error, text):
    with pytest.raises(error, match=text):
        make()


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="unknown sizes inside a traced function are TensorFlow's")
def test_a_size_that_is_known_only_at_run_time_does_not_broadcast():
    import tensorflow as tf

    specs = [tf.TensorSpec((None, None)), tf.TensorSpec((None, 1))]
    traced = tf.function(losses.PenalizedMSE(0.0), input_signature=specs)
    same(float(traced(tf.ones((3, 1)), tf.zeros((3, 1)))), 1.0)
    with pytest.raises(tf.errors.InvalidArgumentError):
        traced(tf.ones((3, 10)), tf.zeros((3, 1)))


def test_terms_add_up_in_fit():
    from kerasmith.callbacks import LossTerms

    y_true, y_pred = batches.targets()
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.Dense(3)])
    model.compile("sgd", losses.PenalizedMSE(0.5))
    history = model.fit(y_pred, y_true, batch_size=2, epochs=1, verbose=0, callbacks=[LossTerms()]).history
    assert history["loss"][0] == pytest.approx(history["mse"][0] + 0.5 * history["penalty"][0], rel=1e-5)
