"""Missing labels and weights of single targets: only that element is left out, as plain loops and scikit-learn say."""

import math

import keras
import numpy as np
import pytest
from keras import ops
from sklearn import metrics as sklearn_metrics

from kerasmith import losses, metrics
from tests.support.gradients import value_and_grad

Y = np.array([[1, -1, 0], [0, 1, -1], [1, 0, 1], [0, 0, 1]])
P = np.array([[0.9, 0.3, 0.2], [0.4, 0.6, 0.7], [0.3, 0.2, 0.8], [0.2, 0.7, 0.1]], "float32")
KNOWN = Y >= 0
NAN = np.where(KNOWN, Y, math.nan).astype("float32")
# The three spellings of one thing.
SPELLINGS = {
    "ignore_class": ({"ignore_class": -1}, (Y, P)),
    "missing": ({"missing": "nan"}, (NAN, P)),
    "weights": ({}, (np.maximum(Y, 0), P, KNOWN.astype("float32"))),
}
spellings = pytest.mark.parametrize("spelling", SPELLINGS)

RNG = np.random.default_rng(0)
MASKS = RNG.integers(-1, 2, (3, 4, 5, 2))  # images of two independent masks, a third of the labels missing
MASKS[1, ..., 0] = -1  # one mask of one image is not labelled at all
SCORES = RNG.uniform(0.05, 0.95, MASKS.shape).astype("float32")


def cross_entropy(y, p):
    return -math.log(p if y else 1 - p)


def mean_of_known(y_true, y_pred, of_element):
    """Loops over the labelled elements of each sample, then the mean over samples."""
    each = []
    for y, p in zip(y_true.reshape(len(y_true), -1), y_pred.reshape(len(y_true), -1), strict=True):
        each.append(np.mean([of_element(label, float(score)) for label, score in zip(y, p, strict=True) if label >= 0]))
    return np.mean(each)


def dice_of_known(y_true, y_pred, smooth):
    """Dice loss of each mask by its labelled pixels; the mean over the masks that have one."""
    each = []
    for y, p in zip(y_true, y_pred, strict=True):
        masks = []
        for c in range(y.shape[-1]):
            pixels = [(label, float(score)) for label, score in zip(y[..., c].ravel(), p[..., c].ravel()) if label >= 0]
            if pixels:
                both = sum(label * score for label, score in pixels)
                masks.append(1 - (2 * both + 2 * smooth) / (sum(a + b for a, b in pixels) + 2 * smooth))
        each.append(np.mean(masks))
    return np.mean(each)


@pytest.mark.parametrize(
    ("loss", "oracle"),
    [
        (losses.CrossEntropy, cross_entropy),
        (losses.Focal, lambda y, p: ((1 - p) if y else p) ** 2 * cross_entropy(y, p)),
    ],
)
def test_a_missing_label_of_one_channel_leaves_the_others(loss, oracle):
    how = {"multi_label": True, "ignore_class": -1}
    value, gradient = value_and_grad(lambda p: loss(**how)(Y, p), P)
    assert value == pytest.approx(mean_of_known(Y, P, oracle), rel=1e-5)
    assert (gradient[~KNOWN] == 0).all()
    assert (gradient[KNOWN] != 0).all()
    assert float(loss(multi_label=True, missing="nan")(NAN, P)) == pytest.approx(value)
    expected = mean_of_known(MASKS, SCORES, oracle)
    assert float(loss(**how)(MASKS, SCORES)) == pytest.approx(expected, rel=1e-5)
    first = [np.moveaxis(x, -1, 1) for x in (MASKS, SCORES)]
    assert float(loss(axis=1, **how)(*first)) == pytest.approx(expected, rel=1e-5)


def test_the_number_of_the_report():
    assert float(losses.CrossEntropy(multi_label=True, ignore_class=-1)(Y, P)) == pytest.approx(0.6171, abs=5e-5)


