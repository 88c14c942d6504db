"""SurfaceDistance against MONAI, MedPy and surface-distance, in eager code and in every kind of compiled fit."""

import math

import keras
import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from kerasmith import metrics
from tests.oracles import surfaces

LIBRARIES = [
    (surfaces.monai, {}),
    (surfaces.medpy, {"hd95": "pooled"}),
    (surfaces.medpy_both_ways, {"assd": "mean_of_directed"}),
    (surfaces.surface_distance, {"surface": "dual_grid", "hd95": "area_weighted", "assd": "area_weighted"}),
]
SPACING = (0.7, 2.0)


def blobs(seed, size=(5, 26, 24)):
    """Masks and disturbed copies, (N, *spatial) bool, none of them empty."""
    rng = np.random.default_rng(seed)
    sigma = (0, *[2.0] * (len(size) - 1))
    field = ndimage.gaussian_filter(rng.normal(size=size), sigma)
    other = field + 0.6 * ndimage.gaussian_filter(rng.normal(size=size), sigma)
    # A threshold of each image, so that none is empty.
    axes = tuple(range(1, len(size)))
    truth, prediction = (f > f.max(axes, keepdims=True) / 3 for f in (field, other))
    return truth, prediction


def scores(prediction):
    return prediction[..., None].astype("float32")


def read(metric):
    return {key: float(ops.convert_to_numpy(value)) for key, value in metric.result().items()}


def run(metric, *batches):
    for batch in batches:
        metric.update_state(*batch)
    return read(metric)


@pytest.mark.parametrize(("oracle", "config"), LIBRARIES, ids=lambda x: getattr(x, "__name__", ""))
@pytest.mark.parametrize(("size", "spacing"), [((5, 26, 24), SPACING), ((2, 14, 16, 12), (2.0, 0.9, 1.1))], ids=str)
def test_mean_over_images_equals_the_library(oracle, config, size, spacing):
    truth, prediction = blobs(0, size)
    expected = [oracle(t, p, spacing, 1.0) for t, p in zip(truth, prediction)]
    got = run(metrics.SurfaceDistance(spacing, **config), (truth, scores(prediction)))
    for key in expected[0]:
        assert got[f"surface_{key}"] == pytest.approx(np.mean([one[key] for one in expected]), rel=1e-6)
    assert got["surface_cases"] == len(truth)


@pytest.mark.host("the distances are host code")
@pytest.mark.parametrize("directed", ["truth_to_prediction", "prediction_to_truth"])
def test_directed_distances_equal_the_library(directed):
    truth, prediction = blobs(0)
    pairs = list(zip(truth, prediction) if directed == "truth_to_prediction" else zip(prediction, truth))
    dual = {"surface": "dual_grid", "assd": "area_weighted"}
    for oracle, config in ((surfaces.monai_directed, {}), (surfaces.surface_distance_directed, dual)):
        expected = [oracle(*pair, SPACING, 1.0) for pair in pairs]
        got = run(metrics.SurfaceDistance(SPACING, directed=directed, **config), (truth, scores(prediction)))
        for key in expected[0]:
            assert got[f"surface_{key}"] == pytest.approx(np.mean([one[key] for one in expected]), rel=1e-5)
    got = run(metrics.SurfaceDistance(SPACING, directed=directed), (truth, scores(prediction)))
    share = [(surfaces.from_border(*pair, SPACING) <= 1.0 + 1e-6).mean() for pair in pairs]
    assert got["surface_nsd"] == pytest.approx(np.mean(share), rel=1e-5)
    for pair in ((truth[:1], np.zeros_like(truth[:1])), (np.zeros_like(truth[:1]), truth[:1])):
        got = run(metrics.SurfaceDistance(directed=directed), (pair[0], scores(pair[1])))
        assert got["surface_hd"] == pytest.approx(math.hypot(26, 24))
        assert got["surface_nsd"] == 0


