"""PredictionSnapshots and EvaluationPictures: right pictures in right places, and a training that does not notice."""

import io
import random

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image
from sklearn.metrics import confusion_matrix

from kerasmith.callbacks import quiet_prediction
from kerasmith.callbacks.evaluation_pictures import EvaluationPictures
from kerasmith.callbacks.prediction_snapshots import PredictionSnapshots
from kerasmith.callbacks.run_report.report_page import ReportPage
from kerasmith.callbacks.run_report.run_report import RunReport
from kerasmith.callbacks.tensorboard import TensorBoard
from kerasmith.metrics import CalibrationError, ConfusionMatrix, DiceScore
from kerasmith.report.confusion import confusion_image
from kerasmith.report.pixels import sheet
from kerasmith.report.prediction_pictures import segmented
from tests.callbacks.test_tensorboard import accumulated, tensors
from tests.report.html_checks import assert_loads_nothing, plot_named

pytestmark = pytest.mark.heavy("compiles a fit to look at what the host writes", on=("jax", "tensorflow"), seconds=2)

RNG = np.random.default_rng(5)
IMAGES = RNG.random((12, 8, 8, 1)).astype("float32")
MASKS = (IMAGES > 0.6).astype("float32")
CLASSES = np.arange(12) % 3


class Restless(keras.layers.Layer):
    """Draws random numbers and counts calls also when it predicts."""

    def __init__(self):
        super().__init__()
        self.generator = keras.random.SeedGenerator(3)

    def build(self, _):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, x):
        self.calls.assign(self.calls + 1)
        return x + 0.01 * keras.random.normal(ops.shape(x), seed=self.generator)


def classifier(restless=False):
    layers = [keras.layers.Flatten(), keras.layers.BatchNormalization(), keras.layers.Dropout(0.3)]
    layers += [Restless()] if restless else []
    net = keras.Sequential([keras.Input((8, 8, 1)), *layers, keras.layers.Dense(3, activation="softmax")])
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def segmenter(channels=1, activation="sigmoid"):
    net = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(channels, 1, activation=activation)])
    net.compile("sgd", "mse")
    return net


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def picture(path):
    return np.asarray(Image.open(path))


def test_masks_go_to_files_report_and_tensorboard(tmp_path):
    net = segmenter()
    report, board = RunReport(tmp_path / "run"), TensorBoard(tmp_path / "logs", flat=True)
    snapshots = PredictionSnapshots(
        IMAGES, MASKS, every=2, max_images=3, directory=tmp_path / "run", report=report, tensorboard=board
    )
    net.fit(IMAGES, MASKS, epochs=5, verbose=0, callbacks=[report, board, snapshots])
    directory = tmp_path / "run" / "snapshots"
    assert names(directory) == ["epoch_0002.png", "epoch_0004.png", "epoch_0005.png"]
    predicted = net.predict(IMAGES[:3], verbose=0)
    expected = [segmented(*each) for each in zip(IMAGES, MASKS, predicted)]
    np.testing.assert_array_equal(picture(directory / "epoch_0005.png"), sheet(expected))
    found = tensors(tmp_path / "logs", "snapshots")
    assert [step for step, _ in found] == [1, 3, 4]
    assert len(found[-1][1]) == 2 + 3
    np.testing.assert_array_equal(picture(io.BytesIO(found[-1][1][3])), expected[1])
    page = assert_loads_nothing((tmp_path / "run" / "report.html").read_text())
    assert "Snapshots" in page.text("h2")
    assert "After epoch 5." in page.text("p")
    assert sum("truth and prediction" in attrs["alt"] for attrs in page.all("img")) == 3
    assert sum("probability" in attrs["alt"] for attrs in page.all("img")) == 3


def drawn(net, *arguments, **keywords):
    """The captions and pictures of one drawing."""
    snapshots = PredictionSnapshots(*arguments, directory="unused", **keywords)
    snapshots.set_model(net)
    drawing = snapshots.draw()
    (pictures,) = drawing.pictures.values()
    return assert_loads_nothing(drawing.html), pictures


def test_the_kind_follows_from_predictions_and_truth():
    page, pictures = drawn(classifier(), IMAGES, CLASSES)
    assert "truth" in page.text("figcaption") or "right" in page.text("figcaption")
    assert pictures[0].shape == (256, 388, 3)
    page, pictures = drawn(segmenter(), IMAGES, MASKS)
    assert "missed" in page.text("span")
    page, pictures = drawn(segmenter(), IMAGES, IMAGES)
    assert "input, prediction, truth" in page.text("figcaption")
    assert pictures[0].shape == (256, 3 * 256 + 8, 3)
    page, _ = drawn(segmenter(), IMAGES)
    assert "input, prediction" in page.text("figcaption")
    page, _ = drawn(segmenter(3, "softmax"), IMAGES, MASKS.astype(int), class_names=["ground", "pore", "crack"])
    assert "pore" in page.text("span")
    for truth in (MASKS > 0, 255 * MASKS.astype("uint8"), (9 * IMAGES).astype("int32")[..., 0]):
        page, _ = drawn(segmenter(), IMAGES, truth)
        assert "missed" in page.text("span")
    page, _ = drawn(segmenter(), IMAGES, (255 * IMAGES).astype("uint8"))
    assert "truth" in page.text("figcaption")
    page, _ = drawn(segmenter(), IMAGES, MASKS, kind="image")
    assert "truth" in page.text("figcaption")


