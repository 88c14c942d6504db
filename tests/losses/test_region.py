"""What holds for the region family beyond the battery: scopes, empty images, the meaning of alpha and beta."""

import numpy as np
import pytest
from keras import ops

from kerasmith import losses
from tests.losses.battery import ROWS, batch
from tests.losses.test_battery import CHANNELS, gradient, same, value

WITH_REGION = pytest.mark.parametrize("row", [row for row in ROWS if row.family != "pixel"], ids=str)
REGION = pytest.mark.parametrize("row", [row for row in ROWS if row.family == "region"], ids=str)


@WITH_REGION
@CHANNELS
def test_batch_scope_of_one_image_is_image_scope(row, channels):
    data = batch(channels)
    same(
        value(row.build(scope="batch"), data.y_true[:1], data.y_pred[:1]), value(row.build(), data.y_true[:1], data.y_pred[:1])
    )


@REGION
@CHANNELS
def test_batch_scope_joins_all_images_into_one(row, channels):
    data = batch(channels)
    joined = data.y_true.reshape(1, 24, 5, -1), data.y_pred.reshape(1, 24, 5, -1)
    whole = value(row.build(scope="batch", reduction="none"), data.y_true, data.y_pred)
    same(whole, np.full(4, value(row.build(), *joined)))


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r.config.get("absent") != "skip" and "label_smoothing" not in r.config], ids=str
)
def test_empty_mask_prefers_no_false_positives(row):
    empty = np.zeros((2, 8, 8, 1), "float32")
    few, many = empty.copy(), empty.copy()
    few[:, 0, 0], many[:, :4] = 0.4, 0.9
    perfect = value(row.build(), empty, empty)
    assert perfect < 1e-6
    assert perfect < value(row.build(), empty, few) <= value(row.build(), empty, many)
    _, slope = gradient(row.build(), empty, np.full_like(empty, 0.3))
    assert np.all(slope > 0)


def test_absent_classes_are_skipped_on_request():
    data = batch(3)
    ids = np.where(data.ids == 2, 0, data.ids)
    each = [value(losses.Dice(class_weights=w), ids, data.y_pred) for w in ([1, 0, 0], [0, 1, 0])]
    same(value(losses.Dice(absent="skip"), ids, data.y_pred), np.mean(each))
    assert value(losses.Dice(), ids, data.y_pred) > np.mean(each)
    empty = np.zeros((2, 8, 8, 1), "float32")
    got, slope = gradient(losses.Dice(absent="skip"), empty, empty + 0.5)
    assert got == 0
    assert np.all(slope == 0)


def test_background_can_be_left_out():
    data = batch(3)
    same(
        value(losses.Dice(include_background=False), data.ids, data.y_pred),
        value(losses.Dice(class_weights=[0, 1, 1]), data.ids, data.y_pred),
    )
    binary = batch(1)
    same(
        value(losses.Dice(include_background=False), binary.y_true, binary.y_pred),
        value(losses.Dice(), binary.y_true, binary.y_pred),
    )


@pytest.mark.parametrize("loss", [losses.Tversky, losses.FocalTversky])
def test_alpha_weighs_false_positives_and_beta_false_negatives(loss):
    truth = np.zeros((1, 4, 4, 1), "float32")
    truth[:, :2] = 1
    more, less = truth.copy(), truth.copy()
    more[:, 2], less[:, 1] = 1, 0
    assert value(loss(alpha=0.9, beta=0.1), truth, more) > value(loss(alpha=0.1, beta=0.9), truth, more)
    assert value(loss(alpha=0.9, beta=0.1), truth, less) < value(loss(alpha=0.1, beta=0.9), truth, less)
    # 8 true, 4 false negatives, no false positives: TP = 4, so 1 - 4 / (4 + 4 beta)
    same(value(losses.Tversky(alpha=0.9, beta=0.1, smooth=0), truth, less), 1 - 4 / 4.4)
    same(value(losses.Tversky(alpha=0.9, beta=0.1, smooth=0), truth, more), 1 - 8 / (8 + 3.6))


def test_tversky_contains_dice_and_jaccard():
    data = batch(3)
    same(value(losses.Tversky(0.5, 0.5), data.ids, data.y_pred), value(losses.Dice(), data.ids, data.y_pred))
    same(value(losses.Tversky(1.0, 1.0), data.ids, data.y_pred), value(losses.Jaccard(), data.ids, data.y_pred))
    same(
        value(losses.FocalTversky(0.2, 0.6, 1.0), data.ids, data.y_pred),
        value(losses.Tversky(0.2, 0.6), data.ids, data.y_pred),
    )
    same(value(losses.Focal(gamma=0.0), data.ids, data.y_pred), value(losses.CrossEntropy(), data.ids, data.y_pred))