@pytest.mark.host("the distances are host code")
def test_a_tolerance_for_each_class_equals_monai():
    (truth, prediction), (other_truth, other_prediction) = blobs(1), blobs(2)
    for config, y, p in (
        ({"multi_label": True}, np.stack([truth, other_truth], -1), np.stack([prediction, other_prediction], -1)),
        ({}, np.where(other_truth, 2, truth), np.eye(3)[np.where(other_prediction, 2, prediction.astype(int))]),
    ):
        tolerances = (0.5, 2.5)
        pairs = [(y[..., c], p[..., c]) for c in (0, 1)] if config else [(y == c, p[..., c] > 0.5) for c in (1, 2)]
        expected = [
            np.mean([surfaces.monai(t, q, SPACING, tolerance)["nsd"] for t, q in zip(*pair)])
            for pair, tolerance in zip(pairs, tolerances)
        ]
        metric = metrics.SurfaceDistance(SPACING, ["hd", "nsd"], class_tolerances=tolerances, name="s", **config)
        got = run(metric, (y.astype("float32") if config else y, p.astype("float32")))
        np.testing.assert_allclose([got[f"s_nsd_{c + (not config)}"] for c in (0, 1)], expected, rtol=1e-6)
        assert got["s_nsd"] == pytest.approx(np.mean(expected), rel=1e-6)
    with pytest.raises(ValueError, match="one number per foreground class, 2"):
        metrics.SurfaceDistance(class_tolerances=[1.0]).update_state(y, p.astype("float32"))
    with pytest.raises(ValueError, match="one number per foreground class, 2"):
        metrics.SurfaceDistance(num_classes=3, class_tolerances=[1.0])


@pytest.mark.parametrize("axis", [-1, 1])
def test_several_classes_and_tolerances(axis):
    (truth, prediction), (other_truth, other_prediction) = blobs(1), blobs(2)
    other_truth[3] = other_prediction[3] = False
    ids = np.where(other_truth, 2, np.where(truth, 1, 0))
    decided = np.where(other_prediction, 2, np.where(prediction, 1, 0))
    tolerances = (1.0, 2.5)
    expected = {
        (c, tolerance): [
            surfaces.monai(t == c, p == c, SPACING, tolerance)
            for t, p in zip(ids, decided)
            if (t == c).any() or (p == c).any()
        ]
        for c in (1, 2)
        for tolerance in tolerances
    }
    metric = metrics.SurfaceDistance(SPACING, tolerances=tolerances, axis=axis, name="s")
    got = run(metric, (ids, np.moveaxis(np.eye(3)[decided].astype("float32"), -1, axis)))
    assert (got["s_cases"], got["s_cases_1"], got["s_cases_2"]) == (9, 5, 4)
    assert (got["s_one_empty"], got["s_both_empty"]) == (0, 1)
    for key, name, tolerance in [(k, k, 1.0) for k in ("hd", "hd95", "assd")] + [("nsd", f"nsd_{t:g}", t) for t in tolerances]:
        means = [np.mean([one[key] for one in expected[c, tolerance]]) for c in (1, 2)]
        assert [got[f"s_{name}_1"], got[f"s_{name}_2"]] == pytest.approx(means, rel=1e-6)
        assert got[f"s_{name}"] == pytest.approx(np.mean(means), rel=1e-6)
    short = metrics.SurfaceDistance(definitions=["hd"], per_class=False, axis=axis)
    assert list(run(short, (ids, np.moveaxis(np.eye(3)[decided].astype("float32"), -1, axis)))) == [
        "surface_hd",
        "surface_cases",
        "surface_one_empty",
        "surface_both_empty",
    ]


def test_ignored_pixels_belong_to_no_object():
    truth, prediction = blobs(3)
    labels = truth.astype("int32")
    labels[:, :, 15:] = 255
    expected = run(metrics.SurfaceDistance(), (truth[:, :, :15], scores(prediction[:, :, :15])))
    assert run(metrics.SurfaceDistance(ignore_class=255), (labels, scores(prediction))) == pytest.approx(expected)


