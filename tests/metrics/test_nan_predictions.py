"""A NaN in predictions loses each comparison: what decides by comparisons is NaN and says why, never a plausible number."""

import contextlib
import math
import warnings

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses, metrics

RNG = np.random.default_rng(0)
MASK = (RNG.random((3, 6, 6, 1)) > 0.5).astype("float32")
P = RNG.uniform(0.1, 0.9, MASK.shape).astype("float32")
IDS = RNG.integers(0, 3, (3, 6, 6)).astype("int32")
P3 = RNG.dirichlet((1, 1, 1), IDS.shape).astype("float32")
ONE_HOT = np.eye(3, dtype="float32")[IDS]


def with_nan(array):
    array = array.copy()
    array[1, 2, 2, 0] = math.nan
    return array


BINARY = [
    metrics.IoU,
    metrics.SurfaceDistance,
    metrics.PanopticQuality,
    metrics.LesionDetection,
    metrics.FROC,
    lambda: metrics.ConfusionMatrix(2),
]
CLASSES = [
    lambda: metrics.DiceScore(3, per="dataset"),
    lambda: metrics.DiceScore(3, average="micro"),
    lambda: metrics.MCC(3),
    lambda: metrics.CohenKappa(3, from_logits=True),
    lambda: metrics.ConfusionMatrix(3, top_k=2),
    lambda: metrics.TruePositives(3),
    lambda: metrics.SurfaceDistance(definitions=("nsd",)),
    lambda: metrics.Shared([metrics.IoU(3), metrics.MCC(3)]),
    lambda: metrics.Bootstrap(metrics.IoU(3), n=5, capacity=9),
]
INDEPENDENT = [lambda: metrics.ConfusionMatrix(3, multi_label=True), lambda: metrics.IoU(multi_label=True)]
# Their sums are NaN by themselves, or count NaN apart; none names a number for it.
SUMS = [metrics.AUC, metrics.AveragePrecision, metrics.Brier]
CASES = [(make, MASK, P) for make in BINARY + SUMS] + [(make, IDS, P3) for make in CLASSES]
CASES += [(make, ONE_HOT, P3) for make in INDEPENDENT]


def numbers(metric):
    result = metric.result()
    return [float(value) for value in (result.values() if isinstance(result, dict) else [result])]


@contextlib.contextmanager
def told():
    """The warnings about y_pred."""
    texts = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
    texts += [str(w.message) for w in caught if "y_pred" in str(w.message)]


@pytest.mark.heavy("each metric computes eagerly, operation by operation", on=("tensorflow", "jax"), seconds=70)
@pytest.mark.parametrize(("make", "y_true", "y_pred"), CASES)
def test_a_nan_is_no_background(make, y_true, y_pred):
    metric = make()
    metric.update_state(y_true, y_pred)
    right = numbers(metric)
    metric.update_state(y_true, with_nan(y_pred))
    with told() as texts:
        assert all(map(math.isnan, numbers(metric)))
        numbers(metric)
    if make not in SUMS:  # once for each metric that counts, not after each batch
        assert len(set(texts)) == len(texts) >= 1
        assert "is NaN: a batch held NaN in y_pred. Predictions must be numbers" in texts[0]
    metric.reset_state()
    metric.update_state(y_true, y_pred)
    np.testing.assert_allclose(numbers(metric), right)
    # What does not count may hold anything.
    metric.reset_state()
    metric.update_state(y_true, with_nan(y_pred), np.array([1.0, 0.0, 1.0]))
    found = numbers(metric)
    metric.reset_state()
    metric.update_state(y_true, y_pred, np.array([1.0, 0.0, 1.0]))
    np.testing.assert_allclose(found, numbers(metric))


@pytest.mark.heavy("computes eagerly, operation by operation", on=("tensorflow", "jax"), seconds=6)
def test_pixels_that_do_not_count_may_be_nan():
    void, weight = IDS.copy(), np.ones(IDS.shape, "float32")
    void[1, 2, 2], weight[1, 2, 2] = 255, 0
    for metric, given in ((metrics.IoU(3, ignore_class=255), (void,)), (metrics.MCC(3), (IDS, weight))):
        y_true, *rest = given
        metric.update_state(y_true, P3, *rest)
        right = numbers(metric)
        metric.reset_state()
        metric.update_state(y_true, with_nan(P3), *rest)
        np.testing.assert_allclose(numbers(metric), right)
    # Infinities of both signs are numbers, whose order is known.
    metric = metrics.IoU(3, from_logits=True)
    metric.update_state(IDS, np.where(ONE_HOT > 0, math.inf, -math.inf))
    assert numbers(metric) == [1.0]


def test_losses_are_nan_without_a_word_about_labels():
    with told() as texts:
        assert math.isnan(float(losses.Dice()(MASK, with_nan(P))))
    assert not texts


@pytest.mark.heavy("compiles several updates", on=("tensorflow", "jax"), seconds=40)
@pytest.mark.skipif(keras.backend.backend() == "torch", reason="PyTorch compiles nothing here")
@pytest.mark.parametrize("xla", [True, False])
def test_compiled_updates(xla):
    members = [metrics.DiceScore(3), metrics.MCC(3)]

    def update(y_pred):
        for metric in members:
            metric.update_state(IDS, y_pred)

    if keras.backend.backend() == "jax":
        import jax

        if not xla:
            pytest.skip("JAX compiles by XLA only")
        stateless = jax.jit(
            lambda states, p: [m.stateless_update_state(s, IDS, p) for m, s in zip(members, states, strict=True)]
        )

        def update(y_pred):
            states = [[v.value for v in m.variables] for m in members]
            for metric, state in zip(members, stateless(states, y_pred), strict=True):
                for variable, value in zip(metric.variables, state, strict=True):
                    variable.assign(value)
    else:
        import tensorflow as tf

        update = tf.function(update, jit_compile=xla)
    for y_pred, is_right in ((P3, True), (with_nan(P3), False)):
        update(ops.convert_to_tensor(y_pred))
        with told() as texts:
            found = [value for metric in members for value in numbers(metric)]
        assert all(map(math.isfinite if is_right else math.isnan, found))
        assert len(texts) == (0 if is_right else len(members))
