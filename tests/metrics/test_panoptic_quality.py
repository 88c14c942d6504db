"""PanopticQuality against plain loops and torchmetrics, in eager code and in every kind of compiled fit."""

from fractions import Fraction

import keras
import numpy as np
import pytest
from scipy import ndimage

from kerasmith import metrics
from tests.oracles import objects as oracle
from tests.oracles import objects_panoptic as panoptic
from tests.support import metric_runs as runs
from tests.support.blobs import blobs

KEYS = ("panoptic_pq", "panoptic_sq", "panoptic_rq")
THINGS, STUFFS = (3, 1), (6, 7)


def maps(seed, size=(4, 12, 12), unknown=True):
    """Panoptic maps of blocks, and disturbed copies; category 9 is unknown."""
    rng = np.random.default_rng(seed)

    def blocks():
        grid = size[0], size[1] // 4, size[2] // 4
        category = rng.choice([1, 3, 6, 7, 9] if unknown else [1, 3, 6, 7], grid)
        return np.stack([category, rng.integers(0, 3, grid)], -1).repeat(4, 1).repeat(4, 2)

    truth = blocks()
    noise = rng.random(size) < rng.choice([0.05, 0.2, 0.4], size[0])[:, None, None]
    return truth.astype("int32"), np.where(noise[..., None], blocks(), truth).astype("int32")


def panoptic_loops(truth, prediction):
    tables = []
    for one_truth, one_prediction in zip(truth, prediction):
        true, void_true = panoptic.segments(one_truth, THINGS, STUFFS)
        predicted, void_predicted = panoptic.segments(one_prediction, THINGS, STUFFS)
        tables.append(panoptic.counts(true, predicted, void_true, void_predicted))
    return panoptic.add(tables)


def component_loops(truth, prediction, classes, axes_at_once, void=None, min_size=0):
    """{class: row} of images of class ids; `prediction` holds ids in the void, too."""
    tables = []
    for i in range(len(truth)):
        ignored = set() if void is None else set(zip(*np.nonzero(void[i])))
        for c in classes:
            true = oracle.components((truth[i] == c) & ~(void is not None and void[i]), axes_at_once)
            predicted = oracle.components(prediction[i] == c, axes_at_once)
            pairs = [[(c, pixels) for pixels in objects if len(pixels) >= min_size] for objects in (true, predicted)]
            tables.append(panoptic.counts(*pairs, ignored, set()))
    return panoptic.add(tables)


def agrees(result, table, per_class=(), rel=1e-6):
    assert [result[key] for key in KEYS] == pytest.approx(panoptic.averages(table), rel=rel)
    for c in per_class:
        expected = panoptic.qualities(table.get(c, [0, 0, 0, 0]))
        assert [result[f"{key}_{c}"] for key in KEYS] == pytest.approx(expected, rel=rel, nan_ok=True)
    assert result["panoptic_objects"] == sum(row[1] + row[3] for row in table.values())


def maps_metric(**config):
    return metrics.PanopticQuality("panoptic", THINGS, STUFFS, unknown_predictions="void", **config)


@pytest.mark.parametrize("seed", range(6))
def test_maps_equal_plain_loops_and_torchmetrics(seed):
    detection = pytest.importorskip("torchmetrics.detection")
    import torch

    truth, prediction = maps(seed)
    result = runs.value_of(lambda: maps_metric(per_class=True), truth, prediction)
    agrees(result, panoptic_loops(truth, prediction), (*THINGS, *STUFFS))
    assert result["panoptic_cases"] == 4
    options = {"allow_unknown_preds_category": True, "return_sq_and_rq": True}
    averages, per_class = (detection.PanopticQuality(set(THINGS), set(STUFFS), return_per_class=p, **options) for p in (0, 1))
    for theirs in (averages, per_class):
        theirs.update(torch.tensor(prediction), torch.tensor(truth))
    assert [result[key] for key in KEYS] == pytest.approx(averages.compute().tolist(), rel=1e-6)
    for c, row in zip(sorted((*THINGS, *STUFFS)), per_class.compute().tolist()):
        assert [result[f"{key}_{c}"] for key in KEYS] == pytest.approx(row, rel=1e-6)


