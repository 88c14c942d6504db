"""ConfusionMatrix, CohenKappa, MCC and TruePositives against scikit-learn and pycm; exactness, ids out of range."""

import keras
import numpy as np
import pycm
import pytest
from keras import ops
from sklearn import metrics as sk

from kerasmith import losses, metrics
from kerasmith.metrics import class_counts

CLASSES = 4
JIT = [
    False,
    pytest.param(
        True,
        marks=pytest.mark.skipif(
            keras.backend.backend() == "torch",
            reason="Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time",
        ),
    ),
]


def batch(shape=(6, 8, 5), classes=CLASSES, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, classes, shape)
    scores = rng.random((*shape, classes)).astype("float32") + 0.5 * np.eye(classes, dtype="float32")[ids]
    return ids, scores / scores.sum(-1, keepdims=True)


def run(metric, *batches):
    for each in batches:
        metric.update_state(*each)
    return values(metric.result())


def values(result):
    if isinstance(result, dict):
        return {key: float(ops.convert_to_numpy(value)) for key, value in result.items()}
    return float(ops.convert_to_numpy(result))


def make(kind, **config):
    return getattr(metrics, kind)(CLASSES, **config)


KINDS = pytest.mark.parametrize("kind", ["ConfusionMatrix", "CohenKappa", "MCC", "TruePositives"])


@pytest.mark.parametrize("weighted", [False, True])
def test_matrix_equals_scikit_learn(weighted):
    ids, scores = batch()
    pixel = np.random.default_rng(1).random(ids.shape).astype("float32") if weighted else None
    expected = sk.confusion_matrix(
        ids.ravel(), scores.argmax(-1).ravel(), sample_weight=None if pixel is None else pixel.ravel()
    )
    one_hot = np.eye(CLASSES, dtype="float32")[ids]
    for y_true, y_pred in ((ids, scores), (ids[..., None], scores), (one_hot, scores), (ids, scores.argmax(-1))):
        metric = make("ConfusionMatrix")
        metric.update_state(y_true, y_pred, pixel)
        np.testing.assert_allclose(metric.matrix(), expected, rtol=1e-6)
    for how in ("true", "pred", "all"):
        weight = None if pixel is None else pixel.ravel()
        shares = sk.confusion_matrix(ids.ravel(), scores.argmax(-1).ravel(), normalize=how, sample_weight=weight)
        np.testing.assert_allclose(metric.matrix(how), shares, rtol=1e-6)


