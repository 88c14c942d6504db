"""Bootstrap against scipy and by its coverage, in eager code and in every kind of compiled fit."""

import itertools
import json
import math
import warnings

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from kerasmith import metrics
from kerasmith.base import AdditiveMetric, register
from kerasmith.numerics import safe
from kerasmith.numerics.resampling import percentile_interval, resampled_sums
from tests.support import fresh_process


@register
class ErrorRatio(AdditiveMetric):
    """sum |y - p| / sum y, both over the pixels of an image; and the mean error of images."""

    def __init__(self, name="error", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def statistics(self, y_true, y_pred, weights):
        error = ops.mean(ops.abs(y_true - y_pred), axis=(1, 2, 3))
        return {"errors": ops.stack([error, ops.mean(y_true, axis=(1, 2, 3))], axis=-1), "cases": ops.ones_like(error)}

    def combine(self, totals):
        if not totals:
            totals = {"errors": ops.zeros((2,)), "cases": ops.zeros(())}
        error, truth = totals["errors"][..., 0], totals["errors"][..., 1]
        return {
            self.key("ratio"): safe.ratio(error, truth, math.nan),
            self.key("mean"): safe.ratio(error, totals["cases"], math.nan),
        }


def images(count=30, seed=0):
    rng = np.random.default_rng(seed)
    truth = (rng.random((count, 6, 6, 1)) < rng.random((count, 1, 1, 1))).astype("float32")
    noise = rng.normal(size=truth.shape) * rng.random((count, 1, 1, 1))
    return truth, np.clip(truth + 0.8 * noise, 0, 1).astype("float32")


def read(metric):
    return {key: float(ops.convert_to_numpy(value)) for key, value in metric.result().items()}


def run(metric, *batches):
    for batch in batches:
        metric.update_state(*batch)
    return read(metric)


def test_equals_scipy_within_the_noise_of_resampling():
    truth, prediction = images()
    error, mass = np.abs(truth - prediction).mean((1, 2, 3)), truth.mean((1, 2, 3))
    got = run(metrics.Bootstrap(ErrorRatio(), n=20_000, confidence=0.9), (truth, prediction))
    for key, data, statistic in (
        ("error_mean", (error,), lambda e, axis: e.mean(axis)),
        ("error_ratio", (error, mass), lambda e, m, axis: e.sum(axis) / m.sum(axis)),
    ):
        options = {"paired": True, "n_resamples": 20_000, "confidence_level": 0.9, "method": "percentile", "vectorized": True}
        oracle = stats.bootstrap(data, statistic, rng=np.random.default_rng(1), **options)
        noise = 0.08 * float(oracle.standard_error)  # 4 standard deviations of the 5 % point of 20,000 draws, twice
        assert got[f"{key}_low"] == pytest.approx(oracle.confidence_interval.low, abs=noise)
        assert got[f"{key}_high"] == pytest.approx(oracle.confidence_interval.high, abs=noise)


def test_interval_of_a_mean_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(400):
        rows = np.column_stack((rng.normal(size=60), np.ones(60)))
        sums = resampled_sums(rows, 400, trial)
        low, high = percentile_interval(sums[:, 0] / sums[:, 1], 0.9)
        covered += low < 0 < high
    assert 0.85 < covered / 400 < 0.94  # 0.9 less what the percentile interval misses at 60 images, 3 standard errors


@pytest.mark.parametrize(
    "make",
    [
        metrics.DiceScore,
        lambda: metrics.IoU(per="dataset"),
        metrics.LesionDetection,
        lambda: metrics.SurfaceDistance((1.0, 2.0), tolerances=(1.0, 2.0)),
        ErrorRatio,
    ],
)
def test_estimate_is_that_of_the_metric(make):
    truth, prediction = images()
    expected = make()
    expected.update_state(truth, prediction)
    expected = expected.result()
    expected = expected if isinstance(expected, dict) else {make().name: expected}
    got = run(metrics.Bootstrap(make(), n=100), (truth[:11], prediction[:11]), (truth[11:], prediction[11:]))
    assert list(got) == [f"{key}{end}" for key in expected for end in ("", "_low", "_high")]
    for key, value in expected.items():
        assert got[key] == pytest.approx(float(ops.convert_to_numpy(value)), rel=1e-6)
        assert got[f"{key}_low"] <= got[key] <= got[f"{key}_high"]
    assert any(got[f"{key}_low"] < got[f"{key}_high"] for key in expected)


def test_several_classes():
    rng = np.random.default_rng(3)
    ids = rng.integers(0, 3, (20, 6, 6))
    prediction = (np.eye(3)[ids] + rng.normal(size=(20, 6, 6, 3))).astype("float32")
    for make in (lambda: metrics.DiceScore(average=None), lambda: metrics.SurfaceDistance(definitions=["assd"])):
        got = run(metrics.Bootstrap(make(), n=300), (ids, prediction))
        for c in (1, 2):
            only = run(metrics.Bootstrap(make(), n=300), (ids == c, (prediction.argmax(-1) == c)[..., None].astype("float32")))
            name = make().name
            single = f"{name}_0" if name == "dice_score" else f"{name}_assd"
            several = f"{name}_{c}" if name == "dice_score" else f"{name}_assd_{c}"
            assert got[several] == pytest.approx(only[single], rel=1e-6)
            width = only[f"{single}_high"] - only[f"{single}_low"]
            assert got[f"{several}_high"] - got[f"{several}_low"] == pytest.approx(width, rel=0.35)


@pytest.mark.parametrize("make", [lambda: metrics.ConfusionMatrix(3), lambda: metrics.MCC(3)])
def test_counts_of_classes(make):
    # These add a batch in one table; the bootstrap asks for the table of each image.
    rng = np.random.default_rng(4)
    ids = rng.integers(0, 3, (20, 6, 6))
    prediction = (np.eye(3)[ids] + rng.normal(size=(20, 6, 6, 3))).astype("float32")
    metric = make()
    metric.update_state(ids, prediction)
    expected = metric.result() if isinstance(metric.result(), dict) else {metric.name: metric.result()}
    got = run(metrics.Bootstrap(make(), n=50), (ids, prediction))
    for key, value in expected.items():
        assert got[key] == pytest.approx(float(ops.convert_to_numpy(value)), rel=1e-6)
        assert got[f"{key}_low"] <= got[key] <= got[f"{key}_high"]


def test_order_and_batches_do_not_matter():
    truth, prediction = images()
    weight = np.random.default_rng(0).random(30).astype("float32")
    whole = run(metrics.Bootstrap(ErrorRatio()), (truth, prediction, weight))
    order = np.random.default_rng(1).permutation(30)
    edges = [0, 7, 7, 8, 30]
    parts = [(truth[order[a:b]], prediction[order[a:b]], weight[order[a:b]]) for a, b in itertools.pairwise(edges)]
    assert run(metrics.Bootstrap(ErrorRatio()), *parts) == pytest.approx(whole, rel=1e-5)
    other = run(metrics.Bootstrap(ErrorRatio(), seed=1), (truth, prediction, weight))
    assert other["error_mean"] == whole["error_mean"]
    assert other["error_mean_low"] != whole["error_mean_low"]


def test_weights():
    truth, prediction = images()
    weight = np.repeat([1.0, 0.0], 15).astype("float32")
    kept = run(metrics.Bootstrap(ErrorRatio()), (truth[:15], prediction[:15]))
    broken = np.where(weight[:, None, None, None] == 0, np.nan, prediction)
    assert run(metrics.Bootstrap(ErrorRatio()), (truth, broken, weight)) == pytest.approx(kept, rel=1e-6)
    # A common factor changes no ratio; a scalar weight is one for all.
    double = run(metrics.Bootstrap(ErrorRatio()), (truth[:15], prediction[:15], 2.0))
    assert double["error_ratio_low"] == pytest.approx(kept["error_ratio_low"], rel=1e-5)


def test_no_data_is_nan_and_reset_forgets():
    truth, prediction = images()
    metric = metrics.Bootstrap(ErrorRatio(), n=50)
    assert len(read(metric)) == 6
    assert np.isnan(list(read(metric).values())).all()
    first = run(metric, (truth, prediction))
    metric.reset_state()
    assert np.isnan(list(read(metric).values())).all()
    assert run(metric, (truth, prediction)) == first


def test_resamples_without_a_result_are_left_out():
    truth, prediction = images(4)
    truth[:3] = 0  # the ratio is undefined if none of the draws is the fourth image
    got = run(metrics.Bootstrap(ErrorRatio()), (truth, prediction))
    assert np.isfinite(list(got.values())).all()
    np.testing.assert_equal(percentile_interval(np.full(5, np.nan), 0.9), (np.nan, np.nan))
    assert percentile_interval(np.array([1.0, 2.0, np.inf, np.nan]), 0.9) == (1.0, np.inf)


def test_an_infinite_mean_has_an_infinite_upper_end():
    truth, prediction = images()
    truth, prediction = (truth > 0.5).astype("float32"), (prediction > 0.5).astype("float32")
    truth[:, 0], prediction[:, 0] = 1, 1
    prediction[0] = 0
    got = run(metrics.Bootstrap(metrics.SurfaceDistance(definitions=["hd"], one_empty="infinite")), (truth, prediction))
    assert got["surface_hd"] == got["surface_hd_high"] == math.inf
    assert np.isfinite(got["surface_hd_low"])


def test_one_resampling_for_the_same_images(monkeypatch):
    truth, prediction = images()
    metric = metrics.Bootstrap(ErrorRatio(), n=50)
    first = run(metric, (truth, prediction))
    monkeypatch.setattr(metrics.Bootstrap, "_resample", None)
    assert read(metric) == first
    metric.reset_state()
    assert run(metric, (truth[::-1], prediction[::-1])) == pytest.approx(first, rel=1e-6)


def test_more_images_than_capacity_are_said():
    truth, prediction = images()
    exact = run(metrics.Bootstrap(ErrorRatio(), capacity=30), (truth, prediction))
    metric = metrics.Bootstrap(ErrorRatio(), capacity=29)
    metric.update_state(truth, prediction)
    with pytest.warns(UserWarning, match=r"capacity=29\) has seen 30 images.*`capacity=30`"):
        got = read(metric)
    assert got["error_mean"] == exact["error_mean"]
    assert np.isnan([got["error_mean_low"], got["error_mean_high"]]).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once
        metric.result()


def test_config_and_state_in_the_middle_of_an_epoch():
    truth, prediction = images()
    expected = run(metrics.Bootstrap(metrics.DiceScore(num_classes=1), n=50), (truth, prediction))
    metric = metrics.Bootstrap(metrics.DiceScore(num_classes=1, threshold=0.5), n=50, seed=0, capacity=100)
    metric.update_state(truth[:12], prediction[:12])
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert copy.get_config() == metric.get_config()
    assert isinstance(copy.metric, metrics.DiceScore)
    for variable, value in zip(copy.variables, metric.variables, strict=True):
        variable.assign(value)
    assert run(copy, (truth[12:], prediction[12:])) == pytest.approx(expected, rel=1e-6)
    assert (metric.name, metric.direction) == ("dice_score_bootstrap", "max")
    assert metrics.Bootstrap(metrics.SurfaceDistance()).directions["hd"] == "min"


@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_fit_and_after_loading(jit_compile, tmp_path):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
    truth, prediction = images(11)
    expected = run(metrics.Bootstrap(ErrorRatio(), n=100), (truth, prediction))
    model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(1, 1, trainable=False)])
    model.layers[-1].set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    model.compile("sgd", "mse", metrics=[metrics.Bootstrap(ErrorRatio(), n=100)], jit_compile=jit_compile)
    data = {"batch_size": 4, "verbose": 0}
    stop = keras.callbacks.EarlyStopping("val_error_mean_high", mode="min", patience=5)
    history = model.fit(prediction, truth, epochs=2, validation_data=(prediction, truth), callbacks=[stop], **data).history
    for key, value in expected.items():
        np.testing.assert_allclose(history[key], [value] * 2, rtol=1e-5)
        np.testing.assert_allclose(history[f"val_{key}"], [value] * 2, rtol=1e-5)
    assert stop.best == pytest.approx(expected["error_mean_high"], rel=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    got = loaded.evaluate(prediction, truth, return_dict=True, **data)
    got.pop("loss")
    assert got == pytest.approx(expected, rel=1e-5)


TWO_REPLICAS = """
import json, sys
import keras, numpy as np, tensorflow as tf
from kerasmith import metrics

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
truth, prediction = np.load(sys.argv[1])
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(1, 1, trainable=False)])
    model.layers[-1].set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    model.compile("sgd", "mse", metrics=[metrics.Bootstrap(metrics.DiceScore(), n=100, capacity=15)])
print(json.dumps(model.evaluate(prediction, truth, batch_size=4, verbose=0, return_dict=True)))
"""


@pytest.mark.heavy("compiles a model for two replicas", on=("tensorflow",), seconds=4)
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="MirroredStrategy is TensorFlow's")
def test_two_replicas(tmp_path):
    truth, prediction = images(13)
    np.save(tmp_path / "images.npy", np.stack([truth, prediction]))
    output = fresh_process.run(TWO_REPLICAS, tmp_path / "images.npy", CUDA_VISIBLE_DEVICES="")
    got = json.loads(output.splitlines()[-1])
    got.pop("loss")
    assert got == pytest.approx(run(metrics.Bootstrap(metrics.DiceScore(), n=100), (truth, prediction)), rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"metric": keras.metrics.MeanSquaredError()}, TypeError, "AdditiveMetric.*MeanSquaredError"),
        ({"metric": "dice"}, TypeError, "AdditiveMetric.*str"),
        ({"n": 0}, ValueError, "`n`"),
        ({"confidence": 95}, ValueError, "`confidence`"),
        ({"capacity": 0}, ValueError, "`capacity`"),
        ({"seed": None}, TypeError, "`seed`"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        metrics.Bootstrap(**({"metric": metrics.DiceScore()} | arguments))