def test_logits_are_turned_into_probabilities():
    net = segmenter(activation=None)
    found, _ = quiet_prediction.predict(net, IMAGES), None
    _, shown = drawn(net, IMAGES, MASKS, from_logits=True, threshold=0.4, max_images=1)
    expected = segmented(IMAGES[0], MASKS[0], 1 / (1 + np.exp(-found[0])), threshold=0.4)
    np.testing.assert_array_equal(shown[0], expected)
    inputs = keras.Input((8, 8, 1))
    for units in (1, 3):
        net = keras.Model(inputs, keras.layers.Dense(units, kernel_initializer="normal")(keras.layers.Flatten()(inputs)))
        logits = 400 * net.predict(IMAGES[:1], verbose=0).astype(float)[0]
        net.set_weights([400 * w for w in net.get_weights()])
        page, _ = drawn(net, IMAGES, from_logits=True, max_images=1)
        e = np.exp(np.append(0, logits) - max(0, logits[0])) if units == 1 else np.exp(logits - logits.max())
        assert page.text("figcaption").startswith(f"{np.argmax(e)} {max(e / e.sum()):.3f}"[:5])


def test_an_output_and_an_image_of_several():
    image, number = keras.Input((8, 8, 1), name="image"), keras.Input((2,), name="number")
    flat = keras.layers.Concatenate()([keras.layers.Flatten()(image), number])
    outputs = {"class": keras.layers.Dense(3, activation="softmax")(flat), "map": keras.layers.Conv2D(1, 1)(image)}
    net = keras.Model({"image": image, "number": number}, outputs)
    x = {"image": IMAGES, "number": np.ones((12, 2))}
    page, _ = drawn(net, x, images=IMAGES, output="map")
    assert "input, prediction" in page.text("figcaption")
    _, pictures = drawn(net, x, CLASSES, images=IMAGES, output="class", max_images=2)
    assert len(pictures) == 2
    with pytest.raises(ValueError, match=r"one of \['class', 'map'\]. Received: output=None"):
        drawn(net, x, images=IMAGES)
    with pytest.raises(ValueError, match=r"Received: output='mask'"):
        drawn(net, x, images=IMAGES, output="mask")
    with pytest.raises(ValueError, match=r"write images=... with one image for each sample"):
        PredictionSnapshots(x, directory="unused")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((4, 3)), r"write images=.*Received: shapes \[\(4, 3\)\]"),
        (np.ones((4, 8, 8, 8, 1)), "such as volumes"),
        (np.ones((4, 8, 8, 2)), r"\(B, H, W, 3\)"),
        (np.array(["a", "b"]), "must be an array of numbers.*ndarray of <U1"),
        (np.array([None, 1]), "ndarray of object"),
        (np.ones((4, 8, 8), complex), "complex128"),
        ([[1, 2], [3, 4]], "Received: int"),
        (np.float32(1), "samples along its first axis"),
        (np.ones((0, 8, 8)), "samples along its first axis"),
        ({"a": np.ones((4, 8, 8)), "b": np.ones(3)}, "as many in each array"),
    ],
)
def test_inputs_that_are_no_images_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        PredictionSnapshots(x, directory="unused")


def test_wrong_arguments_are_refused(tmp_path):
    for keywords, message in [
        ({}, "nowhere to put its pictures"),
        ({"directory": tmp_path, "every": 0}, "every=0"),
        ({"directory": tmp_path, "kind": "mask"}, "kind='mask'"),
        ({"directory": tmp_path, "max_images": 0}, "max_images=0"),
        ({"directory": tmp_path, "y": MASKS[:3]}, "as long as each other.*'x': 12, 'y': 3"),
        ({"directory": tmp_path, "y": {"a": MASKS}}, "must be one array.*a dict"),
        ({"directory": tmp_path, "threshold": 0}, "threshold=0"),
        ({"tensorboard": keras.callbacks.TensorBoard(tmp_path)}, "method `image`.*Received: a keras"),
        ({"report": tmp_path}, "must have a method `add_section`"),
        ({"tensorboard": tmp_path}, "must have a method `image`"),
    ]:
        with pytest.raises(ValueError, match=message):
            PredictionSnapshots(IMAGES, **keywords)
    with pytest.raises(ValueError, match=r"predictions of shape \(8, 3\)"):
        drawn(classifier(), IMAGES, kind="segmentation")
    assert names(tmp_path) == []


