"""A loss among the metrics of `compile` beside means over samples in plain NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses
from kerasmith.base import KerasLoss
from kerasmith.keras_internals.tensors import set_keras_mask

RNG = np.random.default_rng(0)
Y = (RNG.random((10, 4, 5, 1)) < 0.4).astype("float32")
P = RNG.random((10, 4, 5, 1)).astype("float32")
W = RNG.integers(0, 3, 10).astype("float32")
PIXELS = RNG.random((10, 4, 5)).astype("float32")
CE = -(Y * np.log(P) + (1 - Y) * np.log(1 - P))[..., 0].astype("float64")


def dice(weight=None):
    """1 - Dice of each image."""
    weight = np.ones((10, 1, 1, 1)) if weight is None else weight[..., None]
    total = lambda x: (x * weight).sum((1, 2, 3))  # noqa: E731
    return 1 - 2 * total(Y * P) / (total(P) + total(Y))


EACH = {"dice": dice(), "ce": CE.mean((1, 2))}
# {name: (what is given to `compile`, the value of each sample)}
CASES = {
    "loss": (losses.Dice(smooth=0), EACH["dice"]),
    "unreduced": (losses.Dice(smooth=0, reduction="none"), EACH["dice"]),
    "by weights": (losses.Dice(smooth=0, reduction="mean_with_sample_weight"), EACH["dice"]),
    "function": (keras.metrics.MeanMetricWrapper(losses.dice, smooth=0), EACH["dice"]),
    "two terms": (losses.DiceCE(dice_weight=1, ce_weight=2, smooth=0), EACH["dice"] + 2 * EACH["ce"]),
    "sum": (losses.Dice(smooth=0) - 0.5 * losses.CrossEntropy(), EACH["dice"] - 0.5 * EACH["ce"]),
    "of keras": (KerasLoss("mse") + 2 * losses.Dice(smooth=0), ((Y - P) ** 2).mean((1, 2, 3)) + 2 * EACH["dice"]),
    "own function": (losses.from_function(keras.losses.mean_absolute_error, name="mae"), np.abs(Y - P).mean((1, 2, 3))),
}


def wrapped(given):
    """As `compile` wraps it."""
    return given if isinstance(given, keras.metrics.Metric) else keras.metrics.MeanMetricWrapper(given, name=given.name)


def value(metric, *columns):
    """The result after batches of 4, 4 and 2 samples."""
    metric = wrapped(metric)
    metric.reset_state()
    for start in (0, 4, 8):
        metric.update_state(*(column[start : start + 4] for column in columns))
    return float(ops.convert_to_numpy(metric.result()))


@pytest.mark.parametrize("name", CASES)
def test_mean_over_samples_whatever_the_batches(name):
    given, each = CASES[name]
    assert value(given, Y, P) == pytest.approx(each.mean(), rel=2e-6)
    assert value(given, Y, P, W) == pytest.approx(np.average(each, weights=W), rel=2e-6)


def test_weights_of_pixels():
    assert value(losses.Dice(smooth=0), Y, P, PIXELS) == pytest.approx(dice(PIXELS).mean(), rel=2e-6)
    expected = np.average(CE, weights=PIXELS)
    assert value(losses.CrossEntropy(), Y, P, PIXELS) == pytest.approx(expected, rel=2e-6)
    assert value(keras.metrics.MeanMetricWrapper(losses.cross_entropy), Y, P, PIXELS) == pytest.approx(expected, rel=2e-6)
    with pytest.raises(ValueError, match=r"'dice', 'ce'.*weighted_metrics="):
        value(losses.DiceCE(), Y, P, PIXELS)


def test_masked_samples_and_those_of_weight_0_may_hold_anything():
    kept = np.arange(10) % 3 > 0
    spoiled = np.where(kept[:, None, None, None], P, np.nan).astype("float32")
    assert value(losses.Dice(smooth=0), Y, spoiled, kept.astype("float32")) == pytest.approx(dice()[kept].mean(), rel=2e-6)
    masked = ops.convert_to_tensor(spoiled)
    set_keras_mask(masked, ops.convert_to_tensor(kept))
    metric = wrapped(losses.Dice(smooth=0))
    metric.update_state(Y, masked)
    assert float(metric.result()) == pytest.approx(dice()[kept].mean(), rel=2e-6)


def test_a_sum_is_no_mean():
    with pytest.raises(ValueError, match=r"metrics=\[Dice\(.*reduction='sum'"):
        value(losses.Dice(reduction="sum"), Y, P)


def test_in_evaluate():
    inputs = keras.Input((4, 5, 1))
    model = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    model.compile(
        loss=losses.Dice(smooth=0), metrics=[losses.Dice(smooth=0), "mae"], weighted_metrics=[losses.CrossEntropy(name="ce")]
    )
    found = model.evaluate(P, Y, sample_weight=W, batch_size=4, verbose=0, return_dict=True)
    expected = {
        "loss": (W * dice()).mean(),
        "dice": dice().mean(),
        "mae": np.abs(Y - P).mean(),
        "ce": np.average(EACH["ce"], weights=W),
    }
    assert found == pytest.approx(expected, rel=2e-6)
    # A callback of Keras in mode "auto" knows that less is better.
    stop = keras.callbacks.EarlyStopping(monitor="dice")
    stop.set_model(model)
    stop._set_monitor_op()
    assert stop.monitor_op(0.1, 0.2)