def test_logits_and_threshold():
    truth, prediction = blobs(4)
    probability = np.where(prediction, 0.4, 0.2)[..., None].astype("float32")
    expected = run(metrics.SurfaceDistance(), (truth, scores(prediction)))
    assert run(metrics.SurfaceDistance(threshold=0.3), (truth, probability)) == expected
    logits = np.log(probability / (1 - probability))
    assert run(metrics.SurfaceDistance(threshold=0.3, from_logits=True), (truth, logits)) == expected


@pytest.mark.parametrize("one_empty", ["worst", "infinite", "skip"])
@pytest.mark.parametrize("both_empty", ["perfect", "skip"])
def test_empty_masks(one_empty, both_empty):
    truth, prediction = blobs(5, (5, 12, 10))
    truth[1], prediction[2], truth[4], prediction[4] = False, False, False, False
    full = run(metrics.SurfaceDistance(SPACING), (truth[[0, 3]], scores(prediction[[0, 3]])))
    got = run(metrics.SurfaceDistance(SPACING, one_empty=one_empty, both_empty=both_empty), (truth, scores(prediction)))
    cases = 2 + 2 * (one_empty != "skip") + (both_empty == "perfect")
    assert (got["surface_cases"], got["surface_one_empty"], got["surface_both_empty"]) == (cases, 2, 1)
    distance = {"worst": math.hypot(12 * 0.7, 10 * 2.0), "infinite": math.inf, "skip": 0}[one_empty]
    for key in ("hd", "hd95", "assd"):
        assert got[f"surface_{key}"] == pytest.approx((2 * full[f"surface_{key}"] + 2 * distance) / cases, rel=1e-6)
    assert got["surface_nsd"] == pytest.approx((2 * full["surface_nsd"] + (both_empty == "perfect")) / cases, rel=1e-6)


def test_sample_weights_repeat_and_delete_images():
    truth, prediction = blobs(7)
    prediction[3] = False
    times = np.array([2, 0, 1, 3, 1])
    weighted = run(metrics.SurfaceDistance(), (truth, scores(prediction), times.astype("float32")))
    repeated = run(metrics.SurfaceDistance(), (np.repeat(truth, times, 0), scores(np.repeat(prediction, times, 0))))
    assert weighted == pytest.approx(repeated, rel=1e-6)
    # An infinite mean ends when the image that made it has weight 0.
    weight = np.array([1, 1, 1, 0, 1], "float32")
    assert np.isfinite(
        list(run(metrics.SurfaceDistance(one_empty="infinite"), (truth, scores(prediction), weight)).values())
    ).all()


def test_no_data_is_nan_and_reset_forgets():
    truth, prediction = blobs(8)
    for metric in (metrics.SurfaceDistance(), metrics.SurfaceDistance(num_classes=1)):
        empty = {f"surface_{key}": math.nan for key in surfaces.KEYS}
        empty |= {"surface_cases": 0, "surface_one_empty": 0, "surface_both_empty": 0}
        np.testing.assert_equal(read(metric), empty)
        first = run(metric, (truth, scores(prediction)))
        metric.reset_state()
        np.testing.assert_equal(read(metric), empty)
        assert run(metric, (truth, scores(prediction))) == first
        metric.reset_state()
        nothing = run(metric, (0 * truth, 0 * scores(prediction)))
        np.testing.assert_equal(nothing, empty | {"surface_both_empty": len(truth)})


