"""`average`, `beta` and `absent` of the metrics on classes, against scikit-learn, torchmetrics and plain loops."""

import itertools
import math

import numpy as np
import pytest
import torch
import torchmetrics.functional.segmentation as tm
from keras import ops
from sklearn import metrics as sk

from kerasmith import losses, metrics
from tests.metrics.test_confusion_metrics import values
from tests.metrics.test_overlap_scores import decided, images
from tests.oracles import overlap_loops

AVERAGES = ("macro", "micro", "weighted")
ZERO = {"zero": 0, "skip": np.nan}


def run(metric, *batches):
    for each in batches:
        metric.update_state(*each)
    return values(metric.result())


def classes(seed=0):
    """Ids of 5 classes: 3 is never predicted, 4 neither true nor predicted, 2 is predicted and never true."""
    rng = np.random.default_rng(seed)
    ids, guess = rng.choice([0, 0, 0, 1, 3], 40), rng.choice([0, 1, 2], 40)
    return ids, guess


def several_labels():
    rng = np.random.default_rng(1)
    y = (rng.random((30, 4)) < [0.7, 0.3, 0.2, 0.0]).astype("float32")
    return y, rng.random((30, 4)).astype("float32") * [1, 1, 1, 0.4]


@pytest.mark.parametrize("average", AVERAGES)
def test_confusion_matrix_equals_scikit_learn(average):
    ids, guess = classes()
    y, p = several_labels()
    weight = np.random.default_rng(2).integers(0, 3, 40).astype("float32")
    for absent, beta in (("zero", 2.0), ("skip", 0.5)):
        for config, truth, given, w in (
            ({"num_classes": 5}, ids, guess, weight),
            ({"num_classes": 4, "multi_label": True}, y, p, weight[:30]),
        ):
            metric = metrics.ConfusionMatrix(
                **config, report=["precision", "recall", "f1", "support"], average=average, beta=beta, absent=absent, name="m"
            )
            got = run(metric, *((truth[part], given[part], w[part]) for part in (slice(0, 7), slice(7, None))))
            labels = list(range(config["num_classes"]))
            hard = given > 0.5 if "multi_label" in config else given
            settings = {"labels": labels, "sample_weight": w, "zero_division": ZERO[absent]}
            for beta_of, key in ((beta, "fbeta"), (1.0, "f1")):
                p_r_f = sk.precision_recall_fscore_support(truth, hard, beta=beta_of, average=average, **settings)
                each = sk.precision_recall_fscore_support(truth, hard, beta=beta_of, average=None, **settings)
                np.testing.assert_allclose([got["m_precision"], got["m_recall"], got[f"m_{key}"]], p_r_f[:3], rtol=1e-5)
                np.testing.assert_allclose([got[f"m_{key}_{c}"] for c in labels], each[2], rtol=1e-5)
            assert got["m_support"] == pytest.approx(each[3].mean() if average == "macro" else each[3].sum())


def test_skip_both_leaves_out_what_is_nowhere():
    """By hand: class 2 is predicted and never true, class 3 true and never predicted, class 4 neither."""
    ids, guess = classes()
    got = run(metrics.ConfusionMatrix(5, absent="skip_both", name="m"), (ids, guess))
    each = sk.precision_recall_fscore_support(ids, guess, labels=[0, 1, 2, 3], zero_division=0)
    for key, expected in zip(("precision", "recall", "f1"), each):
        assert got[f"m_{key}"] == pytest.approx(expected.mean())
        assert math.isnan(got[f"m_{key}_4"])
    assert all(math.isnan(value) for key, value in values(metrics.ConfusionMatrix(3, absent="skip_both").result()).items())


def test_no_average_leaves_the_classes():
    got = run(metrics.ConfusionMatrix(5, average=None, report=["recall"], name="m"), classes())
    assert list(got) == ["m_recall_0", "m_recall_1", "m_recall_2", "m_recall_3", "m_recall_4", "m_accuracy", "m_classes"]
    with pytest.raises(ValueError, match="per_class=True"):
        metrics.ConfusionMatrix(5, average=None, per_class=False)
    with pytest.raises(ValueError, match=r"`beta` is missing: write `beta=2.0`"):
        metrics.ConfusionMatrix(5, report=["fbeta"])
    for beta in (0, -1.0):
        with pytest.raises(ValueError, match="`beta`"):
            metrics.DiceScore(beta=beta)
    with pytest.raises(ValueError, match="`class_weights` has no effect"):
        metrics.IoU(average="weighted", class_weights=[1, 2])


KINDS = {"dice": overlap_loops.dice, "iou": overlap_loops.iou, "f2": overlap_loops.f2}