def test_focal_tversky_gradient_is_finite_at_a_perfect_prediction():
    truth = batch(1).y_true
    got, slope = gradient(losses.FocalTversky(), truth, truth)
    assert abs(got) < 1e-4
    assert np.all(np.isfinite(slope))
    near = np.clip(truth, 1e-3, 1 - 1e-3).astype("float32")
    _, slope = gradient(losses.FocalTversky(), truth, near)
    assert np.all(np.where(truth > 0, slope < 0, slope > 0))


def test_independent_channels_use_a_sigmoid_each():
    rng = np.random.default_rng(5)
    truth = (rng.random((3, 7, 7, 3)) > 0.6).astype("float32")
    logits = rng.normal(size=truth.shape).astype("float32")
    for loss in (losses.Dice, losses.CrossEntropy, losses.Focal):
        per_channel = [value(loss(from_logits=True), truth[..., c : c + 1], logits[..., c : c + 1]) for c in range(3)]
        same(value(loss(from_logits=True, multi_label=True), truth, logits), np.mean(per_channel))
        first = np.moveaxis(truth, -1, 1), np.moveaxis(logits, -1, 1)
        same(value(loss(from_logits=True, multi_label=True, axis=1), *first), np.mean(per_channel))


def test_functions_return_the_unreduced_loss():
    data = batch(3)
    weight = np.array([1.0, 2.0, 0.0, 1.0], "float32")
    expected = value(losses.FocalTversky(gamma=2.0, reduction="none"), data.ids, data.y_pred, weight)
    same(value(losses.focal_tversky, data.ids, data.y_pred, gamma=2.0, sample_weight=weight), expected)
    with pytest.raises(TypeError, match=r"losses\.Dice"):
        losses.dice(data.ids, data.y_pred, reduction="sum")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: losses.Tversky(alpha=-0.1), "`alpha`.*>= 0"),
        (lambda: losses.FocalTversky(gamma=0), "`gamma`.*> 0"),
        (lambda: losses.Dice(scope="pixel"), "'image', 'batch'.*'pixel'"),
        (lambda: losses.Dice(smooth=-1), "`smooth`"),
        (lambda: losses.Dice(labels="onehot"), "'one_hot'"),
        (lambda: losses.Dice(absent="ignore"), "'score', 'skip'"),
        (lambda: losses.Dice(reduction="average"), "`reduction`"),
        (lambda: losses.Dice(class_weights=[1, -1]), r"class_weights\[1\]"),
        (lambda: losses.DiceIoU(dice_weight=1.5), "<= 1"),
        (lambda: losses.Dice(axis=2), "`axis`"),
        (lambda: losses.Dice(class_weights=[1, 1])(batch(3).ids, batch(3).y_pred), "2 weights for 3 channels"),
        (lambda: losses.CrossEntropy(class_weights=[1, 1])(batch(3).ids, batch(3).y_pred), "2 for 3 channels"),
        (lambda: losses.Dice(ignore_class=7)(batch(3).y_true, batch(3).y_pred), "one-hot labels of 3 channels"),
        (lambda: losses.Dice()(np.zeros(4), np.zeros(4)), "channel axis"),
    ],
)
def test_bad_input_is_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_arguments_of_the_wrong_type_are_named():
    with pytest.raises(TypeError, match="`alpha` must be a number"):
        losses.Tversky(alpha="0.5")
    with pytest.raises(TypeError, match="`class_weights`"):
        losses.Dice(class_weights=2)
    with pytest.raises(TypeError, match="smoth"):
        losses.Dice(smoth=1.0)


def test_large_volumes_keep_their_sums():
    rng = np.random.default_rng(6)
    truth = (rng.random((1, 128, 128, 128, 1)) < 0.001).astype("float32")
    prediction = np.clip(truth * 0.8 + rng.random(truth.shape).astype("float32") * 0.01, 0, 1)
    exact = prediction.astype("float64")
    expected = 1 - 2 * (exact * truth).sum() / (exact.sum() + truth.sum())
    same(value(losses.Dice(smooth=0), truth, prediction), expected, rtol=2e-6)
    assert ops.convert_to_numpy(losses.Dice()(truth, prediction)).dtype == np.float32