def test_weights_of_targets_follow_the_rule_of_pixels():
    weight, labels = RNG.random(Y.shape).astype("float32"), np.maximum(Y, 0)
    each = np.vectorize(cross_entropy)(labels, P)
    loss = losses.CrossEntropy(multi_label=True)
    assert float(loss(labels, P, weight)) == pytest.approx((each * weight).mean(), rel=1e-5)
    known = mean_of_known(Y, P, cross_entropy)
    loss = losses.CrossEntropy(multi_label=True, ignore_class=-1)
    assert float(loss(Y, P, np.where(KNOWN, 1.0, 9.0))) == pytest.approx(known, rel=1e-5)
    total = losses.CrossEntropy(multi_label=True, reduction="mean_with_sample_weight")
    assert float(total(labels, P, weight)) == pytest.approx((each * weight).sum() / weight.sum(), rel=1e-5)
    with pytest.raises(ValueError, match=r"\(4, 3\) does not fit"):
        losses.CrossEntropy()(labels, P, weight)  # competing classes make one decision
    hardest = losses.CrossEntropy(multi_label=True, ignore_class=-1, top_k=1)
    assert float(hardest(Y, P)) == pytest.approx(known, rel=1e-5)  # of one place


def test_masks_without_a_label_leave_the_mean_of_region_losses():
    how = {"multi_label": True, "ignore_class": -1}
    expected = dice_of_known(MASKS, SCORES, 1e-5)
    assert float(losses.Dice(**how)(MASKS, SCORES)) == pytest.approx(expected, rel=1e-4)
    nan = np.where(MASKS < 0, math.nan, MASKS)
    assert float(losses.Dice(multi_label=True, missing="nan")(nan, SCORES)) == pytest.approx(expected, rel=1e-4)
    weight = (MASKS >= 0).astype("float32")
    assert float(losses.Dice(multi_label=True)(np.maximum(MASKS, 0), SCORES, weight)) == pytest.approx(expected, rel=1e-4)
    decided = (SCORES > 0.5).astype("float32")
    score = metrics.DiceScore(2, average=None, **how)
    score.update_state(MASKS, SCORES)
    result = score.result()
    for c, images in enumerate([[0, 2], [0, 1, 2]]):
        picked = MASKS[images][..., c : c + 1], decided[images][..., c : c + 1]
        assert float(result[f"dice_score_{c}"]) == pytest.approx(1 - dice_of_known(*picked, 0.0), rel=1e-5)
    for loss in (losses.Lovasz, losses.UnifiedFocal, losses.GeneralizedDice, losses.HausdorffDT, losses.Boundary):
        value, gradient = value_and_grad(lambda p, loss=loss: loss(**how)(MASKS, p), SCORES)
        assert math.isfinite(value)
        assert (gradient[MASKS < 0] == 0).all(), loss


@spellings
def test_metrics_leave_out_single_channels(spelling):
    how, batch = SPELLINGS[spelling]

    def of(metric):
        metric.update_state(*batch)
        return metric.result()

    auc, precision = (of(metric(multi_label=True, **how)) for metric in (metrics.AUC, metrics.AveragePrecision))
    counts = metrics.ConfusionMatrix(3, multi_label=True, **how)
    counts.update_state(*batch)
    for c in range(3):
        y, p = Y[KNOWN[:, c], c], P[KNOWN[:, c], c]
        assert float(auc[f"auc_{c}"]) == pytest.approx(sklearn_metrics.roc_auc_score(y, p), abs=1e-4)
        expected = sklearn_metrics.average_precision_score(y, p)
        assert float(precision[f"average_precision_{c}"]) == pytest.approx(expected, abs=1e-4)
        np.testing.assert_array_equal(counts.matrix()[c], sklearn_metrics.confusion_matrix(y, p > 0.5))
    brier = sklearn_metrics.brier_score_loss(Y[KNOWN], P[KNOWN])
    assert float(of(metrics.Brier(multi_label=True, **how))) == pytest.approx(brier, rel=1e-5)
    assert float(of(metrics.CalibrationError(multi_label=True, **how))["calibration_cases"]) == KNOWN.sum()