@pytest.mark.parametrize("make", ["snapshots", "evaluation"])
def test_training_does_not_notice(tmp_path, make):
    """Weights, statistics, generators, metrics and every loss are those of a training without it, bit for bit."""
    runs = []
    for watched in (False, True):
        keras.utils.set_random_seed(3)
        net = classifier(restless=True)
        watcher = []
        if watched and make == "snapshots":
            watcher = [PredictionSnapshots(IMAGES[:5], CLASSES[:5], directory=tmp_path)]
        elif watched:
            watcher = [EvaluationPictures(IMAGES, CLASSES, ConfusionMatrix(3), batch_size=5, directory=tmp_path)]
        logged = net.fit(
            IMAGES, CLASSES, epochs=3, batch_size=4, verbose=0, callbacks=watcher, validation_data=(IMAGES, CLASSES)
        )
        state = [ops.convert_to_numpy(v) for v in [*net.variables, *net.optimizer.variables, *net.metrics[-1].variables]]
        runs.append((logged.history, state, next_draws()))
    (plain, state, after), (history, watched_state, watched_after) = runs
    assert plain == history
    assert after == watched_after
    for a, b in zip(state, watched_state, strict=True):
        np.testing.assert_array_equal(a, b)


def next_draws():
    """The next draws of the generators that `set_random_seed` has seeded."""
    draws = [random.random(), np.random.random()]  # noqa: NPY002
    if keras.backend.backend() == "torch":
        import torch

        draws.append(float(torch.rand(())))
    return draws


def test_what_metrics_count_of_a_data_set(tmp_path):
    net = classifier()
    page, board = ReportPage(tmp_path / "report.html"), TensorBoard(tmp_path / "logs")
    metrics = [ConfusionMatrix(3, class_names=["a", "b", "c"]), CalibrationError(bins=5)]
    pictures = EvaluationPictures(
        IMAGES, CLASSES, metrics, batch_size=5, every=2, report=page, tensorboard=board, directory=tmp_path
    )
    net.fit(IMAGES, CLASSES, epochs=3, verbose=0, callbacks=[pictures, page, board])
    expected = confusion_matrix(CLASSES, net.predict(IMAGES, verbose=0).argmax(-1), labels=[0, 1, 2])
    np.testing.assert_array_equal(metrics[0].matrix(), expected)
    assert names(tmp_path / "evaluation") == [
        "epoch_0002_calibration.png", "epoch_0002_confusion_matrix.png", "epoch_0003_calibration.png",
        "epoch_0003_confusion_matrix.png",
    ]  # fmt: skip
    np.testing.assert_array_equal(
        picture(tmp_path / "evaluation" / "epoch_0003_confusion_matrix.png"), confusion_image(expected)
    )
    shown = assert_loads_nothing(page.path.read_text())
    assert "confusion matrix" in shown.text("h3")
    assert plot_named(page.path.read_text(), "calibration")
    assert set(accumulated(tmp_path / "logs" / "train").PluginTagToContent("images")) == {
        "evaluation/confusion_matrix", "evaluation/calibration",
    }  # fmt: skip


def test_sample_weights_and_outputs_reach_the_metrics():
    x = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(x)
    net = keras.Model(x, [keras.layers.Dense(1)(flat), keras.layers.Dense(3, activation="softmax")(flat)])
    weight = np.arange(12.0)
    pictures = EvaluationPictures(
        IMAGES, CLASSES, ConfusionMatrix(3), sample_weight=weight, output=1, batch_size=7, directory="unused"
    )
    pictures.set_model(net)
    pictures.draw()
    predicted = net.predict(IMAGES, verbose=0)[1].argmax(-1)
    expected = confusion_matrix(CLASSES, predicted, labels=[0, 1, 2], sample_weight=weight)
    np.testing.assert_allclose(pictures.metrics[0].matrix(), expected)


def test_metrics_without_a_picture_and_wrong_lengths_are_refused():
    with pytest.raises(ValueError, match=r"have a method `picture`.*DiceScore"):
        EvaluationPictures(IMAGES, MASKS, [DiceScore()], directory="unused")
    with pytest.raises(ValueError, match="Received: none"):
        EvaluationPictures(IMAGES, MASKS, [], directory="unused")
    with pytest.raises(ValueError, match="names of their own"):
        EvaluationPictures(IMAGES, CLASSES, [ConfusionMatrix(3), ConfusionMatrix(3)], directory="unused")
    with pytest.raises(ValueError, match=r"Received: lengths \[12, 3\]"):
        EvaluationPictures(IMAGES, CLASSES[:3], ConfusionMatrix(3), directory="unused")