def test_channels_first_and_logits_read_the_same():
    ids, scores = batch()
    expected = run(make("MCC"), (ids, scores))
    assert run(make("MCC", axis=1), (ids, np.moveaxis(scores, -1, 1))) == pytest.approx(expected, rel=1e-6)
    assert run(make("MCC", from_logits=True), (ids, np.log(scores))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", [(40,), (6, 8, 5)])
def test_scores_equal_scikit_learn(shape):
    ids, scores = batch(shape)
    t, p = ids.ravel(), scores.argmax(-1).ravel()
    precision, recall, f1, support = sk.precision_recall_fscore_support(t, p, labels=range(CLASSES))
    report = ("precision", "recall", "f1", "iou", "specificity", "support")
    got = run(make("ConfusionMatrix", class_names=["a", "b", "c", "d"], report=report), (ids, scores))
    expected = {"precision": precision, "recall": recall, "f1": f1, "iou": sk.jaccard_score(t, p, average=None)}
    expected["support"] = support
    expected["specificity"] = [sk.recall_score(t != c, p != c) for c in range(CLASSES)]
    for name, each in expected.items():
        assert got[f"confusion_matrix_{name}"] == pytest.approx(np.mean(each), rel=1e-6)
        for label, value in zip("abcd", each):
            assert got[f"confusion_matrix_{name}_{label}"] == pytest.approx(value, rel=1e-6)
    assert got["confusion_matrix_accuracy"] == pytest.approx(sk.accuracy_score(t, p), rel=1e-6)
    assert got["confusion_matrix_classes"] == CLASSES
    assert run(make("MCC"), (ids, scores)) == pytest.approx(sk.matthews_corrcoef(t, p), rel=1e-5)
    for weighting in (None, "linear", "quadratic"):
        kappa = run(make("CohenKappa", weighting=weighting), (ids, scores))
        assert kappa == pytest.approx(sk.cohen_kappa_score(t, p, weights=weighting), rel=1e-5)
    assert run(make("TruePositives"), (ids, scores)) == (t == p).sum()
    each = run(make("TruePositives", per_class=True), (ids, scores))
    assert each == {f"true_positives_{c}": ((t == p) & (t == c)).sum() for c in range(CLASSES)}


def test_scores_equal_pycm():
    ids, scores = batch((200,), seed=3)
    oracle = pycm.ConfusionMatrix(actual_vector=ids.tolist(), predict_vector=scores.argmax(-1).tolist())
    got = run(make("ConfusionMatrix", report=["specificity", "iou"]), (ids, scores))
    for c in range(CLASSES):
        assert got[f"confusion_matrix_specificity_{c}"] == pytest.approx(oracle.TNR[c], rel=1e-6)
        assert got[f"confusion_matrix_iou_{c}"] == pytest.approx(oracle.J[c], rel=1e-6)
    assert run(make("CohenKappa"), (ids, scores)) == pytest.approx(oracle.Kappa, rel=1e-5)
    assert run(make("MCC"), (ids, scores)) == pytest.approx(oracle.Overall_MCC, rel=1e-5)


@pytest.mark.parametrize("rare", [1e-3, 1e-5])
def test_rare_classes_do_not_cancel(rare):
    """Where nearly everything is of one class, 1 - sum(p^2) in float32 has no digits left."""
    rng = np.random.default_rng(5)
    truth = (rng.random(1_000_000) < rare).astype("int32")
    prediction = np.where(rng.random(truth.shape) < 0.3, (rng.random(truth.shape) < rare).astype("int32"), truth)
    for metric, oracle in ((metrics.MCC(2), sk.matthews_corrcoef), (metrics.CohenKappa(2), sk.cohen_kappa_score)):
        got = run(metric, (truth.reshape(1, -1), prediction.reshape(1, -1)))
        assert got == pytest.approx(oracle(truth, prediction), rel=2e-6)


@pytest.mark.parametrize("shape", [(40, 1), (6, 8, 5, 1)])
def test_binary_masks(shape):
    rng = np.random.default_rng(2)
    truth, p = (rng.random(shape) > 0.6).astype("float32"), rng.random(shape).astype("float32")
    expected = sk.confusion_matrix(truth.ravel(), p.ravel() > 0.3)
    for y_true in (truth, truth[..., 0], truth.astype("int32"), truth.astype(bool)):
        metric = metrics.ConfusionMatrix(2, threshold=0.3)
        metric.update_state(y_true, p)
        np.testing.assert_array_equal(metric.matrix(), expected)
    assert run(metrics.TruePositives(2, threshold=0.3), (truth, p)) == expected[1, 1]


def test_multi_label_equals_scikit_learn():
    rng = np.random.default_rng(4)
    truth, p = rng.integers(0, 2, (30, 3)), rng.random((30, 3)).astype("float32")
    metric = metrics.ConfusionMatrix(3, multi_label=True)
    got = run(metric, (truth, p))
    np.testing.assert_array_equal(metric.matrix(), sk.multilabel_confusion_matrix(truth, p > 0.5))
    f1 = sk.f1_score(truth, p > 0.5, average=None)
    np.testing.assert_allclose([got[f"confusion_matrix_f1_{c}"] for c in range(3)], f1, rtol=1e-6)
    assert got["confusion_matrix_accuracy"] == pytest.approx((truth == (p > 0.5)).mean(), rel=1e-6)


@KINDS
@pytest.mark.parametrize("shape", [(6,), (6, 8, 5)])
def test_weights_repeat_and_delete(kind, shape, monkeypatch):
    ids, scores = batch(shape)
    times = np.array([2, 0, 1, 3, 1, 0])
    repeated = run(make(kind), (np.repeat(ids, times, 0), np.repeat(scores, times, 0)))
    weight = times.astype("float32")
    assert run(make(kind), (ids, scores, weight)) == pytest.approx(repeated, rel=1e-6, nan_ok=True)
    monkeypatch.setattr(class_counts, "_SMALL_TABLE", 0)  # one table for a batch, as with a thousand classes
    assert run(make(kind), (ids, scores, weight)) == pytest.approx(repeated, rel=1e-6, nan_ok=True)
    if len(shape) > 1:
        pixel = np.broadcast_to(times.reshape(-1, 1, 1), shape).astype("float32")
        assert run(make(kind), (ids, scores, pixel)) == pytest.approx(repeated, rel=1e-6)


def test_a_thousand_classes():
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, 1000, (2, 500))
    metric = metrics.ConfusionMatrix(1000, per_class=False)
    got = run(metric, (truth, prediction))
    np.testing.assert_array_equal(metric.matrix(), sk.confusion_matrix(truth, prediction, labels=range(1000)))
    recall = sk.recall_score(truth, prediction, average="macro", labels=np.unique(truth), zero_division=0)
    assert got["confusion_matrix_recall"] == pytest.approx(recall, rel=1e-6)


