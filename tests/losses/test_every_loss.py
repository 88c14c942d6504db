"""What must hold for every loss, whatever it compares: one value per sample, weights, reductions, precision, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.losses.battery import OTHER_ROWS, ROWS, first_of_family
from tests.losses.test_battery import masked, same, value
from tests.support import float64
from tests.support.gradients import value_and_grad

pytestmark = [
    pytest.mark.thinned("each row compiles anew", by=lambda row, **others: [row.loss, *others.values()]),
    pytest.mark.heavy(
        "a network of many operations", on=("jax", "tensorflow"), seconds=6, light=lambda row, **_: not row.large
    ),
]
EVERY = [*ROWS, *OTHER_ROWS]
FIRST = first_of_family(OTHER_ROWS)
# What test_battery.py asks of the losses of labelled pixels too, there with one channel and with three.
other = pytest.mark.parametrize("row", OTHER_ROWS, ids=str)
independent = pytest.mark.parametrize("row", [row for row in OTHER_ROWS if row.family != "pairs"], ids=str)


def gradient(loss, y_true, y_pred, sample_weight=None, jit=None):
    return value_and_grad(lambda p: loss(y_true, p, sample_weight), y_pred, jit=jit)


@other
def test_unreduced_is_one_value_per_sample(row):
    y_true, y_pred = row.batch()
    each = value(row.build(reduction="none"), y_true, y_pred)
    assert each.shape == (4,)
    assert np.ptp(each) > 1e-3
    same(ops.convert_to_numpy(row.build().call(ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred))), each)
    same(value(row.build(), y_true, y_pred), each.mean())
    same(value(row.build(reduction="sum"), y_true, y_pred), each.sum())


@independent
def test_no_sample_sees_another(row):
    y_true, y_pred = row.batch()
    each = value(row.build(reduction="none"), y_true, y_pred)
    same(each, [value(row.build(), y_true[i : i + 1], y_pred[i : i + 1]) for i in range(4)])


@other
def test_default_reduction_follows_keras(row):
    y_true, y_pred = row.batch()
    weight = np.array([0.5, 2.0, 0.0, 1.0], "float32")
    each = value(row.build(reduction="none"), y_true, y_pred)
    expected = (weight * each).sum() / 4
    same(value(row.build(), y_true, y_pred, weight), expected)
    same(value(row.build(), y_true, y_pred, weight[:, None]), expected)
    same(value(row.build(reduction="mean_with_sample_weight"), y_true, y_pred, weight), expected * 4 / weight.sum())


@independent
@pytest.mark.parametrize("reduction", ["sum", "mean_with_sample_weight"])
def test_integer_weights_repeat_samples(row, reduction):
    y_true, y_pred = row.batch()
    times = np.array([2, 0, 1, 1])  # four again: JAX compiles each operation for each shape
    loss = row.build(reduction=reduction)
    weighted, slope = gradient(loss, y_true, y_pred, times.astype("float32"))
    same(weighted, value(loss, np.repeat(y_true, times, 0), np.repeat(y_pred, times, 0)))
    assert np.all(slope[1] == 0)
    assert np.any(slope != 0)


@other
def test_masked_samples_are_deleted(row):
    y_true, y_pred = row.batch()
    kept = np.array([True, False, True, True])
    got = value(row.build(), y_true, masked(y_pred, kept))
    same(got, value(row.build(), y_true[kept], y_pred[kept]))


@other
def test_order_of_samples_does_not_matter(row):
    y_true, y_pred = row.batch()
    order = np.array([2, 0, 3, 1])
    expected, slope = gradient(row.build(), y_true, y_pred)
    got, permuted = gradient(row.build(), y_true[order], y_pred[order])
    same(got, expected)
    same(permuted, slope[order], atol=1e-6 * np.abs(slope).max())


@pytest.mark.parametrize("row", [row for row in EVERY if row.slope], ids=str)
def test_gradient_is_that_of_the_value(row):
    y_true, y_pred = row.batch()
    y_pred = y_pred.astype("float64")
    loss = row.build(dtype="float64")
    rng = np.random.default_rng(5)

    def of_prediction(p):
        return loss(y_true, p)

    with float64.enabled():
        _, slope = value_and_grad(of_prediction, y_pred)
        for _ in range(3):
            step = rng.normal(size=y_pred.shape) * 1e-6
            ahead, behind = (value_and_grad(of_prediction, p)[0] for p in (y_pred + step, y_pred - step))
            assert (ahead - behind) / 2 == pytest.approx((slope * step).sum(), rel=1e-3, abs=1e-11)


@pytest.mark.heavy("XLA compiles each loss", on=("jax", "tensorflow"), seconds=3, light=lambda row: str(row) in FIRST)
@other
def test_jit_equals_eager(row):
    y_true, y_pred = row.batch()
    weight = np.array([0.5, 2.0, 0.0, 1.0], "float32")
    eager = gradient(row.build(), y_true, y_pred, weight, jit=False)
    compiled = gradient(row.build(), y_true, y_pred, weight, jit=True)
    same(compiled[0], eager[0], rtol=1e-5)
    same(compiled[1], eager[1], rtol=1e-4, atol=1e-6 * np.abs(eager[1]).max())


@other
def test_extreme_predictions_stay_finite(row):
    y_true, y_pred = row.batch()
    for truth in (y_true, np.zeros_like(y_true)):

        def of_prediction(p, truth=truth):
            return row.build()(truth, p)

        for change in row.extreme:
            got, slope = value_and_grad(of_prediction, change(y_pred).astype("float32"))
            assert np.isfinite(got)
            assert np.all(np.isfinite(slope))


@other
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(row, dtype):
    y_true, y_pred = row.batch()
    half = ops.cast(ops.convert_to_tensor(y_pred), dtype)
    exact = np.asarray(ops.convert_to_numpy(ops.cast(half, "float32")))
    expected = value(row.build(), y_true, exact)
    same(value(row.build(), y_true, half), expected, rtol=1e-5)
    same(value(row.build(dtype=dtype), y_true, half), expected, rtol=1e-2)


@other
def test_other_batch_sizes_are_refused(row):
    y_true, y_pred = row.batch()
    with pytest.raises(ValueError, match="broadcast"):
        row.build()(y_true[:1], y_pred)
    for weight in (np.ones((3,)), np.ones((4, 7)), np.ones((1, 7))):
        with pytest.raises(ValueError, match=r"sample_weight.*Expected"):
            row.build()(y_true, y_pred, weight.astype("float32"))


@other
def test_config_keeps_every_argument(row):
    loss = row.build(name="mine", dtype="bfloat16", reduction="sum")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()
    assert (again.name, again.dtype, again.reduction) == ("mine", "bfloat16", "sum")


@other
def test_empty_batch_is_zero(row):
    y_true, y_pred = row.batch()
    assert value(row.build(), y_true[:0], y_pred[:0]) == 0


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="unknown sizes inside a traced function are TensorFlow's")
@other
def test_unknown_batch_in_a_traced_function(row):
    import tensorflow as tf

    y_true, y_pred = row.batch()
    weight = np.linspace(0, 1, 4).astype("float32")
    specs = [tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in (y_true, y_pred, weight)]
    traced = tf.function(row.build(), input_signature=specs)
    same(float(traced(y_true, y_pred, weight)), value(row.build(), y_true, y_pred, weight), rtol=1e-5)