def test_missing_labels_of_other_forms():
    ids = np.array([[0, 2, math.nan]], "float32")
    scores = RNG.dirichlet((1, 1, 1), (1, 3)).astype("float32")
    known = float(losses.CrossEntropy()(ids[:, :2], scores[:, :2]))
    assert float(losses.CrossEntropy(missing="nan")(ids, scores)) == pytest.approx(known, rel=1e-5)
    one_hot = np.eye(3, dtype="float32")[[[0, 2, 1]]]
    one_hot[0, 2, 1] = math.nan
    assert float(losses.CrossEntropy(missing="nan")(one_hot, scores)) == pytest.approx(known, rel=1e-5)
    mask = np.array([[1, 0, math.nan]], "float32")
    expected = mean_of_known(np.array([[1, 0]]), scores[..., :2, 0], cross_entropy)
    assert float(losses.CrossEntropy(missing="nan")(mask, scores[..., :1])) == pytest.approx(expected, rel=1e-5)
    for make in (losses.Dice, losses.PenalizedMSE, metrics.IoU):
        with pytest.raises(ValueError, match="`missing` must be one of None, 'nan'"):
            make(missing=-1)


TARGETS = np.array([[1.0, math.nan, 0.0], [math.nan, 1.0, 2.0], [math.nan] * 3], "float32")
PREDICTED = np.array([[1.5, 2.0, 0.25], [1.0, 1.0, 1.0], [3.0, 3.0, 3.0]], "float32")


@pytest.mark.parametrize(
    ("make", "widen", "of_element"),
    [
        (losses.PenalizedMSE, lambda p: p, lambda e, p: e**2 + 0.1 * abs(p)),
        (losses.Charbonnier, lambda p: p, lambda e, p: math.sqrt(e**2 + 1e-6)),
        (lambda **how: losses.Pinball(0.25, **how), lambda p: p, lambda e, p: max(0.25 * e, -0.75 * e)),
        (
            lambda **how: losses.Pinball([0.25, 0.5], **how),
            lambda p: np.stack([p, p], -1),
            lambda e, p: (max(0.25 * e, -0.75 * e) + 0.5 * abs(e)) / 2,
        ),
        (losses.GaussianNLL, lambda p: np.concatenate([p, 0 * p], -1), lambda e, p: e**2 / 2),
    ],
)
def test_regressions_of_several_targets(make, widen, of_element):
    weight = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, 1.0], [1.0, 1.0, 1.0]], "float32")
    each = np.vectorize(of_element)(TARGETS - PREDICTED, PREDICTED)
    known = np.isfinite(TARGETS)
    expected = [each[0, [0, 2]].mean(), each[1, [1, 2]].mean(), 0.0]
    loss = make(missing="nan", reduction="none")
    np.testing.assert_allclose(ops.convert_to_numpy(loss(TARGETS, widen(PREDICTED))), expected, rtol=1e-3)
    each = np.where(known, each, 0) * weight
    got = ops.convert_to_numpy(loss(TARGETS, widen(PREDICTED), weight))
    np.testing.assert_allclose(got, each.sum(1) / np.maximum(known.sum(1), 1), rtol=1e-3)
    got = ops.convert_to_numpy(make(reduction="none")(np.nan_to_num(TARGETS), widen(PREDICTED), weight * known))
    np.testing.assert_allclose(got, each.sum(1) / 3, rtol=1e-3)
    value, gradient = value_and_grad(lambda p: make(missing="nan")(TARGETS, p), widen(PREDICTED))
    assert math.isfinite(value)
    assert np.isfinite(gradient).all()
    assert (gradient[2] == 0).all()
    assert math.isnan(float(make()(TARGETS, widen(PREDICTED))))


@pytest.mark.heavy("trains a model, compiled for seconds", on=("tensorflow", "jax"), seconds=3)
def test_in_fit():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="sigmoid")])
    how = {"multi_label": True, "missing": "nan"}
    model.compile("sgd", losses.CrossEntropy(**how), weighted_metrics=[metrics.AUC(**how), metrics.Brier(**how)])
    history = model.fit(P, NAN, sample_weight=np.ones_like(P), batch_size=2, epochs=2, verbose=0).history
    assert np.isfinite([history["loss"], history["brier"], history["auc_macro"]]).all()