def test_counts_stay_exact_past_float32_and_int32():
    ids = np.zeros((1, 4), "int32")
    metric = metrics.ConfusionMatrix(2, predictions="ids")
    metric.update_state(ids, ids, np.array([2.0**24], "float32"))
    for _ in range(3):
        metric.update_state(ids[:, :1], ids[:, :1])
    assert metric.matrix()[0, 0] == 4 * 2**24 + 3
    for _ in range(40):
        metric.update_state(ids, ids, np.array([2.0**24], "float32"))
    assert metric.matrix()[0, 0] == 41 * 4 * 2**24 + 3 > 2**31


def test_float_weights_are_exact():
    rng = np.random.default_rng(6)
    ids, scores = batch((64, 32, 32))
    weight = rng.random(64).astype("float32")
    metric = make("ConfusionMatrix")
    for _ in range(20):
        metric.update_state(ids, scores, weight)
    each = np.repeat(weight.astype("float64"), 32 * 32)
    expected = 20 * sk.confusion_matrix(ids.ravel(), scores.argmax(-1).ravel(), sample_weight=each)
    np.testing.assert_allclose(metric.matrix(), expected, rtol=1e-7)


def test_several_classes_are_ignored():
    ids, scores = batch()
    ids[0, 0] = 255
    kept = (ids != 255) & (ids != 2)
    expected = sk.confusion_matrix(ids[kept], scores.argmax(-1)[kept], labels=range(CLASSES))
    for y_pred in (scores, scores.argmax(-1)):
        metric = make("ConfusionMatrix", ignore_class=[255, 2])
        metric.update_state(ids, y_pred)
        np.testing.assert_array_equal(metric.matrix(), expected)
        assert metric.out_of_range() == 0


def test_ids_out_of_range_are_counted_and_reported():
    ids, scores = batch()
    ids[0, 0], ids[1, 1] = 9, -3
    kept = (ids >= 0) & (ids < CLASSES)
    expected = sk.confusion_matrix(ids[kept], scores.argmax(-1)[kept])
    metric = make("ConfusionMatrix")
    metric.update_state(ids, scores)
    np.testing.assert_array_equal(metric.matrix(), expected)
    assert metric.out_of_range() == (~kept).sum()
    with pytest.warns(UserWarning, match="10 elements had a class id out of range"):
        metric.result()
    predicted = scores.argmax(-1)
    predicted[2, 2, 2] = CLASSES
    metric = make("ConfusionMatrix")
    metric.update_state(ids, predicted)
    assert metric.out_of_range() == (~kept).sum() + 1