def test_maps_of_one_and_three_dimensions_and_any_ids():
    truth, prediction = maps(1, (4, 12, 16))
    expected = panoptic_loops(truth, prediction)
    agrees(runs.value_of(maps_metric, truth.reshape(4, 192, 2), prediction.reshape(4, 192, 2)), expected)
    agrees(runs.value_of(maps_metric, truth.reshape(4, 12, 4, 4, 2), prediction.reshape(4, 12, 4, 4, 2)), expected)
    first = maps_metric(axis=1)
    first.update_state(np.moveaxis(truth, -1, 1), np.moveaxis(prediction, -1, 1))
    agrees(runs.read(first), expected)
    # Large and negative instance ids, and ids in floats, as a model gives them.
    for a, b in ((100_000_000, -7), (-1, 3)):
        moved = [np.stack([x[..., 0], a * x[..., 1] + b], -1) for x in (truth, prediction)]
        agrees(runs.value_of(maps_metric, *moved), expected)
    agrees(runs.value_of(maps_metric, truth, prediction.astype("float32")), expected)


def test_void_is_no_error():
    # One row: a true segment, void in the middle, a predicted segment that lies in the void by more than half.
    truth = np.array([[[1, 1]] * 4 + [[0, 0]] * 4 + [[2, 0]] * 4])
    prediction = np.array([[[1, 5]] * 3 + [[2, 0]] + [[1, 8]] * 4 + [[1, 8]] * 3 + [[2, 0]]])
    metric = metrics.PanopticQuality("panoptic", [1], [2], per_class=True)
    metric.update_state(truth, prediction)
    result = runs.read(metric)
    assert [result[f"{key}_1"] for key in KEYS] == pytest.approx((0.75, 0.75, 1))
    assert [result[f"{key}_2"] for key in KEYS] == [0, 0, 0]
    assert result["panoptic_classes"] == 2


@pytest.mark.parametrize(
    ("size", "config", "order"),
    [
        ((5, 40, 40), {}, 2),
        ((5, 40, 40), {"connectivity": 4, "min_size": 5}, 1),
        ((3, 12, 12, 12), {"connectivity": 18}, 2),
    ],
)
def test_components_equal_plain_loops(size, config, order):
    truth, prediction = blobs(0, size)
    result = runs.value_of(
        lambda: metrics.PanopticQuality(per_class=True, **config), truth, prediction[..., None].astype("float32")
    )
    table = component_loops(truth, prediction, [1], order, min_size=config.get("min_size", 0))
    agrees(result, table)
    assert [result[f"{key}_0"] for key in KEYS] == [result[key] for key in KEYS]


@pytest.mark.parametrize("axis", [-1, 1])
def test_components_of_several_classes_and_ignored_pixels(axis):
    truth, prediction = blobs(1)
    other_truth, other_prediction = blobs(2)
    ids = np.where(truth, 1, np.where(other_truth, 2, 0))
    decided = np.where(prediction, 1, np.where(other_prediction, 2, 0))
    scores = np.moveaxis(np.eye(4)[decided].astype("float32"), -1, axis)

    def make(**config):
        return metrics.PanopticQuality(axis=axis, per_class=True, **config)

    result = runs.value_of(make, ids, scores)
    agrees(result, component_loops(ids, decided, (1, 2, 3), 2), (1, 2, 3))
    assert result["panoptic_classes"] == 2
    assert np.isnan(result["panoptic_pq_3"])
    runs.assert_equal(runs.value_of(lambda: make(num_classes=4), ids, scores), result)

    void = np.zeros(ids.shape, bool)
    void[:, :, 14:26] = True
    ignored = np.where(void, 255, ids)
    result = runs.value_of(lambda: make(ignore_class=255), ignored, scores)
    agrees(result, component_loops(ids, decided, (1, 2, 3), 2, void), (1, 2, 3))


def test_components_equal_torchmetrics():
    detection = pytest.importorskip("torchmetrics.detection")
    import torch

    truth, prediction = blobs(3)
    both = [np.stack([m, [ndimage.label(x, np.ones((3, 3)))[0] for x in m]], -1) for m in (truth, prediction)]
    theirs = detection.PanopticQuality({1}, {0}, return_sq_and_rq=True, return_per_class=True)
    theirs.update(torch.tensor(both[1]), torch.tensor(both[0]))
    result = runs.value_of(metrics.PanopticQuality, truth, prediction[..., None].astype("float32"))
    assert [result[key] for key in KEYS] == pytest.approx(theirs.compute()[0].tolist(), rel=1e-6)


