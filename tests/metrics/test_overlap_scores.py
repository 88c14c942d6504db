"""DiceScore and IoU against plain loops, MONAI and scikit-learn; under any batch split; in fit."""

import itertools

import keras
import numpy as np
import pytest
import torch
from keras import ops
from sklearn.metrics import f1_score, jaccard_score

from kerasmith import losses, metrics
from tests.losses.battery import batch
from tests.oracles import overlap_loops
from tests.support.cover import each_value

FORMULAS = {"dice": (metrics.DiceScore, overlap_loops.dice), "iou": (metrics.IoU, overlap_loops.iou)}
BOTH = pytest.mark.parametrize("kind", FORMULAS)


def images(channels, seed=0):
    """Random images with an empty one and one without the last class."""
    data = batch(channels, size=(7, 6, 5), seed=seed)
    ids = data.ids.copy()
    ids[2] = 0
    ids[4][ids[4] == max(channels, 2) - 1] = 0
    prediction = data.y_pred.copy()
    prediction[2, ..., -1] = 0.0
    truth = (ids[..., None] if channels == 1 else np.eye(channels)[ids]).astype("float32")
    return ids, truth, prediction


def decided(prediction, threshold=0.5):
    if prediction.shape[-1] == 1:
        return (prediction > threshold).astype("float64")
    return np.eye(prediction.shape[-1])[prediction.argmax(-1)]


def run(metric, *batches):
    for each in batches:
        metric.update_state(*each)
    result = metric.result()
    if isinstance(result, dict):
        return {key: float(ops.convert_to_numpy(value)) for key, value in result.items()}
    return float(ops.convert_to_numpy(result))


@pytest.mark.thinned("each row compiles anew", by=each_value)
@BOTH
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("average", "per", "absent"), itertools.product(["macro", "micro", None], ["image", "dataset"], ["score", "skip"])
)
def test_equals_plain_loops(kind, channels, average, per, absent):
    metric, formula = FORMULAS[kind]
    ids, truth, prediction = images(channels)
    rng = np.random.default_rng(1)
    pixel, sample = rng.integers(0, 3, ids.shape).astype("float32"), rng.random(7).astype("float32")
    config = {"average": average, "per": per, "absent": absent}
    for keywords, weight in ((({}), None), ({"weight": pixel}, pixel), ({"sample_weight": sample}, sample)):
        expected = overlap_loops.score(formula, truth, decided(prediction), **config, **keywords)
        for labels in (ids, truth):
            got = run(metric(**config), (labels, prediction, weight))
            if average is None:
                got = list(got.values())
            np.testing.assert_allclose(got, expected, rtol=1e-5)


@BOTH
def test_keys_are_prefixed(kind):
    metric, _ = FORMULAS[kind]
    ids, _, prediction = images(3)
    assert list(run(metric(average=None, name="mine"), (ids, prediction))) == ["mine_0", "mine_1", "mine_2"]
    assert list(run(metric(average=None, name="mine", include_background=False), (ids, prediction))) == ["mine_1", "mine_2"]


def test_equals_monai():
    from monai.metrics import DiceMetric

    ids, truth, prediction = images(3)
    oracle = DiceMetric(include_background=True, reduction="mean_batch", ignore_empty=True)
    first = torch.tensor(np.moveaxis(decided(prediction), -1, 1)), torch.tensor(np.moveaxis(truth, -1, 1))
    oracle(*first)
    got = run(metrics.DiceScore(average=None, absent="skip"), (ids, prediction))
    np.testing.assert_allclose(list(got.values()), oracle.aggregate().numpy(), rtol=1e-6)


def test_equals_scikit_learn():
    ids, _, prediction = images(3)
    expected = jaccard_score(ids.ravel(), prediction.argmax(-1).ravel(), average="macro")
    assert run(metrics.IoU(per="dataset"), (ids, prediction)) == pytest.approx(expected, rel=1e-6)


def test_a_class_that_the_whole_data_set_lacks():
    """It is predicted, in both batches; with "skip" it is none of the classes, as scikit-learn's `labels` leaves it out."""
    ids = np.array([[0, 1, 1, 0], [3, 1, 0, 3]])
    hard = np.array([[0, 1, 2, 0], [3, 2, 0, 1]])
    for absent, labels in (("score", [0, 1, 2, 3]), ("skip_both", [0, 1, 2, 3]), ("skip", [0, 1, 3])):
        for metric, theirs in ((metrics.IoU, jaccard_score), (metrics.DiceScore, f1_score)):
            for average in ("macro", "weighted"):
                expected = theirs(ids.ravel(), hard.ravel(), labels=labels, average=average)
                got = metric(5, average=average, per="dataset", absent=absent, report_cases=True, name="m")
                batches = [(ids[:1], hard[:1]), (ids[1:], hard[1:])]
                assert run(got, *batches) == {"m": pytest.approx(expected, rel=1e-6), "m_cases": len(labels)}
    each = run(metrics.IoU(5, average=None, per="dataset", absent="skip", name="m"), (ids, hard))
    assert [key for key, value in each.items() if np.isnan(value)] == ["m_2", "m_4"]
    assert np.isnan(run(metrics.IoU(2, per="dataset", absent="skip", include_background=False), (0 * ids, 0 * ids + 1)))


