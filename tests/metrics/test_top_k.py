"""Decisions by the k largest scores, against torchmetrics, scikit-learn and Keras."""

import keras
import numpy as np
import pytest
import torch
from keras import ops
from sklearn import metrics as sk
from torchmetrics.functional import classification as tm

from kerasmith import metrics
from tests.metrics.test_confusion_metrics import batch, run

REPORT = ["precision", "recall", "f1"]


@pytest.mark.parametrize("k", [1, 2, 4])
def test_competing_classes_equal_torchmetrics(k):
    ids, scores = batch((60,), 4)
    scores = np.roll(scores, 1, axis=-1)  # the true class is seldom the largest
    for average in ("macro", "micro", "weighted"):
        metric = metrics.ConfusionMatrix(4, report=REPORT, average=average, absent="skip_both", top_k=k, name="m")
        got = run(metric, (ids[:7], scores[:7]), (ids[7:], scores[7:]))
        for key in REPORT:
            theirs = getattr(tm, f"multiclass_{key if key != 'f1' else 'f1_score'}")
            expected = theirs(torch.tensor(scores), torch.tensor(ids), 4, average=average, top_k=k)
            assert got[f"m_{key}"] == pytest.approx(float(expected), rel=1e-5)
        assert got["m_accuracy"] == pytest.approx(sk.top_k_accuracy_score(ids, scores, k=k, labels=range(4)), rel=1e-6)
    hits = run(metrics.TruePositives(4, top_k=k), (ids, scores))
    assert hits == pytest.approx(60 * got["m_accuracy"])


def test_pixels_weights_logits_and_axis():
    ids, scores = batch((3, 4, 5), 4)
    weight = np.random.default_rng(1).random(ids.shape).astype("float32")
    expected = sk.top_k_accuracy_score(ids[ids != 2], scores[ids != 2], k=2, labels=range(4), sample_weight=weight[ids != 2])
    for axis, y_pred in ((-1, scores), (1, np.moveaxis(scores, -1, 1))):
        for from_logits in (False, True):
            metric = metrics.ConfusionMatrix(4, top_k=2, ignore_class=2, axis=axis, from_logits=from_logits, name="m")
            got = run(metric, (ids, np.log(y_pred) if from_logits else y_pred, weight))
            assert got["m_accuracy"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("k", [1, 3])
def test_independent_classes_equal_keras(k):
    rng = np.random.default_rng(3)
    y, p = (rng.random((20, 5)) < 0.4).astype("float32"), rng.random((20, 5)).astype("float32")
    got = run(metrics.ConfusionMatrix(5, multi_label=True, top_k=k, average="micro", name="m"), (y, p))
    for key, theirs in (("precision", keras.metrics.Precision(top_k=k)), ("recall", keras.metrics.Recall(top_k=k))):
        theirs.update_state(y, p)
        assert got[f"m_{key}"] == pytest.approx(float(ops.convert_to_numpy(theirs.result())), rel=1e-5)


def test_equal_scores_count_in_the_order_of_classes():
    constant = np.full((5, 5), 0.2, "float32")
    got = run(metrics.ConfusionMatrix(5, top_k=2, name="m"), (np.arange(5), constant))
    assert got["m_accuracy"] == pytest.approx(2 / 5)
    one_above = np.tile(np.array([0.2, 0.2, 0.4, 0.2, 0.2], "float32"), (5, 1))  # class 2, then 0 of the equal ones
    assert run(metrics.ConfusionMatrix(5, top_k=2, name="m"), (np.arange(5), one_above))["m_accuracy"] == pytest.approx(2 / 5)
    matrix = metrics.ConfusionMatrix(5, top_k=2)
    matrix.update_state(np.array([0, 1, 2, 3, 7]), constant)  # 7 is no class
    assert matrix.matrix().tolist() == [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0] * 5]
    assert matrix.out_of_range() == 1


def test_in_evaluate():
    ids, scores = batch((12,), 4)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Activation("linear")])
    model.compile(loss="sparse_categorical_crossentropy", metrics=[metrics.ConfusionMatrix(4, top_k=2, name="m")])
    got = model.evaluate(scores, ids, batch_size=5, verbose=0, return_dict=True)
    assert got["m_accuracy"] == pytest.approx(sk.top_k_accuracy_score(ids, scores, k=2, labels=range(4)), rel=1e-6)


def test_bad_input_is_named():
    for config, words in (
        ({"top_k": 0}, "`top_k`"),
        ({"top_k": 5}, "at most 4, the number of classes"),
        ({"top_k": 2, "predictions": "ids"}, "without a threshold"),
        ({"top_k": 2, "threshold": 0.3}, "without a threshold"),
    ):
        with pytest.raises(ValueError, match=words):
            metrics.ConfusionMatrix(4, **config)
    ids, scores = batch((12,), 4)
    with pytest.raises(ValueError, match="class ids in y_pred"):
        metrics.ConfusionMatrix(4, top_k=2).update_state(ids, scores.argmax(-1))
    with pytest.raises(ValueError, match="one channel"):
        metrics.ConfusionMatrix(2, top_k=1).update_state(ids > 1, scores[:, :1])
    with pytest.raises(ValueError, match="top_k=2 in"):
        metrics.Shared([metrics.ConfusionMatrix(4, top_k=2), metrics.MCC(4)])
