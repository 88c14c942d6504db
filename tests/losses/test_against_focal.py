"""`pos_weight`, `label_smoothing` and `include_background` of the focal loss against Keras, kornia, MONAI and plain loops."""

import keras
import kornia
import monai
import numpy as np
import pytest
import torch

from kerasmith import losses

pytestmark = pytest.mark.formula("values beside an oracle")

RNG = np.random.default_rng(0)
MASK = (RNG.random((2, 5, 6, 1)) < 0.4).astype("float32")
MASK_LOGITS = RNG.normal(0, 2, MASK.shape).astype("float32")
IDS = RNG.integers(0, 3, (2, 5, 6))
ONE_HOT = np.eye(3, dtype="float32")[IDS]
LOGITS = RNG.normal(0, 2, ONE_HOT.shape).astype("float32")
MASKS = (RNG.random(ONE_HOT.shape) < 0.4).astype("float32")


def close(loss, y_true, y_pred, expected):
    assert float(loss(y_true, y_pred)) == pytest.approx(float(expected), rel=2e-5)


def first(x):
    return torch.tensor(np.moveaxis(np.asarray(x, "float64"), -1, 1))


@pytest.mark.parametrize("alpha", [None, 0.3])
def test_label_smoothing(alpha):
    smoothed = {"gamma": 1.5, "label_smoothing": 0.2, "from_logits": True}
    balanced = {"alpha": alpha or 0.25, "apply_class_balancing": alpha is not None}
    binary = keras.losses.BinaryFocalCrossentropy(**smoothed, **balanced)
    close(losses.Focal(alpha=alpha, **smoothed), MASK, MASK_LOGITS, binary(MASK, MASK_LOGITS))
    categorical = keras.losses.CategoricalFocalCrossentropy(alpha=alpha or 1.0, **smoothed)
    for labels in (IDS, ONE_HOT):
        close(losses.Focal(alpha=alpha, **smoothed), labels, LOGITS, categorical(ONE_HOT, LOGITS))


def test_without_focus_it_is_the_cross_entropy():
    for options, y_true, y_pred in (({}, MASK, MASK_LOGITS), ({}, IDS, LOGITS), ({"multi_label": True}, MASKS, LOGITS)):
        ours = losses.Focal(0.0, label_smoothing=0.1, from_logits=True, **options)
        close(ours, y_true, y_pred, losses.CrossEntropy(label_smoothing=0.1, from_logits=True, **options)(y_true, y_pred))


@pytest.mark.parametrize("pos_weight", [3.0, [0.5, 2.0, 4.0]])
def test_pos_weight(pos_weight):
    # kornia weighs both sides: 1 - alpha and alpha.
    weights = torch.tensor(np.broadcast_to(pos_weight, 3).copy())
    kornias = kornia.losses.binary_focal_loss_with_logits(
        first(LOGITS), first(MASKS), alpha=0.3, gamma=2.0, reduction="mean", pos_weight=weights
    )
    close(losses.Focal(2.0, 0.3, pos_weight=pos_weight, multi_label=True, from_logits=True), MASKS, LOGITS, kornias)
    plain = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(LOGITS), torch.tensor(MASKS), pos_weight=weights.float()
    )
    close(losses.Focal(0.0, pos_weight=pos_weight, multi_label=True, from_logits=True), MASKS, LOGITS, plain)


def test_pos_weight_of_one_channel():
    plain = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(MASK_LOGITS), torch.tensor(MASK), pos_weight=torch.tensor([3.0])
    )
    for weight in (3.0, [3.0]):
        close(losses.Focal(0.0, pos_weight=weight, from_logits=True), MASK, MASK_LOGITS, plain)
    close(losses.Focal(0.0, class_weights=[1.0, 3.0], from_logits=True), MASK, MASK_LOGITS, plain)