@pytest.mark.host("counts segments on the host")
@pytest.mark.parametrize(("threshold", "matching"), [(0.75, "unique"), (0.5, "optimal"), (0.2, "optimal")])
def test_other_thresholds_in_both_inputs(threshold, matching):
    truth, prediction = maps(3, unknown=False)
    tables = []
    for pair in zip(truth, prediction):
        (true, void_true), (predicted, void_predicted) = (panoptic.segments(x, THINGS, STUFFS) for x in pair)
        tables.append(panoptic.counts(true, predicted, void_true, void_predicted, Fraction(str(threshold))))
    metric = maps_metric(iou_threshold=threshold, matching=matching)
    assert metric.get_config()["iou_threshold"] == threshold
    agrees(runs.run(metric, (truth, prediction)), panoptic.add(tables))
    masks, disturbed = blobs(5, (3, 24, 24))
    tables = []
    for pair in zip(masks, disturbed):
        segments = [[(1, pixels) for pixels in oracle.components(mask, 2)] for mask in pair]
        tables.append(panoptic.counts(*segments, set(), set(), Fraction(str(threshold))))
    metric = metrics.PanopticQuality(iou_threshold=threshold, matching=matching)
    agrees(runs.run(metric, (masks[..., None], disturbed[..., None].astype("float32"))), panoptic.add(tables))


def test_touching_instances():
    labels = np.zeros((1, 6, 8), "int32")
    labels[0, :4, :4], labels[0, :4, 4:] = 9, 4
    scores = np.zeros((1, 6, 8, 1), "float32")
    scores[0, :4, :3] = 1
    result = runs.value_of(lambda: metrics.PanopticQuality(instance_labels=True), labels, scores)
    assert [result[key] for key in KEYS] == pytest.approx((0.75 / 1.5, 0.75, 1 / 1.5))
    assert result["panoptic_objects"] == 2


def test_masked_pixels_of_maps_are_void():
    truth, prediction = maps(4, unknown=False)
    mask = np.ones(truth.shape[:-1], bool)
    mask[:, :, 6:] = False
    masked = keras.ops.convert_to_tensor(prediction)
    keras.src.backend.set_keras_mask(masked, keras.ops.convert_to_tensor(mask))
    metric = metrics.PanopticQuality("panoptic", THINGS, STUFFS)
    metric.update_state(truth, masked)
    runs.assert_equal(runs.read(metric), runs.value_of(maps_metric, truth[:, :, :6], prediction[:, :, :6]))


def test_unknown_predicted_categories_are_named():
    truth, prediction = maps(0)
    with pytest.raises(ValueError, match=r"Received: categories \[9\]"):
        metrics.PanopticQuality("panoptic", THINGS, STUFFS).update_state(truth, prediction)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"inputs": "maps"}, "'components', 'panoptic'"),
        ({"inputs": "panoptic"}, "at least one"),
        ({"things": (1,)}, "no other inputs"),
        ({"inputs": "panoptic", "things": (1, 2), "stuffs": (2,)}, "must not repeat"),
        ({"inputs": "panoptic", "things": (-1,)}, r"`things\[0\]`"),
        ({"unknown_predictions": "skip"}, "'error', 'void'"),
        ({"num_classes": 0}, "`num_classes`"),
        ({"iou_threshold": 1.0}, "`iou_threshold`.*< 1"),
        ({"iou_threshold": 0.3}, "Write `matching='optimal'`"),
        ({"matching": "best"}, "'unique', 'optimal', 'greedy'"),
        ({"inputs": "panoptic", "things": (1,), "ignore_class": 255}, "Received: ignore_class=255"),
        ({"inputs": "panoptic", "things": (1,), "ignore_class": 0}, "Received: ignore_class=0"),
    ],
)
def test_bad_options_are_named(config, message):
    with pytest.raises(ValueError, match=message):
        metrics.PanopticQuality(**config)


def test_bad_input_is_named():
    truth, prediction = maps(0)
    with pytest.raises(ValueError, match=r"y_true of shape \(4, 12, 12\)"):
        maps_metric().update_state(truth[..., 0], prediction)
    with pytest.raises(ValueError, match="one weight per image"):
        maps_metric().update_state(truth, prediction, np.ones((4, 12, 12)))
    with pytest.raises(ValueError, match="fractions in y_pred"):
        maps_metric().update_state(truth, prediction + np.float32(0.5))
    with pytest.raises(ValueError, match=r"num_classes=2\) needs y_pred with 2 channels. Received: 1 channel"):
        metrics.PanopticQuality(num_classes=2).update_state(truth[..., 0] > 3, np.ones((4, 12, 12, 1)))