@BOTH
@pytest.mark.parametrize("per", ["image", "dataset"])
def test_any_batch_split_gives_the_same(kind, per):
    metric, _ = FORMULAS[kind]
    ids, _, prediction = images(3)
    weight = np.random.default_rng(2).random(7).astype("float32")
    whole = run(metric(per=per), (ids, prediction, weight))
    for cut in ([1, 6], [6, 0, 1], [1] * 7):  # few sizes: JAX compiles each operation for each
        edges = np.cumsum([0, *cut])
        parts = [(ids[a:b], prediction[a:b], weight[a:b]) for a, b in itertools.pairwise(edges)]
        assert run(metric(per=per), *parts) == pytest.approx(whole, rel=1e-6)
    repeated = run(metric(per=per), (ids, prediction), (ids, prediction))
    assert run(metric(per=per), (ids, prediction, np.full(7, 2.0, "float32"))) == pytest.approx(repeated, rel=1e-6)


def test_agrees_with_the_loss():
    for channels in (1, 3):
        ids, _, prediction = images(channels)
        hard = decided(prediction).astype("float32")
        loss = float(ops.convert_to_numpy(losses.Dice(smooth=0)(ids, hard)))
        assert run(metrics.DiceScore(), (ids, hard)) == pytest.approx(1 - loss, rel=1e-6)
        loss = float(ops.convert_to_numpy(losses.Jaccard(smooth=0)(ids, hard)))
        assert run(metrics.IoU(), (ids, hard)) == pytest.approx(1 - loss, rel=1e-6)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_threshold_means_the_same_on_logits(threshold):
    ids, _, prediction = images(1)
    prediction = np.clip(prediction, 0.01, 0.99)
    logits = np.log(prediction / (1 - prediction))
    expected = overlap_loops.score(overlap_loops.dice, ids[..., None], (prediction > threshold).astype(float))
    assert run(metrics.DiceScore(threshold=threshold), (ids, prediction)) == pytest.approx(expected, rel=1e-5)
    assert run(metrics.DiceScore(threshold=threshold, from_logits=True), (ids, logits)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_fit(jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
    ids, truth, prediction = images(3)
    model = keras.Sequential([keras.Input((6, 5, 3)), keras.layers.Dense(3, kernel_initializer="identity", trainable=False)])
    scores = [metrics.DiceScore(), metrics.IoU(average=None, per="dataset", ignore_class=1)]
    weighted = [metrics.DiceScore(name="weighted")]
    model.compile("sgd", losses.DiceCE(), metrics=scores, weighted_metrics=weighted, jit_compile=jit_compile)
    weight = np.linspace(0, 1, 7).astype("float32")
    stop = keras.callbacks.EarlyStopping("val_dice_score", patience=3)
    history = model.fit(
        prediction,
        ids,
        sample_weight=weight,
        batch_size=3,
        epochs=2,
        verbose=0,
        validation_data=(prediction, ids),
        callbacks=[stop],
    ).history
    hard = decided(prediction)
    expected = overlap_loops.score(overlap_loops.dice, truth, hard)
    np.testing.assert_allclose(history["dice_score"], expected, rtol=1e-5)
    np.testing.assert_allclose(history["val_dice_score"], expected, rtol=1e-5)
    np.testing.assert_allclose(
        history["weighted"], overlap_loops.score(overlap_loops.dice, truth, hard, sample_weight=weight), rtol=1e-5
    )
    ignoring = overlap_loops.score(
        overlap_loops.iou, truth, hard, weight=(ids != 1).astype(float), average=None, per="dataset", classes=[0, 2]
    )
    np.testing.assert_allclose([history["iou_0"][1], history["iou_2"][1]], ignoring, rtol=1e-5)


def test_bad_input_is_named():
    ids, _, prediction = images(3)
    with pytest.raises(ValueError, match=r"num_classes=4.*3 channels"):
        metrics.DiceScore(num_classes=4).update_state(ids, prediction)
    with pytest.raises(ValueError, match="broadcast"):
        metrics.DiceScore().update_state(ids[:2], prediction)
    with pytest.raises(ValueError, match="'macro', 'micro', 'weighted', None"):
        metrics.IoU(average="samples")
    with pytest.raises(ValueError, match="`threshold`"):
        metrics.DiceScore(threshold=1.5)
