"""What must hold for every loss, whatever its formula: weights, masks, order, labels, precision."""

import keras
import numpy as np
import pytest
from keras import ops
from keras.src.backend import set_keras_mask

from tests.losses.battery import ROWS, batch, first_of_family
from tests.support.gradients import value_and_grad


def of_family(row, **others):
    """Each row is asked once, and each family with each number of channels and each other option."""
    return [str(row), (row.family, *others.values())]


pytestmark = [pytest.mark.parametrize("row", ROWS, ids=str), pytest.mark.thinned("each row compiles anew", by=of_family)]
CHANNELS = pytest.mark.parametrize("channels", [1, 3])
FIRST = first_of_family(ROWS)


def value(loss, *arguments, **keywords):
    # By way of float32: NumPy cannot read a bfloat16 scalar of TensorFlow.
    return np.asarray(ops.convert_to_numpy(ops.cast(loss(*arguments, **keywords), "float32")), "float64")


def gradient(loss, y_true, y_pred, sample_weight=None, jit=False):
    return value_and_grad(lambda p: loss(y_true, p, sample_weight), y_pred, jit=jit)


def masked(prediction, mask):
    """The prediction as a layer with a mask would hand it on."""
    prediction = ops.convert_to_tensor(prediction)
    set_keras_mask(prediction, ops.convert_to_tensor(mask))
    return prediction


def same(a, b, rtol=2e-6, atol=1e-7):
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


@CHANNELS
def test_unreduced_is_one_value_per_sample(row, channels):
    data = batch(channels)
    each = value(row.build(reduction="none"), data.y_true, data.y_pred)
    assert each.shape == (4,)
    alone = [value(row.build(), data.y_true[i : i + 1], data.y_pred[i : i + 1]) for i in range(4)]
    same(each, alone)
    same(ops.convert_to_numpy(row.build().call(ops.convert_to_tensor(data.y_true), ops.convert_to_tensor(data.y_pred))), each)
    same(value(row.build(), data.y_true, data.y_pred), each.mean())
    assert np.ptp(each) > 1e-3


