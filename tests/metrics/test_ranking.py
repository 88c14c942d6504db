"""AUC and AveragePrecision against scikit-learn: saturated, rare, tied and skewed scores, masks, classes, weights."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from kerasmith import metrics
from tests.support.metric_runs import run

KINDS = {"auc": (metrics.AUC, roc_auc_score), "average_precision": (metrics.AveragePrecision, average_precision_score)}
BOTH = pytest.mark.parametrize("kind", KINDS)


def sigmoid(z):
    return (1 / (1 + np.exp(-z.astype("float64")))).astype("float32")


def normal(rng, size, share, scale, shift=0.0):
    """Labels, and logits whose classes differ by one standard deviation."""
    y = rng.random(size) < share
    return y, (scale * rng.normal(y * 1.5, 1.0) + shift).astype("float32")


# Few sizes: JAX compiles each operation for each shape.
# Name: (size, share of positives, scale of the logits, shift).
SCORES = {
    "plain": (4000, 0.5, 1.0, 0.0),
    "saturated at 1": (4000, 0.5, 3.0, 9.0),
    "saturated at both ends": (4000, 0.5, 12.0, -6.0),
    "rare positives": (40_000, 0.003, 1.0, -6.0),
    "narrow": (4000, 0.5, 0.05, 2.0),
    "one bit": (4000, 0.5, 400.0, -200.0),
}


@BOTH
@pytest.mark.parametrize("name", SCORES)
def test_equals_scikit_learn(kind, name):
    metric, oracle = KINDS[kind]
    y, z = normal(np.random.default_rng(0), *SCORES[name])
    p = sigmoid(z)
    p[p < 1.2e-38] = 0  # XLA takes numbers below the normal ones as 0
    for scores, config in ((p, {}), (z, {"from_logits": True})):
        got = run(metric(**config), (y[:, None].astype("float32"), scores[:, None]))[kind]
        assert got == pytest.approx(oracle(y, scores), abs=4e-3 if name == "narrow" else 1e-3)


@BOTH
def test_keras_thresholds_fail_where_this_does_not(kind):
    rng = np.random.default_rng(1)
    y = rng.random(4000) < 0.5
    p = sigmoid(rng.normal(np.where(y, 11.0, 8.0), 1.5))
    metric, oracle = KINDS[kind]
    assert run(metric(), (y[:, None], p[:, None]))[kind] == pytest.approx(oracle(y, p), abs=1e-3)
    even = oracle(y, np.floor(p * 199))
    assert abs(even - oracle(y, p)) > 0.1


@BOTH
def test_ties_and_hard_decisions_are_exact(kind):
    metric, oracle = KINDS[kind]
    rng = np.random.default_rng(2)
    y = rng.random(300) < 0.4
    for scores in (rng.integers(0, 2, 300), rng.integers(0, 5, 300) / 4, np.full(300, 0.3)):
        scores = scores.astype("float32")
        assert run(metric(), (y[:, None], scores[:, None]))[kind] == pytest.approx(oracle(y, scores), abs=1e-6)


@BOTH
def test_weights_of_samples_and_pixels_and_ignored_pixels(kind):
    metric, oracle = KINDS[kind]
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, (6, 5, 7)).astype("int32")
    p = sigmoid(rng.normal(y * 2.0 - 1))
    sample, pixel = rng.random(6).astype("float32"), rng.random(y.shape).astype("float32")
    spread = np.broadcast_to(sample[:, None, None], y.shape)
    cases = [
        (sample, spread),
        (pixel, pixel),
        (pixel[..., None], pixel),
    ]
    for given, weight in cases:
        for truth in (y, y[..., None]):
            got = run(metric(), (truth, p[..., None], given))[kind]
            assert got == pytest.approx(oracle(y.ravel(), p.ravel(), sample_weight=weight.ravel()), abs=1e-3)
    hidden = np.where(rng.random(y.shape) < 0.3, 255, y).astype("int32")
    seen = hidden != 255
    expected = oracle(y[seen], p[seen], sample_weight=spread[seen])
    for truth in (hidden, hidden[..., None]):
        got = run(metric(ignore_class=255), (truth, p[..., None], sample))[kind]
        assert got == pytest.approx(expected, abs=1e-3)


@BOTH
@pytest.mark.parametrize("axis", [-1, 1])
def test_each_class_against_the_rest(kind, axis):
    metric, oracle = KINDS[kind]
    rng = np.random.default_rng(4)
    ids = rng.integers(0, 4, (50, 3, 2)).astype("int32")
    logits = (6 * rng.normal(2 * np.eye(5)[ids], 1.0)).astype("float32")
    exact = np.exp(logits.astype("float64") - logits.max(-1, keepdims=True))
    exact /= exact.sum(-1, keepdims=True)
    one_hot = np.eye(5)[ids].astype("float32")
    expected = [oracle(ids.ravel() == c, exact[..., c].ravel()) for c in range(4)]
    for config, scores in (({}, exact.astype("float32")), ({"from_logits": True}, logits)):
        for truth in (ids, one_hot):
            if axis == 1:
                truth = np.moveaxis(truth, -1, 1) if truth.ndim == 4 else truth
            moved = np.moveaxis(scores, -1, 1) if axis == 1 else scores
            got = run(metric(axis=axis, **config), (truth, moved))
            np.testing.assert_allclose([got[f"{kind}_{c}"] for c in range(4)], expected, atol=2e-3)
            assert np.isnan(got[f"{kind}_4"])  # the class never occurs
            assert got[f"{kind}_cases"] == 4
            assert got[f"{kind}_macro"] == pytest.approx(np.mean(expected), abs=2e-3)
    strict = run(metric(absent="nan", per_class=False), (ids, exact.astype("float32")))
    assert np.isnan(strict[f"{kind}_macro"])
    assert set(strict) == {f"{kind}_macro", f"{kind}_cases"}


@BOTH
def test_independent_labels(kind):
    metric, oracle = KINDS[kind]
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, (200, 3)).astype("float32")
    z = rng.normal(2 * y - 1, 2).astype("float32")
    got = run(metric(multi_label=True, from_logits=True, class_names=["x", "y", "z"]), (y, z))
    expected = [oracle(y[:, c], z[:, c]) for c in range(3)]
    np.testing.assert_allclose([got[f"{kind}_{c}"] for c in "xyz"], expected, atol=1e-3)


@BOTH
def test_probabilities_of_0_and_1_and_infinite_logits(kind):
    metric, oracle = KINDS[kind]
    y = np.array([0, 0, 0, 1, 1, 1, 0, 1])
    p = np.array([0, 2e-38, 0.5, 0.5, 1 - 6e-8, 1, 1, 0], "float32")
    assert run(metric(), (y[:, None], p[:, None]))[kind] == pytest.approx(oracle(y, p), abs=1e-6)
    z = np.array([-np.inf, -300, 0, 0, 200, np.inf, np.inf, -np.inf], "float32")
    shown = np.clip(z, -1e9, 1e9)
    assert run(metric(from_logits=True), (y[:, None], z[:, None]))[kind] == pytest.approx(oracle(y, shown), abs=1e-6)


def test_undefined_is_nan():
    p = np.array([[0.1], [0.9]], "float32")
    for truth in ([[1], [1]], [[0], [0]]):
        assert np.isnan(run(metrics.AUC(), (truth, p))["auc"])
    assert np.isnan(run(metrics.AveragePrecision(), ([[0], [0]], p))["average_precision"])
    assert run(metrics.AveragePrecision(), ([[1], [1]], p))["average_precision"] == 1


@BOTH
def test_counts_stay_exact_past_float32(kind):
    metric, _ = KINDS[kind]
    metric = metric(bins=4)
    y, p = np.array([[0], [1], [1]], "float32"), np.array([[0.1], [0.9], [0.1]], "float32")
    run(metric, (y, p, np.array([2.0**23, 2.0**24, 1.0], "float32")), *[(y, p)] * 5)
    assert metric.histogram()[0, :, :-1].sum(-1).tolist() == [2**23 + 5, 2**24 + 11]


def test_curves_and_the_error_bound():
    rng = np.random.default_rng(6)
    y, z = normal(rng, 4000, 0.4, 1.0)
    p = sigmoid(z)
    area = metrics.AUC()
    value = run(area, (y[:, None], p[:, None]))["auc"]
    fpr, tpr = area.curve()
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(tpr, fpr) == pytest.approx(value, abs=1e-5)
    assert abs(value - roc_auc_score(y, p)) <= area.error_bound()[0] < 1e-3
    precision = metrics.AveragePrecision()
    value = run(precision, (y[:, None], p[:, None]))["average_precision"]
    recall, values = precision.curve()
    assert np.sum(np.diff(recall, prepend=0) * values) == pytest.approx(value, abs=1e-5)
    coarse = metrics.AUC(bins=4)
    off = abs(run(coarse, (y[:, None], p[:, None]))["auc"] - roc_auc_score(y, p))
    assert 1e-4 < off <= coarse.error_bound()[0]


@BOTH
def test_bad_input_is_named(kind):
    metric, _ = KINDS[kind]
    with pytest.raises(ValueError, match="`bins` must be"):
        metric(bins=1)
    with pytest.raises(ValueError, match=r"2\*\*20"):
        metric(bins=2**21)
    with pytest.raises(ValueError, match="'skip', 'nan'"):
        metric(absent="zero")
    with pytest.raises(ValueError, match=r"2 names for 3\s+channels"):
        metric(class_names=["a", "b"]).update_state([0, 1], np.eye(3, dtype="float32")[:2])
    used = metric()
    used.update_state([0, 1], np.eye(3, dtype="float32")[:2])
    with pytest.raises(ValueError, match="3 classes so far"):
        used.update_state([[0], [1]], np.array([[0.1], [0.2]], "float32"))
    with pytest.raises(ValueError, match="seen no data"):
        metric().histogram()


@BOTH
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_averages_equal_scikit_learn(kind, average):
    metric, oracle = KINDS[kind]
    rng = np.random.default_rng(5)
    weight = rng.integers(0, 3, 300).astype("float32")
    y = (rng.random((300, 3)) < [0.5, 0.2, 0.05]).astype("float32")
    p = sigmoid(rng.normal(y + np.array([0.0, 1.0, -2.0])))
    ids, logits = rng.choice(3, 300, p=[0.6, 0.3, 0.1]), rng.normal(0, 1, (300, 3)).astype("float32")
    logits[np.arange(300), ids] += 1
    softmax = np.exp(logits.astype("float64")) / np.exp(logits.astype("float64")).sum(-1, keepdims=True)
    for truth, scores, one_hot, probabilities, config in (
        (y, p, y, p, {"multi_label": True}),
        (ids, logits, np.eye(3)[ids], softmax, {"from_logits": True}),
    ):
        made = metric(average=average, bins=2048, name="m", **config)
        halves = slice(150), slice(150, None)
        got = run(made, *[(truth[half], scores[half], weight[half]) for half in halves])
        assert list(got) == [f"m_{average}", "m_0", "m_1", "m_2", "m_cases"]
        assert got[f"m_{average}"] == pytest.approx(
            oracle(one_hot, probabilities, average=average, sample_weight=weight), abs=2e-3
        )


@BOTH
def test_averages_where_a_class_is_not_defined(kind):
    """Class 2 has no positives: it has no part in the weighted mean, and its negatives are in the joint ranking."""
    metric, oracle = KINDS[kind]
    y = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]], "float32")
    p = np.array([[0.7, 0.1, 0.3], [0.4, 0.9, 0.2], [0.6, 0.2, 0.1], [0.2, 0.8, 0.25]], "float32")
    got = run(metric(average="weighted", multi_label=True, name="m"), (y, p))
    assert got["m_weighted"] == pytest.approx(oracle(y[:, :2], p[:, :2], average="weighted"), abs=1e-6)
    got = run(metric(average="micro", multi_label=True, per_class=False, name="m"), (y, p))
    assert got == {"m_micro": pytest.approx(oracle(y, p, average="micro"), abs=1e-6), "m_cases": 2}
    assert np.isnan(run(metric(average="weighted", absent="nan", multi_label=True, name="m"), (y, p))["m_weighted"])
    assert list(run(metric(average=None, multi_label=True, name="m"), (y, p))) == ["m_0", "m_1", "m_2", "m_cases"]
    p[0, 0] = np.nan
    for average in ("micro", "weighted"):
        assert np.isnan(run(metric(average=average, multi_label=True, name="m"), (y, p))[f"m_{average}"])
    with pytest.raises(ValueError, match="per_class=True"):
        metric(average=None, per_class=False)
