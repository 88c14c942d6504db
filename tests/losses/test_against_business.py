"""Losses of clicks and of exposure against scikit-learn, PyTorch and the losses they wrap; their limits and errors."""

import keras
import numpy as np
import pytest

from kerasmith import losses
from tests.losses import batches
from tests.losses.test_battery import same, value
from tests.oracles import regression as oracles
from tests.support.agreement import agrees, gradient, name

pytestmark = pytest.mark.formula("values and gradients beside an oracle")


@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("log_dwell", [False, True])
@pytest.mark.parametrize("delta", [None, 1.3])
def test_click_dwell(logits, log_dwell, delta):
    y_true, y_pred = (a.reshape(-1, 2) for a in batches.clicks())
    loss = losses.ClickDwell(0.7, from_logits=logits, log_dwell=log_dwell, delta=delta)
    oracle = oracles.torch_click_dwell(0.7, logits, log_dwell, delta)
    expected = oracle(y_true, y_pred)
    agrees(gradient(loss, y_true, y_pred), expected)
    lists = gradient(loss, y_true.reshape(4, 3, 2), y_pred.reshape(4, 3, 2))
    agrees((lists[0], lists[1].reshape(-1, 2)), expected)


def test_dwell_of_items_that_were_not_clicked_is_not_read():
    y_true, y_pred = batches.clicks()
    expected, _ = gradient(losses.ClickDwell(), y_true, y_pred)
    y_true = np.where(y_true[..., :1] == 0, np.array([0, np.nan], "float32"), y_true)
    got, slope = gradient(losses.ClickDwell(), y_true, y_pred)
    same(got, expected)
    assert np.all(slope[..., 1][y_true[..., 0] == 0] == 0)
    assert np.all(slope[..., 1][y_true[..., 0] == 1] != 0)
    assert losses.ClickDwell().term_names == ("click", "dwell")


def test_click_dwell_without_clicks_is_the_cross_entropy():
    _, y_pred = batches.clicks()
    got, slope = gradient(losses.ClickDwell(), np.zeros_like(y_pred), y_pred)
    same(got, -np.log(1 - y_pred[..., 0].astype("float64")).mean())
    assert np.all(slope[..., 1] == 0)


def test_exposure_weighted_poisson_is_half_the_deviance_up_to_a_constant():
    y_true, y_pred = batches.frequencies()
    rate, exposure = y_true.astype("float64").T
    other = y_pred[::-1].copy()
    loss = losses.ExposureWeighted("poisson", reduction="mean_with_sample_weight")
    difference = value(loss, y_true, y_pred) - value(loss, y_true, other)
    oracle = [oracles.sklearn_poisson_deviance(rate, p.astype("float64").ravel(), exposure) for p in (y_pred, other)]
    assert difference == pytest.approx((oracle[0] - oracle[1]) / 2, rel=1e-5)
    p = y_pred.astype("float64").ravel()
    expected = (exposure @ (p - rate * np.log(p))) / exposure.sum(), (exposure * (1 - rate / p) / exposure.sum())[:, None]
    agrees(gradient(loss, y_true, y_pred), expected, 1e-5)
    agrees((value(loss, y_true, y_pred[:, 0]), expected[1]), expected, 1e-5)
    by_weight = losses.ExposureWeighted("poisson", exposure="sample_weight", reduction="mean_with_sample_weight")
    agrees(gradient(by_weight, y_true[:, :1], y_pred, y_true[:, 1]), expected, 1e-5)


@pytest.mark.parametrize(
    "inner", ["poisson", keras.losses.Huber(), losses.Charbonnier(0.5), 0.5 * losses.PenalizedMSE()], ids=name
)
def test_exposure_is_what_the_value_is_multiplied_by(inner):
    y_true, y_pred = batches.frequencies()
    alone = keras.losses.Poisson() if inner == "poisson" else inner
    each = [value(alone, y_true[i : i + 1, :1], y_pred[i : i + 1]) for i in range(4)] * y_true[:, 1]
    loss = losses.ExposureWeighted(inner)
    same(value(losses.ExposureWeighted(inner, reduction="none"), y_true, y_pred), each, rtol=5e-6)
    same(value(loss, y_true, y_pred), each.mean(), rtol=5e-6)
    weight = np.array([1, 0, 2, 1], "float32")
    loss = losses.ExposureWeighted(inner, reduction="mean_with_sample_weight")
    got, slope = gradient(loss, y_true, y_pred, weight)
    same(got, weight @ each / (weight @ y_true[:, 1]), rtol=5e-6)
    assert slope[1] == 0
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()
    same(value(again, y_true, y_pred, weight), got)


def test_one_policy_of_two_years_weighs_as_two_of_one():
    loss = losses.ExposureWeighted(reduction="mean_with_sample_weight")
    together = value(loss, [[1.5, 2.0]], [[0.7]])
    same(value(loss, [[1.0, 1.0], [2.0, 1.0]], [[0.7], [0.7]]), together)


def test_a_sample_without_exposure_may_have_any_rate():
    y_true, y_pred = batches.frequencies()
    y_true[2] = np.nan, 0.0
    got, slope = gradient(losses.ExposureWeighted(reduction="mean_with_sample_weight"), y_true, y_pred)
    same(got, value(losses.ExposureWeighted(reduction="mean_with_sample_weight"), y_true[[0, 1, 3]], y_pred[[0, 1, 3]]))
    assert slope[2] == 0


def test_exposure_weighted_classes():
    ids = np.array([[0, 2.0], [2, 0.5]], "float32")
    y_pred = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]], "float32")
    expected = (-2 * np.log(0.2) - 0.5 * np.log(0.8)) / 2.5
    for inner in (keras.losses.SparseCategoricalCrossentropy(), losses.CrossEntropy()):
        loss = losses.ExposureWeighted(inner, reduction="mean_with_sample_weight")
        same(value(loss, ids, y_pred), expected, rtol=5e-6)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: losses.ClickDwell(delta=0), ValueError, "`delta`.*> 0"),
        (lambda: losses.ExposureWeighted(exposure="y_pred"), ValueError, "'y_true', 'sample_weight'"),
        (lambda: losses.ExposureWeighted(keras.losses.Poisson), TypeError, r"Write `loss=Poisson\(\)`"),
        (lambda: losses.ClickDwell()(np.ones((3, 1)), np.ones((3, 2))), ValueError, r"Received: y_true of shape \(3, 1\)"),
        (lambda: losses.ClickDwell()(np.ones((3, 2)), np.ones((3, 4, 2))), ValueError, "broadcast"),
        (lambda: losses.ExposureWeighted()(np.ones((3, 1)), np.ones((3, 1))), ValueError, "last column"),
        (lambda: losses.ExposureWeighted()(np.ones((3, 3)), np.ones((3, 1))), ValueError, "broadcast"),
        (
            lambda: losses.ExposureWeighted()([[1.0, -1.0]], [[1.0]]),
            ValueError,
            "must be a number >= 0. Received: values from -1",
        ),
        (
            lambda: losses.ExposureWeighted("mse", "sample_weight")(np.arange(3), np.ones((3, 5))),
            ValueError,
            "broadcast",
        ),
    ],
)
def test_bad_input(make, error, text):
    with pytest.raises(error, match=text):
        make()
