"""`Shared` gives what its metrics give alone, and counts once."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses, metrics
from kerasmith.base.direction import direction_of, directions_of
from kerasmith.callbacks import TopKCheckpoints
from kerasmith.metrics import class_counts, decided_classes, ranking
from tests.support.metric_runs import assert_equal, fresh, read, run

pytestmark = pytest.mark.heavy("each row trains several metrics, compiled for seconds", on=("tensorflow",), seconds=1)
CLASSES = 4
TORCH = keras.backend.backend() == "torch"
NO_COMPILER = "Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time"
JIT = pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.skipif(TORCH, reason=NO_COMPILER))])


def batch(shape=(6, 8, 5), seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, CLASSES, shape).astype("int32")
    scores = rng.random((*shape, CLASSES)).astype("float32") + 0.5 * np.eye(CLASSES, dtype="float32")[ids]
    return ids, scores / scores.sum(-1, keepdims=True)


def seven(**config):
    kinds = [metrics.ConfusionMatrix, metrics.CohenKappa, metrics.MCC, metrics.TruePositives, metrics.DiceScore]
    return [
        *(kind(CLASSES, **config) for kind in kinds),
        metrics.IoU(CLASSES, per="dataset", **config),
        metrics.IoU(CLASSES, average=None, name="each", **config),
    ]


def alone(made, *batches):
    results = {}
    for metric in made:
        results |= run(metric, *batches)
    return results


@pytest.fixture
def counted(monkeypatch):
    """A list with an entry for each time that classes are counted."""
    calls, original = [], decided_classes.joint_counts
    monkeypatch.setattr(decided_classes, "joint_counts", lambda *a, **k: calls.append(k["per_sample"]) or original(*a, **k))
    return calls


@pytest.mark.parametrize(
    "config", [{}, {"ignore_class": [1]}, {"predictions": "ids"}, {"axis": 1}, {"from_logits": True}], ids=str
)
@pytest.mark.parametrize("weights", [None, "samples", "pixels"])
def test_results_are_those_of_the_metrics_alone(config, weights, counted):
    ids, scores = batch()
    if config.get("predictions"):
        scores = scores.argmax(-1).astype("int32")
    if config.get("axis"):
        scores = np.moveaxis(scores, -1, 1)
    shape = {None: None, "samples": (6,), "pixels": (6, 8, 5)}[weights]
    weight = None if shape is None else np.random.default_rng(1).integers(0, 3, shape).astype("float32")
    batches = (ids, scores, weight), (ids[::-1], scores[::-1])
    expected = alone(seven(**config), *batches)
    counted.clear()
    shared = metrics.Shared(seven(**config))
    assert run(shared, *batches) == pytest.approx(expected, rel=1e-6, nan_ok=True)
    assert counted == [True, True]


def test_one_hot_labels_and_empty_pixels():
    ids, scores = batch()
    labels = np.eye(CLASSES, dtype="float32")[ids]
    labels[0, :3] = 0  # pixels of no class
    with pytest.warns(UserWarning, match="out of range"):
        expected = alone(seven(), (labels, scores))
    with pytest.warns(UserWarning, match="out of range"):
        assert run(metrics.Shared(seven()), (labels, scores)) == pytest.approx(expected, rel=1e-6)


def test_binary_and_independent_masks():
    rng = np.random.default_rng(2)
    y, p = (rng.random((5, 6, 6, 3)) < 0.4).astype("float32"), rng.random((5, 6, 6, 3)).astype("float32")

    def binary():
        return [metrics.DiceScore(1), metrics.MCC(2), metrics.IoU(2, name="both")]

    got = run(metrics.Shared(binary()), (y[..., :1], p[..., :1]))
    assert got == pytest.approx(alone(binary()[:2], (y[..., :1], p[..., :1])) | {"both": got["both"]}, rel=1e-6)

    def independent():
        return [metrics.ConfusionMatrix(3, multi_label=True), metrics.IoU(3, multi_label=True, average=None)]

    assert run(metrics.Shared(independent()), (y, p)) == pytest.approx(alone(independent(), (y, p)), rel=1e-6)


def test_metrics_of_whole_counts_keep_one_table(counted):
    ids, scores = batch()
    shared = metrics.Shared([metrics.MCC(CLASSES), metrics.ConfusionMatrix(CLASSES)])
    assert run(shared, (ids, scores)) == alone([metrics.MCC(CLASSES), metrics.ConfusionMatrix(CLASSES)], (ids, scores))
    assert counted == [False] * 3


def test_histograms_are_counted_once(monkeypatch):
    calls, original = [], ranking.score_histogram
    monkeypatch.setattr(ranking, "score_histogram", lambda *a, **k: calls.append(1) or original(*a, **k))
    ids, scores = batch((40,))
    weight = np.arange(40).astype("float32") % 3

    def make():
        return [metrics.AUC(bins=256, class_names=list("abcd")), metrics.AveragePrecision(bins=256, name="ap")]

    expected = alone(make(), (ids, scores, weight))
    calls.clear()
    assert run(metrics.Shared(make()), (ids, scores, weight)) == expected
    assert calls == [1]


@JIT
def test_in_fit_and_evaluate(jit_compile, counted):
    ids, scores = batch((8, 6, 5))
    weight = np.arange(8).astype("float32") % 3

    def history(made):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((6, 5, CLASSES)), keras.layers.Dense(CLASSES, "softmax")])
        model.compile("sgd", losses.CrossEntropy(), weighted_metrics=made, jit_compile=jit_compile)
        counted.clear()
        fitted = model.fit(scores, ids, sample_weight=weight, batch_size=4, epochs=2, shuffle=False, verbose=0)
        counts = len(counted)
        evaluated = model.evaluate(scores, ids, sample_weight=weight, batch_size=4, verbose=0, return_dict=True)
        return fitted.history, evaluated, counts

    expected, evaluated, many = history(seven())
    got, got_evaluated, few = history([metrics.Shared(seven())])
    assert got.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(got[key], values, rtol=1e-5, atol=1e-6, err_msg=key)
    assert_equal(got_evaluated, evaluated)
    assert many > 3 * few


def test_masks_of_the_model_are_read():
    words = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 1, 2, 3]])
    labels = np.array([[0, 1, 2, 3], [1, 2, 2, 2], [0, 1, 2, 3]])

    def evaluated(made):
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Embedding(5, 3, mask_zero=True), keras.layers.Dense(CLASSES, "softmax")]
        model = keras.Sequential([keras.Input((4,), dtype="int32"), *layers])
        model.compile(loss=losses.CrossEntropy(), metrics=made)
        return model.evaluate(words, labels, verbose=0, return_dict=True)

    expected = evaluated([metrics.ConfusionMatrix(CLASSES, report=["support"]), metrics.IoU(CLASSES)])
    got = evaluated([metrics.Shared([metrics.ConfusionMatrix(CLASSES, report=["support"]), metrics.IoU(CLASSES)])])
    assert got == pytest.approx(expected, rel=1e-6)
    assert sum(got[f"confusion_matrix_support_{c}"] for c in range(CLASSES)) == 7


def test_reset_configuration_and_state():
    ids, scores = batch()
    shared = metrics.Shared(seven(), name="pixels", dtype="float64")
    first = run(shared, (ids, scores))
    copy = fresh(shared)
    assert copy.get_config() == shared.get_config()
    assert (copy.name, copy.dtype) == ("pixels", "float64")
    for target, source in zip(copy.variables, shared.variables, strict=True):
        target.assign(source.value)
    assert read(copy) == first
    shared.reset_state()
    assert np.isnan(read(shared)["mcc"])
    assert run(shared, (ids, scores)) == first


def test_saved_with_the_model(tmp_path):
    ids, scores = batch()
    model = keras.Sequential([keras.Input((8, 5, CLASSES)), keras.layers.Dense(CLASSES, "softmax")])
    model.compile("sgd", losses.CrossEntropy(), metrics=[metrics.Shared([metrics.IoU(CLASSES), metrics.MCC(CLASSES)])])
    expected = model.evaluate(scores, ids, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(scores, ids, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-6)
    assert set(expected) == {"loss", "iou", "mcc"}


def test_directions_are_those_of_the_metrics(tmp_path):
    shared = metrics.Shared([metrics.ConfusionMatrix(CLASSES), metrics.MCC(CLASSES)])
    known = directions_of([shared])
    assert direction_of("val_mcc", known) == "max"
    assert direction_of("confusion_matrix_f1", known) == "max"
    assert direction_of("confusion_matrix_classes", known) is None
    ids, scores = batch()
    model = keras.Sequential([keras.Input((8, 5, CLASSES)), keras.layers.Dense(CLASSES, "softmax")])
    model.compile("sgd", losses.CrossEntropy(), metrics=[shared])
    keeps = TopKCheckpoints(str(tmp_path), "val_mcc", k=1)
    stops = keras.callbacks.EarlyStopping("val_mcc", mode="max", patience=9)
    model.fit(scores, ids, validation_data=(scores, ids), epochs=2, verbose=0, callbacks=[keeps, stops])
    assert len(list(tmp_path.glob("*.keras"))) == 1
    assert stops.best > -1


@pytest.mark.parametrize(
    ("made", "error", "says"),
    [
        (list, TypeError, "must be a list of metrics"),
        (lambda: metrics.MCC(4), TypeError, "must be a list of metrics"),
        (lambda: [metrics.MCC(4), metrics.SSIM()], TypeError, r"\[Shared\(\[\.\.\.\]\), SSIM\(\.\.\.\)\]"),
        (lambda: [metrics.MCC], TypeError, "as objects"),
        (lambda: [metrics.MCC(4), metrics.Bootstrap(metrics.IoU(4))], TypeError, r"Bootstrap\(\.\.\.\)\]"),
        (lambda: [metrics.MCC(4), metrics.MCC(4)], ValueError, r"MCC\(\.\.\., name='mcc_2'\)"),
        (lambda: [metrics.MCC(4), metrics.IoU()], ValueError, r"Write `IoU\(num_classes\)`"),
        (lambda: [metrics.MCC(4), metrics.AUC()], ValueError, "one `Shared` for each kind"),
        (lambda: [metrics.MCC(4), metrics.IoU(3)], ValueError, "num_classes=4 in 'mcc', num_classes=3 in 'iou'"),
        (lambda: [metrics.MCC(4), metrics.IoU(4, ignore_class=1)], ValueError, "ignore_class=None in 'mcc', ignore_class=1"),
        (lambda: [metrics.MCC(2), metrics.IoU(2, 0.4)], ValueError, "threshold=0.5 in 'mcc', threshold=0.4 in 'iou'"),
        (lambda: [metrics.AUC(bins=8), metrics.AveragePrecision()], ValueError, "bins=8 in 'auc'"),
    ],
)
def test_what_has_nothing_to_share_is_refused(made, error, says):
    with pytest.raises(error, match=says):
        metrics.Shared(made())


def test_bootstrap_around_it_is_refused():
    with pytest.raises(TypeError, match=r"Bootstrap\(IoU\(5\)\), Bootstrap\(MCC\(5\)\)"):
        metrics.Bootstrap(metrics.Shared([metrics.IoU(4)]))


def test_large_tables_are_not_kept_for_each_sample(monkeypatch, counted):
    monkeypatch.setattr(class_counts, "_SMALL_TABLE", 1)
    ids, scores = batch((6,))
    weight = np.array([1, 0, 2, 1, 1, 3], "float32")
    made = [metrics.MCC(CLASSES), metrics.CohenKappa(CLASSES)]
    expected = alone([metrics.MCC(CLASSES), metrics.CohenKappa(CLASSES)], (ids, scores, weight))
    counted.clear()
    assert_equal(run(metrics.Shared(made), (ids, scores, ops.convert_to_tensor(weight))), expected)
    assert counted == [False]