@pytest.mark.parametrize("kind", KINDS)
def test_overlap_equals_plain_loops(kind):
    ids, truth, prediction = images(3)
    masks, several, scores = images(1)[0], *images(3, seed=4)[1:]
    several[1], scores[1] = 0, 0.2  # an image where nothing is true or predicted
    several[5] = 0
    rng = np.random.default_rng(1)
    pixel, sample = rng.integers(0, 3, masks.shape).astype("float32"), rng.random(7).astype("float32")
    kinds = [*itertools.product(["weighted"], overlap_loops.KEPT), *itertools.product(["macro", "micro", None], ["skip_both"])]
    weights = itertools.cycle([({}, None), ({"weight": pixel}, pixel), ({"sample_weight": sample}, sample)])
    for (average, absent), per, multi_label in itertools.product(kinds, ["image", "dataset"], [False, True]):
        config = {"average": average, "per": per, "absent": absent}
        metric = (metrics.IoU if kind == "iou" else metrics.DiceScore)(
            **config, multi_label=multi_label, **({"beta": 2.0} if kind == "f2" else {})
        )
        y_pred = scores if multi_label else prediction
        hard = (scores > 0.5).astype("float64") if multi_label else decided(prediction)
        oracle, weight = next(weights)
        expected = overlap_loops.score(KINDS[kind], several if multi_label else truth, hard, **config, **oracle)
        labels = several if multi_label else ids
        got = run(metric, *((labels[part], y_pred[part], None if weight is None else weight[part]) for part in PARTS))
        np.testing.assert_allclose(list(got.values()) if average is None else got, expected, rtol=1e-5, err_msg=str(config))


PARTS = (slice(0, 3), slice(3, 7))


def test_weighted_overlap_equals_scikit_learn_and_torchmetrics():
    ids, _, prediction = images(3)
    hard = prediction.argmax(-1)
    got = run(metrics.DiceScore(3, average="weighted", per="dataset", beta=2.0), (ids, prediction))
    assert got == pytest.approx(sk.fbeta_score(ids.ravel(), hard.ravel(), beta=2, average="weighted"), rel=1e-6)
    got = run(metrics.IoU(3, average="weighted", per="dataset", report_cases=True), (ids, hard))
    assert got == {"iou": pytest.approx(sk.jaccard_score(ids.ravel(), hard.ravel(), average="weighted")), "iou_cases": 3}
    theirs = tm.dice_score(torch.tensor(hard), torch.tensor(ids), 3, average="weighted", input_format="index")
    assert run(metrics.DiceScore(average="weighted"), (ids, prediction)) == pytest.approx(float(theirs.mean()), rel=1e-6)


def test_false_positives_on_an_absent_class():
    """Image 0: class 1 predicted and absent; image 1: class 1 absent and not predicted; image 2: found."""
    ids = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1]])
    guess = np.array([[0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 1, 1]])
    for absent, expected in (("score", 2 / 3), ("skip", 1.0), ("skip_both", 0.5)):
        got = run(metrics.DiceScore(2, average=None, absent=absent, report_cases=True), (ids, guess))
        assert got["dice_score_1"] == pytest.approx(expected)
        assert got["dice_score_cases_1"] == {"score": 3, "skip": 1, "skip_both": 2}[absent]


LOSSES = {
    "dice": lambda **config: losses.Dice(smooth=0, **config),
    "jaccard": lambda **config: losses.Jaccard(smooth=0, **config),
    "lovasz": losses.Lovasz,
    "unified": lambda **config: losses.UnifiedFocal(weight=0.0, delta=0.5, gamma=0.0, smooth=0, **config),
}


def test_losses_agree_with_the_metrics():
    ids, _, prediction = images(3)
    ids[3] = 0
    prediction[3] = [1, 0, 0]  # nothing but the background, and found
    hard = decided(prediction).astype("float32")
    one_hot = np.eye(3)[ids]
    for name, make in LOSSES.items():
        kind = "dice" if name in ("dice", "unified") else "iou"
        expected = []
        for y, p in zip(one_hot, hard):
            each = [overlap_loops.counts(y[..., c], p[..., c], np.ones(y.shape[:-1])) for c in range(3)]
            expected.append(1 - np.mean([KINDS[kind](*entry) for entry in each if entry[1] + entry[2]]))
        got = ops.convert_to_numpy(make(absent="skip_both", reduction="none")(ids, hard))
        np.testing.assert_allclose(got, expected, atol=1e-5, err_msg=name)
    same = losses.GeneralizedDice(absent="skip_both")(ids, hard)
    np.testing.assert_allclose(ops.convert_to_numpy(same), ops.convert_to_numpy(losses.GeneralizedDice()(ids, hard)))
