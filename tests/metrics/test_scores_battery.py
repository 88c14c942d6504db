"""What every metric on ranking, calibration, embeddings and images keeps: splits, weights, config, state, compiled use."""

import itertools

import keras
import numpy as np
import pytest

from kerasmith import metrics
from kerasmith.base import Metric
from tests.support.metric_runs import assert_equal, evaluated, fresh, read, run

N = 13


def binary(rng):
    y = (rng.random((N, 1)) < 0.5).astype("float32")
    return y, (1 / (1 + np.exp(-rng.normal(2 * y - 1, 2)))).astype("float32")


def masks(rng):
    y = (rng.random((N, 4, 5, 1)) < 0.5).astype("float32")
    return y, (1 / (1 + np.exp(-rng.normal(2 * y - 1, 2)))).astype("float32")


def classes(rng):
    logits = rng.normal(0, 2, (N, 3)).astype("float32")
    return rng.integers(0, 3, N).astype("int32"), np.asarray(np.exp(logits) / np.exp(logits).sum(-1, keepdims=True), "float32")


def embeddings(rng):
    y = rng.integers(0, 3, N).astype("int32")
    return y, (rng.normal(0, 1, (N, 6)) + y[:, None]).astype("float32")


def images(rng):
    y = rng.random((N, 12, 13, 2)).astype("float32")
    x = np.clip(y + rng.normal(0, 0.1, y.shape), 0, 1).astype("float32")
    x[3] = y[3]
    return y, x


# Name: (metric, data, whether a weight of k repeats a sample).
ROWS = {
    "auc": (lambda: metrics.AUC(bins=512), binary, True),
    "auc_masks": (lambda: metrics.AUC(bins=512), masks, True),
    "auc_classes": (lambda: metrics.AUC(bins=512, class_names=["a", "b", "c"], name="area"), classes, True),
    "auc_logits": (lambda: metrics.AUC(bins=512, from_logits=True), classes, True),
    "average_precision": (lambda: metrics.AveragePrecision(bins=512), binary, True),
    "average_precision_classes": (lambda: metrics.AveragePrecision(bins=512, per_class=False), classes, True),
    "calibration_error": (lambda: metrics.CalibrationError(), binary, True),
    "calibration_error_classes": (lambda: metrics.CalibrationError(bins=7), classes, True),
    "calibration_error_masks": (lambda: metrics.CalibrationError(confidence="winner"), masks, True),
    "brier": (lambda: metrics.Brier(), binary, True),
    "brier_classes": (lambda: metrics.Brier(scale_by_half=True), classes, True),
    "psnr": (lambda: metrics.PSNR(), images, True),
    "psnr_uncapped": (lambda: metrics.PSNR(cap=None), images, True),
    "ssim": (lambda: metrics.SSIM(window=[7, 5]), images, True),
    "retrieval_recall": (lambda: metrics.RetrievalRecall(k=[1, 3], capacity=N + 1), embeddings, False),
    "r_precision": (lambda: metrics.RPrecision(max_relevant=N - 1, capacity=N, similarity="euclidean"), embeddings, False),
}
ALL = pytest.mark.parametrize("name", ROWS)


def row(name, seed=0):
    make, data, _ = ROWS[name]
    return make, *data(np.random.default_rng(seed))


@ALL
def test_any_batch_split_and_order_give_the_same(name):
    make, y, p = row(name)
    weight = np.random.default_rng(1).integers(0, 3, N).astype("float32")
    for given in (None, weight):
        whole = run(make(), (y, p, given))
        for cut in ([5, 5, 3], [0, 5, 8]) if given is None else ([5, 8],):
            edges = np.cumsum([0, *cut])
            parts = [(y[a:b], p[a:b], None if given is None else given[a:b]) for a, b in itertools.pairwise(edges)]
            assert_equal(run(make(), *parts), whole)
        order = np.random.default_rng(2).permutation(N)
        assert_equal(run(make(), (y[order], p[order], None if given is None else given[order])), whole)


@ALL
def test_weights_repeat_and_delete(name):
    make, y, p = row(name)
    kept = np.random.default_rng(3).random(N) < 0.7
    spoiled = p.copy()
    spoiled[~kept] = np.nan
    assert_equal(run(make(), (y, spoiled, kept.astype("float32"))), run(make(), (y[kept], p[kept])))
    if ROWS[name][2]:
        weight = np.random.default_rng(4).integers(0, 4, N)
        repeated = np.repeat(y, weight, 0), np.repeat(p, weight, 0)
        assert_equal(run(make(), (y, p, weight.astype("float32"))), run(make(), repeated))


@ALL
def test_no_data_is_nan_reset_forgets_and_nan_is_not_hidden(name):
    make, y, p = row(name)
    metric = make()
    before = run(metric)
    assert np.isnan(next(iter(before.values())))
    first = run(metric, (y, p))
    assert not np.isnan(next(iter(first.values())))
    metric.reset_state()
    assert np.isnan(next(iter(read(metric).values())))
    assert_equal(run(metric, (y, p)), first)
    p = p.copy()
    p[2, ..., 0] = np.nan
    assert np.isnan(next(iter(run(make(), (y, p)).values())))


@ALL
def test_state_moves_to_a_metric_made_from_the_configuration(name):
    make, y, p = row(name)
    metric = make()
    run(metric, (y[:5], p[:5]))
    copy = fresh(metric)
    assert isinstance(copy, Metric)
    assert copy.get_config() == metric.get_config()
    copy.update_state(y[:1], p[:1])  # some metrics make their state with the first batch
    for target, source in zip(copy.variables, metric.variables, strict=True):
        target.assign(source.value)
    assert_equal(run(copy, (y[5:], p[5:])), run(make(), (y, p)))


@ALL
@pytest.mark.parametrize("jit_compile", [False, True])
def test_evaluate(name, jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
    make, y, p = row(name)
    assert_equal(evaluated(make(), y, p, jit_compile=jit_compile), run(make(), (y, p)))
    weight = np.arange(N).astype("float32") % 3
    assert_equal(evaluated(make(), y, p, weighted_by=weight, jit_compile=jit_compile), run(make(), (y, p, weight)))


@ALL
def test_half_precision_metric_counts_in_full(name):
    make, y, p = row(name)
    config = make().get_config() | {"dtype": "float16"}
    metric = type(make()).from_config(config)
    got, expected = run(metric, (y, p)), run(make(), (y, p))
    for key, value in expected.items():
        assert got[key] == pytest.approx(value, rel=2e-3, abs=1e-3)


@ALL
def test_shapes_that_would_broadcast_are_refused(name):
    make, y, p = row(name)
    with pytest.raises(ValueError, match=r"shape"):
        make().update_state(y[:4], p)
    with pytest.raises(ValueError, match=r"`sample_weight`.*\(4,\)"):
        make().update_state(y, p, np.ones(4, "float32"))