def test_absent_classes_follow_the_policy():
    truth, prediction = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    skipped = run(metrics.ConfusionMatrix(3), (truth, prediction))
    assert np.isnan(skipped["confusion_matrix_f1_2"])
    assert skipped["confusion_matrix_f1"] == pytest.approx(sk.f1_score(truth, prediction, average="macro"), rel=1e-6)
    assert skipped["confusion_matrix_classes"] == 2
    zero = run(metrics.ConfusionMatrix(3, absent="zero"), (truth, prediction))
    expected = sk.f1_score(truth, prediction, average="macro", labels=[0, 1, 2], zero_division=0)
    assert zero["confusion_matrix_f1"] == pytest.approx(expected, rel=1e-6)


def test_degenerate_predictions():
    same = np.zeros(5, "int32")
    assert run(metrics.MCC(2), (np.array([0, 1, 0, 1, 0]), same)) == 0 == sk.matthews_corrcoef([0, 1, 0, 1, 0], same)
    assert run(metrics.CohenKappa(2), (np.array([0, 1, 0, 1, 0]), same)) == 0
    assert np.isnan(run(metrics.CohenKappa(2), (same, same)))


def test_share_still_works_and_says_what_to_write():
    ids, scores = batch()
    with pytest.warns(DeprecationWarning, match=r"Write `metrics\.Shared\(\[IoU\(\.\.\.\), \.\.\.\]\)`") as warned:
        metric = metrics.IoU(CLASSES, share="pixels")
    assert warned[0].filename == __file__
    assert run(metric, (ids, scores)) == run(metrics.IoU(CLASSES), (ids, scores))


@pytest.mark.parametrize("jit_compile", JIT)
def test_in_fit_with_callbacks(jit_compile):
    ids, scores = batch()
    model = keras.Sequential([keras.Input((None, 5, CLASSES)), keras.layers.Dense(CLASSES, "softmax")])
    model.compile("sgd", losses.CrossEntropy(), metrics=[make("ConfusionMatrix"), make("MCC")], jit_compile=jit_compile)
    stop = keras.callbacks.EarlyStopping("val_confusion_matrix_f1", mode="max", patience=5)
    history = model.fit(scores, ids, validation_data=(scores, ids), epochs=2, verbose=0, callbacks=[stop]).history
    final = model.predict(scores, verbose=0).argmax(-1)
    assert history["val_mcc"][-1] == pytest.approx(sk.matthews_corrcoef(ids.ravel(), final.ravel()), rel=1e-4, abs=1e-6)
    expected = sk.f1_score(ids.ravel(), final.ravel(), average=None)[2]
    assert history["val_confusion_matrix_f1_2"][-1] == pytest.approx(expected, rel=1e-5)


def test_bad_input_is_named():
    ids, scores = batch()
    with pytest.raises(ValueError, match="predictions='ids'"):
        make("ConfusionMatrix").update_state(ids, scores.argmax(-1).astype("float32"))
    with pytest.raises(ValueError, match=r"broadcast.*predictions='scores'"):
        make("ConfusionMatrix", predictions="ids").update_state(ids, scores)
    with pytest.raises(ValueError, match="fractions"):
        make("ConfusionMatrix", predictions="ids").update_state(ids, scores[..., 0])
    with pytest.raises(ValueError, match="4 scores"):
        make("MCC").update_state(ids, scores[..., :3])
    with pytest.raises(ValueError, match="fractions"):
        make("MCC").update_state(ids + 0.5, scores)
    with pytest.raises(ValueError, match="`class_names` must be 4 different texts"):
        make("ConfusionMatrix", class_names=["a", "b"])
    with pytest.raises(ValueError, match="`report`"):
        make("ConfusionMatrix", report=["sensitivity"])
    with pytest.raises(ValueError, match="`weighting`"):
        make("CohenKappa", weighting="cubic")
    with pytest.raises(ValueError, match="`num_classes` must be given"):
        metrics.IoU(predictions="ids")