@CHANNELS
@pytest.mark.parametrize("reduction", ["sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("scope", ["image", "batch"])
def test_integer_weights_repeat_samples(row, channels, reduction, scope):
    data, times = batch(channels), np.array([2, 0, 1, 1])  # four again: JAX compiles each operation for each shape
    loss = row.build(reduction=reduction, **({} if row.family == "pixel" else {"scope": scope}))
    weighted, slope = gradient(loss, data.y_true, data.y_pred, times.astype("float32"))
    repeated = value(loss, np.repeat(data.y_true, times, 0), np.repeat(data.y_pred, times, 0))
    same(weighted, repeated)
    assert np.all(slope[1] == 0)
    assert np.any(slope[0] != 0)


@CHANNELS
def test_default_reduction_follows_keras(row, channels):
    data, weight = batch(channels), np.array([0.5, 2.0, 0.0, 1.0], "float32")
    each = value(row.build(reduction="none"), data.y_true, data.y_pred)
    expected = (weight * each).sum() / 4
    same(value(row.build(), data.y_true, data.y_pred, weight), expected)
    same(value(row.build(), data.y_true, data.y_pred, weight[:, None]), expected)
    same(value(row.build(), data.y_true, data.y_pred, weight[:, None, None, None]), expected)


@CHANNELS
def test_pixel_weights(row, channels):
    data = batch(channels)
    weight = np.random.default_rng(1).random((4, 6, 5)).astype("float32")
    weight[:, :, 3:] = 0
    kept = slice(None), slice(None), slice(0, 3)
    cropped = data.y_true[kept], data.y_pred[kept]
    binary = (weight > 0).astype("float32")
    loss = row.build(reduction="mean_with_sample_weight")
    got, slope = gradient(loss, data.y_true, data.y_pred, binary)
    same(got, value(loss, *cropped))
    assert np.all(slope[:, :, 3:] == 0)
    same(got, value(loss, data.y_true, data.y_pred, binary[..., None]))
    if row.family == "region":
        same(value(row.build(), data.y_true, data.y_pred, binary), value(row.build(), *cropped))
        doubled = value(row.build(smooth=0), data.y_true, data.y_pred, 2 * weight)
        same(doubled, value(row.build(smooth=0), data.y_true, data.y_pred, weight))
    if row.family == "pixel":
        same(value(row.build(), data.y_true, data.y_pred, binary), value(row.build(), *cropped) * 3 / 5)
        same(
            value(row.build(), data.y_true, data.y_pred, 2 * weight), 2 * value(row.build(), data.y_true, data.y_pred, weight)
        )


@CHANNELS
def test_order_of_samples_and_pixels_does_not_matter(row, channels):
    data, rng = batch(channels), np.random.default_rng(2)
    expected, slope = gradient(row.build(), data.y_true, data.y_pred)
    order = rng.permutation(4)
    got, permuted = gradient(row.build(), data.y_true[order], data.y_pred[order])
    same(got, expected)
    same(permuted, slope[order])
    order = rng.permutation(30)
    # JAX compiles each operation for each shape: there the pixels stay an image.
    shape = (4, 6, 5, -1) if keras.backend.backend() == "jax" else (4, 30, -1)
    moved = [x.reshape(4, 30, -1)[:, order].reshape(shape) for x in (data.y_true, data.y_pred, slope)]
    got, permuted = gradient(row.build(), *moved[:2])
    same(got, expected)
    same(permuted, moved[2])


@CHANNELS
@pytest.mark.parametrize("logits", [False, True])
def test_all_forms_of_labels_agree(row, channels, logits):
    data = batch(channels, logits=logits)
    loss = row.build(from_logits=logits)
    expected, slope = gradient(loss, data.y_true, data.y_pred)
    for labels in (data.ids, data.ids[..., None], data.ids.astype("uint8"), data.ids.astype("float32")):
        got, other = gradient(loss, labels, data.y_pred)
        same(got, expected)
        same(other, slope, atol=1e-8)
    same(value(row.build(from_logits=logits, labels="sparse"), data.ids, data.y_pred), expected)
    same(value(row.build(from_logits=logits, labels="one_hot"), data.y_true, data.y_pred), expected)


@CHANNELS
def test_channels_first_equals_channels_last(row, channels):
    data = batch(channels)
    expected, slope = gradient(row.build(), data.y_true, data.y_pred)
    first = np.moveaxis(data.y_true, -1, 1), np.ascontiguousarray(np.moveaxis(data.y_pred, -1, 1))
    got, other = gradient(row.build(axis=1), *first)
    same(got, expected)
    same(np.moveaxis(other, 1, -1), slope)
    same(value(row.build(axis=1), data.ids, first[1]), expected)
    weight = np.random.default_rng(3).random((4, 6, 5)).astype("float32")
    same(value(row.build(axis=1), *first, weight), value(row.build(), data.y_true, data.y_pred, weight))


@CHANNELS
@pytest.mark.parametrize("logits", [False, True])
def test_ignored_pixels_are_deleted(row, channels, logits):
    data = batch(channels, logits=logits)
    ids = data.ids.copy()
    ids[:, :, 3:] = 255
    kept = slice(None), slice(None), slice(0, 3)
    loss = row.build(from_logits=logits)
    ignoring = row.build(from_logits=logits, ignore_class=255)
    expected, _ = gradient(loss, data.ids[kept], data.y_pred[kept])
    got, slope = gradient(ignoring, ids, data.y_pred)
    same(got, expected)
    assert np.all(slope[:, :, 3:] == 0)
    assert np.any(slope[:, :, :3] != 0)
    if channels == 1:
        same(value(ignoring, ids.astype("uint8")[..., None], data.y_pred), expected)
    # A class within the channels can be ignored too, from ids and from one-hot labels.
    inside = row.build(from_logits=logits, ignore_class=channels - 1 or 1)
    same(value(inside, data.ids, data.y_pred), value(inside, data.y_true, data.y_pred))


@CHANNELS
def test_masked_pixels_are_deleted(row, channels):
    data = batch(channels)
    mask = np.ones((4, 6, 5), bool)
    mask[:, :, 3:] = False
    prediction = masked(data.y_pred, mask)
    kept = slice(None), slice(None), slice(0, 3)
    same(value(row.build(), data.y_true, prediction), value(row.build(), data.y_true[kept], data.y_pred[kept]))
    spoiled = data.y_pred.copy()
    spoiled[1] = np.nan  # padding may hold anything
    samples = masked(spoiled, np.array([True, False, True, True]))
    same(value(row.build(), data.y_true, samples), value(row.build(), data.y_true[[0, 2, 3]], data.y_pred[[0, 2, 3]]))


@CHANNELS
@pytest.mark.parametrize("logits", [False, True])
def test_extreme_predictions_stay_finite(row, channels, logits):
    data = batch(channels)
    extreme = np.where(data.y_true > 0.5, 200.0, -200.0) if logits else data.y_true
    for prediction in (extreme, -extreme if logits else 1 - extreme, np.full_like(extreme, extreme.max())):
        for labels in (data.y_true, np.zeros_like(data.y_true), np.ones_like(data.y_true)):
            got, slope = gradient(row.build(from_logits=logits), labels, prediction.astype("float32"))
            assert np.isfinite(got)
            assert np.all(np.isfinite(slope))


@pytest.mark.heavy(
    "XLA compiles each loss", on=("jax", "tensorflow"), seconds=3, light=lambda row, channels: str(row) in FIRST
)
@CHANNELS
def test_jit_equals_eager(row, channels):
    data = batch(channels, logits=True)
    weight = np.random.default_rng(4).random((4, 6, 5)).astype("float32")
    loss = row.build(from_logits=True, ignore_class=channels - 1 or 1)
    eager = gradient(loss, data.y_true, data.y_pred, weight)
    compiled = gradient(loss, data.y_true, data.y_pred, weight, jit=True)
    same(compiled[0], eager[0])
    same(compiled[1], eager[1], rtol=1e-5)


@CHANNELS
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_sums_in_float32(row, channels, dtype):
    data = batch(channels, size=(1, 512, 512))
    y_true = data.y_true[:1]  # one image has more pixels than either type can count
    half = ops.cast(ops.convert_to_tensor(data.y_pred[:1]), dtype)
    exact = np.asarray(ops.convert_to_numpy(ops.cast(half, "float32")), "float64")
    expected = value(row.build(), y_true, exact.astype("float32"))
    got, slope = value_and_grad(lambda p: row.build()(y_true, p), half)
    assert np.isfinite(slope).all()
    same(got, expected, rtol=1e-5)
    coarse = value(row.build(dtype=dtype), y_true, half)
    same(coarse, expected, rtol=1e-2)


def test_shapes_that_would_broadcast_are_refused(row):
    data = batch(3)
    for labels in (data.y_true[:1], data.ids[:, :1], data.ids[:1], data.y_true[..., :2], data.ids[:, 0]):
        with pytest.raises(ValueError, match="broadcast"):
            row.build()(labels, data.y_pred)
    for weight in (np.ones((3,)), np.ones((6, 5)), np.ones((4, 6)), np.ones((4, 6, 5, 3)), np.ones((1, 6, 5))):
        with pytest.raises(ValueError, match=r"sample_weight.*Expected"):
            row.build()(data.y_true, data.y_pred, weight.astype("float32"))
    with pytest.raises(ValueError, match="values from 0 to 3"):
        row.build()(np.where(data.ids == 2, 3, data.ids), data.y_pred)
    with pytest.raises(ValueError, match="0 and 1"):
        row.build()((data.ids * 255).astype("uint8"), batch(1).y_pred)


def test_config_keeps_every_argument(row):
    loss = row.build(from_logits=True, ignore_class=0, name="mine", dtype="bfloat16", reduction="sum")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()
    assert (again.name, again.dtype, again.reduction) == ("mine", "bfloat16", "sum")
    for key, expected in row.config.items():
        assert getattr(again, key) == expected


def test_empty_batch_is_finite(row):
    data = batch(3)
    assert value(row.build(), data.y_true[:0], data.y_pred[:0]) == 0
