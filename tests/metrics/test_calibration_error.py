"""CalibrationError against netcal and torchmetrics; Brier against scikit-learn."""

import numpy as np
import pytest
import torch
from netcal.metrics import ECE, MCE
from sklearn.metrics import brier_score_loss
from torchmetrics.functional.classification import binary_calibration_error, multiclass_calibration_error

from kerasmith import metrics
from tests.support.metric_runs import run

NORMS = {"ece": "l1", "mce": "max", "rmsce": "l2"}


def binary(n=900, seed=0):
    rng = np.random.default_rng(seed)
    p = (rng.random(n) ** 2).astype("float32")
    return (rng.random(n) < p**1.5).astype("int32"), p


def several(n=700, classes=4, seed=1):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, classes)).astype("float32")
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    ids = np.where(rng.random(n) < 0.6, p.argmax(-1), rng.integers(0, classes, n)).astype("int32")
    return ids, p.astype("float32"), logits


@pytest.mark.parametrize("bins", [10, 15])
def test_binary_equals_torchmetrics_and_netcal(bins):
    y, p = binary()
    got = run(metrics.CalibrationError(bins), (y[:, None], p[:, None]))
    for key, norm in NORMS.items():
        expected = binary_calibration_error(torch.tensor(p), torch.tensor(y), n_bins=bins, norm=norm)
        assert got[f"calibration_{key}"] == pytest.approx(float(expected), abs=2e-6)
    assert got["calibration_ece"] == pytest.approx(ECE(bins).measure(p, y), abs=1e-6)
    assert got["calibration_mce"] == pytest.approx(MCE(bins).measure(p, y), abs=1e-6)
    assert got["calibration_cases"] == len(y)


def test_several_classes_equal_torchmetrics_and_netcal():
    ids, p, logits = several()
    for config, scores in (({}, p), ({"from_logits": True}, logits), ({"confidence": "winner"}, p)):
        for truth in (ids, np.eye(4, dtype="float32")[ids]):
            got = run(metrics.CalibrationError(**config), (truth, scores))
            for key, norm in NORMS.items():
                expected = multiclass_calibration_error(torch.tensor(p), torch.tensor(ids), 4, n_bins=15, norm=norm)
                assert got[f"calibration_{key}"] == pytest.approx(float(expected), abs=2e-6)
            assert got["calibration_ece"] == pytest.approx(ECE(15).measure(p, ids), abs=1e-6)


def test_winner_of_one_probability_is_that_of_two_classes():
    y, p = binary()
    two = np.stack([1 - p, p], -1)
    got = run(metrics.CalibrationError(confidence="winner"), (y[:, None], p[:, None]))
    expected = run(metrics.CalibrationError(), (y, two))
    assert got == pytest.approx(expected, abs=1e-6)


def test_confidence_of_exactly_1_belongs_to_the_last_bin_as_in_netcal():
    y, p = np.array([1, 0, 1, 1, 0]), np.array([1, 1, 0.95, 0, 0], "float32")
    got = run(metrics.CalibrationError(10), (y[:, None], p[:, None]))
    assert got["calibration_ece"] == pytest.approx(ECE(10).measure(p, y), abs=1e-6)


def test_masks_with_weights_ignored_pixels_and_independent_channels():
    y, p = binary(6 * 5 * 4)
    y, p = y.reshape(6, 5, 4), p.reshape(6, 5, 4)
    weight = np.random.default_rng(2).integers(0, 3, y.shape)
    repeated = np.repeat(y.ravel(), weight.ravel()), np.repeat(p.ravel(), weight.ravel())
    got = run(metrics.CalibrationError(), (y, p[..., None], weight.astype("float32")))
    assert got["calibration_ece"] == pytest.approx(ECE(15).measure(repeated[1], repeated[0]), abs=1e-6)
    hidden = np.where(weight == 0, 9, y)
    got = run(metrics.CalibrationError(ignore_class=9), (hidden, p[..., None]))
    assert got["calibration_ece"] == pytest.approx(ECE(15).measure(p[weight > 0], y[weight > 0]), abs=1e-6)
    got = run(metrics.CalibrationError(multi_label=True), (y, p))
    assert got["calibration_ece"] == pytest.approx(ECE(15).measure(p.ravel(), y.ravel()), abs=1e-6)
    got = run(metrics.CalibrationError(multi_label=True), (y, p, np.ones((6, 5), "float32")))
    assert got["calibration_cases"] == y.size


def test_reliability():
    y, p = binary()
    metric = metrics.CalibrationError(10)
    run(metric, (y[:, None], p[:, None]))
    data = metric.reliability()
    place = np.minimum((p * 10).astype(int), 9)
    for b in range(10):
        assert data["cases"][b] == np.sum(place == b)
        assert data["confidence"][b] == pytest.approx(p[place == b].mean(), rel=1e-5)
        assert data["accuracy"][b] == pytest.approx(y[place == b].mean(), rel=1e-5)
    assert len(data["edges"]) == 11


def test_brier_equals_scikit_learn():
    y, p = binary()
    weight = np.random.default_rng(3).random(len(y)).astype("float32")
    logits = np.log(p / (1 - p))
    for given in (None, weight):
        expected = brier_score_loss(y, p, sample_weight=given)
        assert run(metrics.Brier(), (y[:, None], p[:, None], given))["brier"] == pytest.approx(expected, rel=1e-5)
        got = run(metrics.Brier(from_logits=True), (y[:, None], logits[:, None], given))["brier"]
        assert got == pytest.approx(expected, rel=1e-5)
    two = np.stack([1 - p, p], -1)
    assert run(metrics.Brier(), (y, two))["brier"] == pytest.approx(brier_score_loss(y, p), rel=1e-5)
    ids, p, logits = several()
    weight = weight[: len(ids)]
    for half in (True, False):
        expected = brier_score_loss(ids, p, sample_weight=weight, scale_by_half=half)
        for config, scores in (({}, p), ({"from_logits": True}, logits)):
            got = run(metrics.Brier(half, **config), (ids, scores, weight))["brier"]
            assert got == pytest.approx(expected, rel=1e-5)
    assert run(metrics.Brier(), (ids, p))["brier"] == pytest.approx(brier_score_loss(ids, p), rel=1e-5)


def test_brier_of_masks():
    y, p = binary(6 * 5 * 4)
    y, p = y.reshape(6, 5, 4), p.reshape(6, 5, 4)
    weight = np.random.default_rng(4).random(y.shape).astype("float32")
    expected = np.average((p - y) ** 2, weights=weight)
    assert run(metrics.Brier(), (y, p[..., None], weight))["brier"] == pytest.approx(expected, rel=1e-5)
    assert run(metrics.Brier(multi_label=True), (y, p))["brier"] == pytest.approx(np.mean((p - y) ** 2), rel=1e-5)


def test_bad_input_is_named():
    ids, p, _ = several()
    with pytest.raises(ValueError, match="4 competing classes"):
        metrics.CalibrationError(confidence="positive").update_state(ids, p)
    with pytest.raises(ValueError, match="`bins` must be"):
        metrics.CalibrationError(bins=0)
    with pytest.raises(ValueError, match="'auto', 'positive', 'winner'"):
        metrics.CalibrationError(confidence="top")
    with pytest.raises(ValueError, match="`scale_by_half`"):
        metrics.Brier(scale_by_half="no")
