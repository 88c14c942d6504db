"""LesionDetection against plain loops over scipy components, in eager code and in every kind of compiled fit."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from kerasmith import metrics
from tests.oracles import objects as oracle
from tests.support import metric_runs as runs
from tests.support.blobs import blobs

KEYS = ("lesion_precision", "lesion_recall", "lesion_f1")


def loops(truth, prediction, threshold, structure=None, min_size=0):
    """(found, invented, missed) by plain loops, valid from a threshold of 0.5 on, where matches are unique."""
    totals = np.zeros(3, int)
    for one_truth, one_prediction in zip(truth, prediction):
        shape = np.ones((3,) * one_truth.ndim) if structure is None else structure
        objects = []
        for mask in (one_truth, one_prediction):
            labels, count = ndimage.label(mask, shape)
            regions = [labels == i for i in range(1, count + 1)]
            objects.append([region for region in regions if region.sum() >= min_size])
        found = 0
        for a in objects[0]:
            for b in objects[1]:
                found += (a & b).sum() / (a | b).sum() > threshold
        totals += found, len(objects[1]) - found, len(objects[0]) - found
    return totals


def quantities(found, invented, missed):
    def ratio(a, b):
        return a / b if b else np.nan

    return ratio(found, found + invented), ratio(found, found + missed), ratio(2 * found, 2 * found + invented + missed)


def read(result):
    return [float(ops.convert_to_numpy(result[key])) for key in KEYS]


@pytest.mark.parametrize(
    ("size", "config", "structure"),
    [
        ((5, 40, 40), {}, None),
        ((5, 40, 40), {"connectivity": 4, "min_size": 6}, ndimage.generate_binary_structure(2, 1)),
        ((5, 40, 40), {"iou_threshold": 0.7, "matching": "optimal"}, None),
        ((3, 16, 16, 16), {"connectivity": 6}, ndimage.generate_binary_structure(3, 1)),
        ((3, 16, 16, 16), {"connectivity": 18}, ndimage.generate_binary_structure(3, 2)),
    ],
)
def test_equals_plain_loops(size, config, structure):
    truth, prediction = blobs(0, size)
    expected = loops(truth, prediction, config.get("iou_threshold", 0.5), structure, config.get("min_size", 0))
    assert expected.min() > 0
    for batches in ([slice(None)], [slice(0, 2), slice(2, None)], [slice(i, i + 1) for i in range(len(truth))]):
        metric = metrics.LesionDetection(**config)
        for part in batches:
            metric.update_state(truth[part], prediction[part, ..., None].astype("float32"))
        np.testing.assert_allclose(read(metric.result()), quantities(*expected), rtol=1e-6)


def test_one_hit_one_miss_one_false_alarm():
    truth, prediction = np.zeros((2, 1, 8, 8, 1), "float32")
    truth[0, :3, :3], truth[0, 5:, 5:] = 1, 1
    prediction[0, :3, :3], prediction[0, 0, 7] = 1, 1
    metric = metrics.LesionDetection()
    metric.update_state(truth, prediction)
    assert read(metric.result()) == [0.5, 0.5, 0.5]
    metric.reset_state()
    assert np.isnan(read(metric.result())).all()
    metric.update_state(truth, 0 * prediction)
    assert np.isnan(read(metric.result())[0])
    assert read(metric.result())[1:] == [0, 0]


def test_low_thresholds_match_one_to_one():
    # Truth AAAAAA....BB, prediction aaabbb....: A overlaps two predictions, each object may be used once.
    truth, prediction = np.zeros((2, 1, 1, 13), bool)
    truth[0, 0, :6] = True
    prediction[0, 0, :2], prediction[0, 0, 3:6] = True, True
    for matching in ("greedy", "optimal"):
        metric = metrics.LesionDetection(iou_threshold=0.2, matching=matching)
        metric.update_state(truth, prediction[..., None].astype("float32"))
        np.testing.assert_allclose(read(metric.result()), quantities(1, 1, 0), rtol=1e-6)


@pytest.mark.parametrize("axis", [-1, 1])
def test_several_classes_and_ignored_pixels(axis):
    truth, prediction = blobs(1)
    other_truth, other_prediction = blobs(2)
    ids = np.where(truth, 1, np.where(other_truth, 2, 0))
    decided = np.where(prediction, 1, np.where(other_prediction, 2, 0))
    expected = sum(loops(ids == c, decided == c, 0.5) for c in (1, 2))
    scores = np.moveaxis(np.eye(3)[decided].astype("float32"), -1, axis)
    metric = metrics.LesionDetection(axis=axis)
    metric.update_state(ids, scores)
    np.testing.assert_allclose(read(metric.result()), quantities(*expected), rtol=1e-6)

    ignored = ids.copy()
    ignored[:, :, 20:] = 255
    expected = sum(loops((ids == c)[:, :, :20], (decided == c)[:, :, :20], 0.5) for c in (1, 2))
    metric = metrics.LesionDetection(axis=axis, ignore_class=255)
    metric.update_state(ignored, scores)
    np.testing.assert_allclose(read(metric.result()), quantities(*expected), rtol=1e-6)


def test_sample_weights_repeat_images():
    truth, prediction = blobs(3)
    times = np.array([2, 0, 1, 3, 1])
    weighted, repeated = metrics.LesionDetection(), metrics.LesionDetection()
    weighted.update_state(truth, prediction[..., None].astype("float32"), times.astype("float32"))
    repeated.update_state(np.repeat(truth, times, 0), np.repeat(prediction, times, 0)[..., None].astype("float32"))
    assert read(weighted.result()) == pytest.approx(read(repeated.result()))
    with pytest.raises(ValueError, match="one weight per image"):
        metrics.LesionDetection().update_state(truth, prediction[..., None].astype("float32"), np.ones((5, 40, 40)))


@pytest.mark.parametrize("config", [{}, {"iou_threshold": 0.2, "min_size": 4, "connectivity": 4}], ids=str)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_fit(jit_compile, config):
    if jit_compile and keras.backend.backend() == "tensorflow" and config:
        pytest.skip("matching below 0.5 is work for the host")
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
    truth, prediction = blobs(4, (11, 24, 24))
    scores = prediction[..., None].astype("float32")
    eager = metrics.LesionDetection(**config)
    eager.update_state(truth, scores)
    expected = read(eager.result())
    assert 0 < expected[2] < 1
    model = keras.Sequential([keras.Input((24, 24, 1)), keras.layers.Rescaling(1.0), keras.layers.Conv2D(1, 1)])
    model.layers[-1].trainable = False
    model.layers[-1].set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    model.compile("sgd", "mse", metrics=[metrics.LesionDetection(**config)], jit_compile=jit_compile)
    history = model.fit(scores, truth, batch_size=4, epochs=2, verbose=0, validation_data=(scores, truth)).history
    for key, value in zip(KEYS, expected):
        np.testing.assert_allclose(history[key], [value] * 2, rtol=1e-6)
        np.testing.assert_allclose(history[f"val_{key}"], [value] * 2, rtol=1e-6)
    assert model.evaluate(scores, truth, batch_size=4, verbose=0, return_dict=True)["lesion_f1"] == pytest.approx(expected[2])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only XLA under TensorFlow forbids host calls")
def test_low_thresholds_and_instances_under_xla():
    truth, prediction = blobs(5)
    low, scores = metrics.LesionDetection(0.2, matching="optimal"), prediction[..., None].astype("float32")
    labels, of_instances = instances(3)
    by_ids = metrics.LesionDetection(instance_labels=True)
    for metric, batch in ((low, (truth, scores)), (by_ids, (labels, of_instances))):
        found = runs.evaluated(type(metric).from_config(metric.get_config()), *batch, jit_compile=True)
        runs.assert_equal(found, runs.run(metric, batch))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"iou_threshold": 1.0}, "below 1"),
        ({"connectivity": 5}, "`connectivity`"),
        ({"min_size": -1}, "`min_size`"),
        ({"matching": "hungarian"}, "'greedy', 'optimal'"),
        ({"size_groups": ()}, "at least one number"),
        ({"size_groups": (10, 10)}, "ascend"),
        ({"size_groups": (0, 10)}, r"`size_groups\[0\]`"),
        ({"instance_labels": "yes"}, "`instance_labels`"),
    ],
)
def test_bad_input_is_named(config, message):
    with pytest.raises(ValueError, match=message):
        metrics.LesionDetection(**config)


def test_connectivity_must_fit_the_images():
    truth, prediction = blobs(6)
    with pytest.raises(ValueError, match="connectivity"):
        metrics.LesionDetection(connectivity=26).update_state(truth, prediction[..., None].astype("float32"))


GROUPS = ("below_20", "20_to_40", "from_40")


@pytest.mark.parametrize("threshold", [0.5, 0.2])
def test_size_groups_equal_plain_loops(threshold):
    truth, prediction = blobs(7)
    rows = [oracle.counts_by_size(t, p, threshold, 2, (20, 40), 3) for t, p in zip(truth, prediction)]
    counts = np.sum(rows, axis=0)
    assert (counts > 0).all()
    metric = metrics.LesionDetection(threshold, min_size=3, size_groups=(20, 40))
    metric.update_state(truth, prediction[..., None].astype("float32"))
    result = runs.read(metric)
    assert len(result) == 6 + 3 * 5
    for suffix, (found, true, matched, predicted) in zip(("", *(f"_{g}" for g in GROUPS)), [counts.sum(axis=0), *counts]):
        expected = {
            "recall": found / true,
            "precision": matched / predicted,
            "f1": (found + matched) / (true + predicted),
            "objects": true,
            "predictions": predicted,
        }
        for name, value in expected.items():
            assert result[f"lesion_{name}{suffix}"] == pytest.approx(value, rel=1e-6)
    assert result["lesion_cases"] == 5


def test_an_object_as_large_as_an_edge_is_above_it():
    truth = np.zeros((1, 8, 8), "int32")
    truth[0, 0, :3], truth[0, 4, :4] = 1, 1
    metric = metrics.LesionDetection(size_groups=[4])
    metric.update_state(truth, truth[..., None].astype("float32"))
    result = runs.read(metric)
    assert (result["lesion_objects_below_4"], result["lesion_objects_from_4"]) == (1, 1)
    result = runs.value_of(lambda: metrics.LesionDetection(size_groups=[2]), truth, truth[..., None].astype("float32"))
    assert np.isnan(result["lesion_recall_below_2"])
    assert result["lesion_f1_from_2"] == 1


def instances(seed, size=(6, 24, 24)):
    """Labels of squares that touch, with gaps in the numbering, and masks that find some of them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 5, (size[0], size[1] // 4, size[2] // 4))
    labels = np.where(coarse > 0, 1000 * np.arange(1, coarse.size + 1).reshape(coarse.shape), 0).repeat(4, 1).repeat(4, 2)
    found = np.isin(labels, rng.choice(np.unique(labels), len(np.unique(labels)) // 2)) & (labels > 0)
    return labels.astype("int32"), found[..., None].astype("float32")


@pytest.mark.parametrize("trailing", [False, True])
def test_touching_instances(trailing):
    labels, scores = instances(0)
    expected = np.zeros(3, int)
    for one, mask in zip(labels, scores[..., 0]):
        true, predicted = oracle.instances(one), oracle.components(mask, 1)
        found = len(oracle.greedy(oracle.pair_ious(true, predicted), 0.3))
        expected += found, len(predicted) - found, len(true) - found
    assert expected.min() > 0
    metric = metrics.LesionDetection(0.3, 4, instance_labels=True)
    metric.update_state(labels[..., None] if trailing else labels, scores)
    np.testing.assert_allclose(read(metric.result()), quantities(*expected), rtol=1e-6)


@pytest.mark.parametrize("ignore_class", [7, 1, [7, 9]])
def test_ignored_instances(ignore_class):
    labels, scores = instances(1)
    left = labels.copy()
    labels[:, :, 8:16] = ignore_class[0] if isinstance(ignore_class, list) else ignore_class
    if isinstance(ignore_class, list):
        labels[:, :8, 8:16] = 9
    make = lambda: metrics.LesionDetection(instance_labels=True, ignore_class=ignore_class)  # noqa: E731
    left[:, :, 8:16], cut = 0, scores.copy()
    cut[:, :, 8:16] = 0
    runs.assert_equal(
        runs.value_of(make, labels, scores),
        runs.value_of(lambda: metrics.LesionDetection(instance_labels=True), left, cut),
    )
    two = np.concatenate([1 - scores, scores], axis=-1)
    runs.assert_equal(runs.value_of(make, labels, two), runs.value_of(make, labels, scores))


def test_instances_of_several_classes_are_refused():
    labels, scores = instances(2)
    with pytest.raises(ValueError, match="one metric per class"):
        metrics.LesionDetection(instance_labels=True).update_state(labels, np.repeat(scores, 3, -1))
    with pytest.raises(ValueError, match=r"whole numbers.*fractions"):
        metrics.LesionDetection(instance_labels=True).update_state(labels + np.float32(0.5), scores)
    with pytest.raises(ValueError, match="a label of -3"):
        metrics.LesionDetection(instance_labels=True).update_state(-3 * (labels > 0), scores)


@pytest.mark.parametrize("trailing", [False, True])
def test_predicted_instances_may_touch(trailing):
    labels, _ = instances(4)
    # Some are not there, some are one with the next.
    predicted = np.where(labels % 3000 == 0, 0, np.where(labels % 7000 == 0, labels + 1000, labels))[..., None]
    expected = np.zeros(3, int)
    for one, two in zip(labels, predicted[..., 0]):
        true, found = oracle.instances(one), oracle.instances(two)
        matched = len(oracle.greedy(oracle.pair_ious(true, found), 0.5))
        expected += matched, len(found) - matched, len(true) - matched
    assert expected.min() > 0
    make = lambda: metrics.LesionDetection(instance_labels=True, instance_predictions=True)  # noqa: E731
    result = runs.value_of(make, labels[..., None] if trailing else labels, predicted)
    np.testing.assert_allclose(read(result), quantities(*expected), rtol=1e-6)
    assert make().get_config()["instance_predictions"] is True


def test_predicted_instances_are_whole_and_need_true_ones():
    labels, _ = instances(2)
    with pytest.raises(ValueError, match="write `instance_labels=True` too"):
        metrics.LesionDetection(instance_predictions=True)
    metric = metrics.LesionDetection(instance_labels=True, instance_predictions=True)
    with pytest.raises(ValueError, match=r"`instance_predictions=True` expects y_pred to hold the id.*whole numbers"):
        metric.update_state(labels, labels[..., None] + np.float32(0.5))