def test_config_and_state_in_the_middle_of_an_epoch():
    truth, prediction = blobs(9)
    config = {
        "spacing": SPACING,
        "definitions": ["hd95", "nsd"],
        "tolerances": (0.5, 2.0),
        "surface": "dual_grid",
        "hd95": "area_weighted",
        "one_empty": "infinite",
        "num_classes": 1,
        "name": "mine",
    }
    metric = metrics.SurfaceDistance(**config)
    expected = run(metrics.SurfaceDistance(**config), (truth, scores(prediction)))
    metric.update_state(truth[:2], scores(prediction[:2]))
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert copy.get_config() == metric.get_config()
    for variable, value in zip(copy.variables, metric.variables, strict=True):
        variable.assign(value)
    assert run(copy, (truth[2:], scores(prediction[2:]))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_fit(jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
    truth, prediction = blobs(10, (7, 16, 16))
    expected = run(metrics.SurfaceDistance(SPACING), (truth, scores(prediction)))
    # Height unknown too: TensorFlow then traces with shapes (None, None, 16, 1).
    model = keras.Sequential([keras.Input((None, 16, 1)), keras.layers.Conv2D(1, 1, trainable=False)])
    model.layers[-1].set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    model.compile("sgd", "mse", metrics=[metrics.SurfaceDistance(SPACING)], jit_compile=jit_compile)
    data = {"batch_size": 3, "verbose": 0}
    history = model.fit(scores(prediction), truth, epochs=2, validation_data=(scores(prediction), truth), **data).history
    for key, value in expected.items():
        np.testing.assert_allclose(history[key], [value] * 2, rtol=1e-6)
        np.testing.assert_allclose(history[f"val_{key}"], [value] * 2, rtol=1e-6)
    assert model.evaluate(scores(prediction), truth, return_dict=True, **data)["surface_hd"] == pytest.approx(
        expected["surface_hd"]
    )


def test_what_is_better():
    assert metrics.SurfaceDistance().direction == "min"
    assert metrics.SurfaceDistance(definitions=["nsd"]).direction == "max"
    assert metrics.SurfaceDistance.directions["hd"] == "min"
    assert metrics.SurfaceDistance.directions["nsd"] == "max"


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"definitions": ["hd", "hd90"]}, ValueError, r"definitions\[1\].*'hd', 'hd95', 'assd', 'nsd'"),
        ({"definitions": "hd"}, TypeError, "list"),
        ({"definitions": []}, TypeError, "at least one"),
        ({"tolerances": [1.0, 1.0]}, ValueError, "repeat"),
        ({"tolerances": [-1.0]}, ValueError, r"tolerances\[0\]"),
        ({"spacing": [1.0, 0.0]}, ValueError, r"spacing\[1\]"),
        ({"spacing": 1.0}, TypeError, "`spacing` must be a list"),
        ({"hd95": "area_weighted"}, ValueError, "surface='dual_grid'"),
        ({"assd": "area_weighted"}, ValueError, "surface='dual_grid'"),
        ({"hd95": "monai"}, ValueError, "'max_of_directed', 'pooled', 'area_weighted'"),
        ({"directed": True}, ValueError, "'symmetric', 'truth_to_prediction', 'prediction_to_truth'"),
        ({"class_tolerances": [1.0], "tolerances": [2.0]}, ValueError, "leave `tolerances` out"),
        ({"class_tolerances": [1.0], "definitions": ["hd"]}, ValueError, "Add 'nsd'"),
        ({"class_tolerances": [-1.0]}, ValueError, r"class_tolerances\[0\]"),
        ({"one_empty": "nan"}, ValueError, "'worst', 'infinite', 'skip'"),
    ],
)
def test_bad_arguments_are_named(config, error, message):
    with pytest.raises(error, match=message):
        metrics.SurfaceDistance(**config)


def test_bad_input_is_named():
    truth, prediction = blobs(11)
    with pytest.raises(ValueError, match=r"one voxel size per axis of the images, 2.*length 3"):
        metrics.SurfaceDistance((1.0, 1.0, 1.0)).update_state(truth, scores(prediction))
    with pytest.raises(ValueError, match="one weight per image"):
        metrics.SurfaceDistance().update_state(truth, scores(prediction), np.ones(truth.shape))
    with pytest.raises(ValueError, match="height, width"):
        metrics.SurfaceDistance().update_state(truth[:, 0], scores(prediction[:, 0]))
    with pytest.raises(ValueError, match=r"num_classes=3.*1 channel\."):
        metrics.SurfaceDistance(num_classes=3).update_state(truth, scores(prediction))