def test_include_background():
    independent = monai.losses.FocalLoss(include_background=False, gamma=2.0)(first(LOGITS), first(MASKS))
    close(losses.Focal(include_background=False, multi_label=True, from_logits=True), MASKS, LOGITS, independent)
    scores = np.exp(LOGITS - LOGITS.max(-1, keepdims=True)).astype("float64")
    p = scores / scores.sum(-1, keepdims=True)
    of_label = np.take_along_axis(p, IDS[..., None], -1)[..., 0]
    expected = np.mean(np.where(IDS == 0, 0, -((1 - of_label) ** 2) * np.log(of_label)))
    smoothed = np.mean(((0.8 * ONE_HOT + 0.2 / 3) * -((1 - p) ** 2) * np.log(p))[..., 1:].sum(-1))
    for labels in (IDS, ONE_HOT):
        close(losses.Focal(include_background=False, from_logits=True), labels, LOGITS, expected)
        close(losses.Focal(include_background=False, label_smoothing=0.2, from_logits=True), labels, LOGITS, smoothed)
    close(
        losses.Focal(include_background=False, from_logits=True),
        MASK,
        MASK_LOGITS,
        losses.Focal(from_logits=True)(MASK, MASK_LOGITS),
    )


def test_refused_and_saved():
    with pytest.raises(ValueError, match=r"pos_weight.*alpha=\[\.\.\.\]"):
        losses.Focal(pos_weight=2.0)(IDS, LOGITS)
    with pytest.raises(ValueError, match="`pos_weight` needs one number per channel"):
        losses.Focal(pos_weight=[1.0, 2.0], multi_label=True)(MASKS, LOGITS)
    for config in ({"pos_weight": -1.0}, {"label_smoothing": 2.0}, {"include_background": None}):
        with pytest.raises(ValueError, match=next(iter(config))):
            losses.Focal(**config)
    loss = losses.Focal(pos_weight=[1.0, 2.0, 3.0], label_smoothing=0.1, include_background=False, multi_label=True)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert float(again(MASKS, MASKS * 0.5)) == float(loss(MASKS, MASKS * 0.5))
    each = losses.focal(MASKS, MASKS * 0.5, pos_weight=[1.0, 2.0, 3.0], multi_label=True)
    assert each.shape == (2,)


@pytest.mark.parametrize("from_logits", [True, False])
def test_all_of_it_beside_dice(from_logits):
    """Terms of `DiceFocal` against MONAI's Dice and the sums above: kornia's weight, and plain loops."""
    y_pred = LOGITS if from_logits else 1 / (1 + np.exp(-LOGITS))
    dice = monai.losses.DiceLoss(sigmoid=True, smooth_nr=0.0, smooth_dr=0.0)(first(LOGITS), first(MASKS))
    weight, smoothing = np.array([0.5, 2.0, 4.0]), 0.2
    focal = kornia.losses.binary_focal_loss_with_logits(
        first(LOGITS), first(MASKS), alpha=0.3, gamma=1.5, reduction="mean", pos_weight=torch.tensor(weight)
    )
    options = {"multi_label": True, "from_logits": from_logits, "smooth": 0.0}
    loss = losses.DiceFocal(0.4, 1.5, gamma=1.5, alpha=0.3, pos_weight=weight.tolist(), **options)
    close(loss, MASKS, y_pred, 0.4 * dice + 1.5 * focal)
    p, y = 1 / (1 + np.exp(-LOGITS.astype("float64"))), (1 - smoothing) * MASKS + smoothing / 2
    by_channel = (y + p - 2 * y * p) ** 1.5 * -(y * np.log(p) + (1 - y) * np.log(1 - p)) * (1 + (weight - 1) * y)
    loss = losses.DiceFocal(
        0.4, 1.5, gamma=1.5, pos_weight=weight.tolist(), label_smoothing=smoothing, focal_background=False, **options
    )
    close(loss, MASKS, y_pred, 0.4 * dice + 1.5 * by_channel[..., 1:].mean())
    for config in ({"pos_weight": -1.0}, {"label_smoothing": 2.0}, {"focal_background": None}):
        with pytest.raises(ValueError, match=next(iter(config)).removeprefix("focal_")):
            losses.DiceFocal(**config)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert float(again(MASKS, y_pred)) == float(loss(MASKS, y_pred))
    assert losses.dice_focal(MASKS, y_pred, pos_weight=2.0, multi_label=True, from_logits=from_logits).shape == (2,)


def test_one_alpha_never_makes_the_background_negative():
    with pytest.raises(ValueError, match=r"alpha=2\.0\. Write `pos_weight=2\.0`"):
        losses.Focal(alpha=2.0)(np.ones((2, 3, 1)), np.full((2, 3, 1), 0.5))
    # A common factor of competing classes.
    given = np.array([[0, 1, 1]]), np.full((1, 3, 2), 0.5, "float32")
    assert float(losses.Focal(alpha=2.0)(*given)) == pytest.approx(2 * float(losses.Focal()(*given)))
