"""FROC against plain loops and MONAI, in eager code and in every kind of compiled fit."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from kerasmith import metrics
from tests.oracles import objects_froc as oracle
from tests.support import metric_runs as runs
from tests.support.blobs import fields

RATES = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)


def scenes(seed, size=(8, 32, 32)):
    """Masks and probabilities, of which some are saturated; the second image has no objects."""
    truth, logits = fields(seed, size)
    truth[1] = False
    return truth, (1 / (1 + np.exp(-3 * logits))).astype("float32")


def of(result, rates=RATES):
    return [result[f"froc_sensitivity_at_{rate:g}"] for rate in rates]


@pytest.mark.parametrize("hit", ["overlap", "iou", "peak", "center"])
@pytest.mark.parametrize(("threshold", "min_size", "connectivity"), [(0.1, 0, None), (0.4, 4, 4)])
def test_equals_plain_loops(hit, threshold, min_size, connectivity):
    truth, probability = scenes(0)
    options = {"hit": hit, "iou_threshold": 0.3 if hit == "iou" else 0.0, "min_size": min_size}
    best, false = oracle.scores(truth, probability, threshold, 1 if connectivity == 4 else 2, **options)
    assert len(false) > 3
    assert sum(score > 0 for score in best) > 3
    config = {**options, "connectivity": connectivity, "bins": 2**18}
    result = runs.value_of(lambda: metrics.FROC(threshold=threshold, **config), truth, probability[..., None])
    expected = oracle.sensitivities(best, false, len(truth), RATES)
    assert of(result) == pytest.approx(expected, abs=1e-6)
    assert result["froc"] == pytest.approx(np.mean(expected), abs=1e-6)
    assert (result["froc_objects"], result["froc_cases"]) == (len(best), len(truth))


@pytest.mark.parametrize("seed", range(4))
def test_default_bins_are_fine_enough(seed):
    truth, probability = scenes(seed)
    expected = oracle.sensitivities(*oracle.scores(truth, probability, 0.1, 2, "overlap"), len(truth), RATES)
    result = runs.value_of(metrics.FROC, truth, probability[..., None])
    assert of(result) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_equals_monai(seed):
    froc = pytest.importorskip("monai.metrics.froc")
    truth, probability = scenes(seed)
    false, best, targets = [], [], 0
    for mask, image in zip(truth, probability):
        found = oracle.candidates(image, 0.1, 2)
        peaks = np.array([min(o, key=lambda pixel: (-image[pixel], pixel)) for _, o in found])
        scores = np.array([score for score, _ in found])
        one = froc.compute_fp_tp_probs(scores, peaks[:, 0], peaks[:, 1], ndimage.label(mask, np.ones((3, 3)))[0])
        false, best, targets = [*false, *one[0]], [*best, *one[1]], targets + one[2]
    assert 0 in best  # MONAI drops the lowest score, which is that of missed objects here
    points = froc.compute_froc_curve_data(np.array(false), np.array(best), targets, len(truth))
    result = runs.value_of(lambda: metrics.FROC(hit="peak", bins=2**18), truth, probability[..., None])
    assert result["froc"] == pytest.approx(froc.compute_froc_score(*points, eval_thresholds=RATES), abs=1e-6)
    for rate in RATES:
        expected = froc.compute_froc_score(*points, eval_thresholds=(rate,))
        assert result[f"froc_sensitivity_at_{rate:g}"] == pytest.approx(expected, abs=1e-6)


def test_curve():
    truth, probability = scenes(1)
    metric = metrics.FROC()
    metric.update_state(truth, probability[..., None])
    false, hits, scores = metric.curve()
    assert (np.diff(false) >= 0).all()
    assert (np.diff(hits) >= 0).all()
    assert (np.diff(scores) < 0).all()
    best, alarms = map(np.array, oracle.scores(truth, probability, 0.1, 2, "overlap"))
    for k in range(0, len(scores), 97):
        assert false[k] == np.mean(alarms >= scores[k]) * len(alarms) / len(truth)
        assert hits[k] == np.mean(best >= scores[k])


def test_an_object_counts_once_and_extra_candidates_are_no_alarm():
    truth, probability = np.zeros((1, 9, 9), bool), np.zeros((1, 9, 9), "float32")
    truth[0, :3], truth[0, 5, 5] = True, True
    probability[0, 0, 0], probability[0, 2, 8], probability[0, 8, 0] = 0.9, 0.5, 0.7
    result = runs.value_of(lambda: metrics.FROC((0, 0.5, 1)), truth, probability[..., None])
    assert of(result, (0, 0.5, 1)) == [0.5, 0.5, 0.5]
    assert result["froc_objects"] == 2


def test_instances_ignored_pixels_and_classes():
    truth, probability = scenes(2)
    labels = np.stack([ndimage.label(mask, np.ones((3, 3)))[0] for mask in truth])
    plain = runs.value_of(metrics.FROC, truth, probability[..., None])
    runs.assert_equal(runs.value_of(lambda: metrics.FROC(instance_labels=True), labels, probability[..., None]), plain)

    ids = truth.astype("int32")
    ids[:, :, 16:] = 255
    cut = runs.value_of(metrics.FROC, truth[:, :, :16], probability[:, :, :16, None])
    runs.assert_equal(runs.value_of(lambda: metrics.FROC(ignore_class=255), ids, probability[..., None]), cut)

    # Objects and alarms of two classes are added up, with one set of images.
    other_truth, other = scenes(3)
    both = metrics.FROC(multi_label=True, bins=2**18)
    both.update_state(np.stack([truth, other_truth], -1), np.stack([probability, other], -1))
    best, false = (
        a + b
        for a, b in zip(*(oracle.scores(t, p, 0.1, 2, "overlap") for t, p in ((truth, probability), (other_truth, other))))
    )
    assert of(runs.read(both)) == pytest.approx(oracle.sensitivities(best, false, len(truth), RATES), abs=1e-6)


def test_logits_and_competing_classes():
    truth, logits = fields(4)
    logits = logits[..., None].astype("float32")
    expected = runs.value_of(metrics.FROC, truth, keras.ops.convert_to_numpy(keras.ops.sigmoid(logits)))
    runs.assert_equal(runs.value_of(lambda: metrics.FROC(from_logits=True), truth, logits), expected)
    two = np.concatenate([-logits / 2, logits / 2], -1)
    got = runs.value_of(lambda: metrics.FROC(from_logits=True), truth.astype("int32"), two)
    assert got == pytest.approx(expected, abs=0.02)


def test_no_objects_give_nan_and_no_candidates_zero():
    truth, probability = scenes(6)
    result = runs.value_of(metrics.FROC, 0 * truth, probability[..., None])
    assert np.isnan(of(result)).all()
    assert np.isnan(result["froc"])
    assert (result["froc_objects"], result["froc_cases"]) == (0, 8)
    assert runs.value_of(metrics.FROC, truth, 0 * probability[..., None])["froc"] == 0


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"fp_per_image": ()}, "at least one number"),
        ({"fp_per_image": (1, 0.5)}, "ascend"),
        ({"fp_per_image": (-1,)}, r"`fp_per_image\[0\]`"),
        ({"threshold": 1.0}, "`threshold`"),
        ({"hit": "touch"}, "'overlap', 'iou', 'peak', 'center'"),
        ({"iou_threshold": 1.0}, "`iou_threshold`"),
        ({"iou_threshold": 0.3}, "Write hit='iou'"),
        ({"bins": 1}, "`bins`"),
    ],
)
def test_bad_options_are_named(config, message):
    with pytest.raises(ValueError, match=message):
        metrics.FROC(**config)


def test_bad_input_is_named():
    truth, probability = scenes(8)
    with pytest.raises(ValueError, match="one weight per image"):
        metrics.FROC().update_state(truth, probability[..., None], np.ones(truth.shape))
    with pytest.raises(ValueError, match="connectivity"):
        metrics.FROC(connectivity=26).update_state(truth, probability[..., None])
    with pytest.raises(TypeError, match="`fp_per_image` must be numbers"):
        metrics.FROC(fp_per_image=1.0)
