"""Event files are read back with TensorBoard's own reader, pictures with another decoder, distributions with NumPy's."""

import io
import sys

import keras
import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.util.tensor_util import make_ndarray

from kerasmith.callbacks.tensorboard import TensorBoard
from tests.callbacks.runs import fit, model
from tests.support import fresh_process

pytestmark = pytest.mark.heavy("compiles a fit to look at what the host writes", on=("jax", "tensorflow"), seconds=2)


def accumulated(directory):
    run = EventAccumulator(str(directory))
    run.Reload()
    return run


def tensors(directory, tag):
    """[(step, array)] of histograms, images and texts."""
    return [(event.step, make_ndarray(event.tensor_proto)) for event in accumulated(directory).Tensors(tag)]


def read(directory):
    """{tag: [(step, value)]} of a run."""
    run = accumulated(directory)
    return {tag: [(event.step, event.value) for event in run.Scalars(tag)] for tag in run.Tags()["scalars"]}


def as_written(values):
    return [(step, np.float32(value)) for step, value in enumerate(values)]


def test_flat_file_has_the_names_of_the_logs(tmp_path):
    logged = fit(model(), [TensorBoard(tmp_path, flat=True)])
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("events.out.tfevents.")
    found = read(tmp_path)
    assert set(found) == {*logged, "learning_rate"}
    for name, values in logged.items():
        assert found[name] == as_written(values)
    assert found["learning_rate"] == as_written([0.05] * 3)


def test_runs_and_tags_are_those_of_keras(tmp_path):
    logged = fit(model(), [TensorBoard(tmp_path)])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["train", "validation"]
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    assert train["epoch_loss"] == as_written(logged["loss"])
    assert train["epoch_accuracy"] == as_written(logged["accuracy"])
    assert validation["epoch_loss"] == as_written(logged["val_loss"])
    assert set(train) - set(validation) == {"epoch_learning_rate"}


def test_the_file_is_whole_after_each_epoch(tmp_path):
    counts = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            (file,) = tmp_path.iterdir()
            counts.append(sum(1 for _ in LegacyEventFileLoader(str(file)).Load()))

    fit(model(), [TensorBoard(tmp_path, flat=True), Look()], epochs=2)
    assert counts == [2, 3]  # the version, then one event for each epoch


def test_a_second_fit_goes_on_to_the_right(tmp_path):
    net, board = model(), TensorBoard(tmp_path, flat=True)
    logged = fit(net, [board], epochs=2)["loss"] + fit(net, [board], epochs=1)["loss"]
    assert read(tmp_path)["loss"] == as_written(logged)
    assert len(list(tmp_path.iterdir())) == 2


def test_initial_epoch_is_the_first_step(tmp_path):
    fit(model(), [TensorBoard(tmp_path, flat=True)], epochs=5, initial_epoch=3)
    assert [step for step, _ in read(tmp_path)["loss"]] == [3, 4]


def test_nothing_is_written_before_the_first_epoch_ends(tmp_path):
    TensorBoard(tmp_path / "logs")
    assert list(tmp_path.iterdir()) == []


PROGRAM = """
import sys
import kerasmith, keras, numpy as np
from kerasmith.callbacks.tensorboard import TensorBoard
from kerasmith.callbacks.prediction_snapshots import PredictionSnapshots
x = np.random.default_rng(0).random((4, 6, 6, 1)).astype("float32")
model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(1, 3, padding="same")])
model.compile("sgd", "mse")
board = TensorBoard(sys.argv[1], flat=True, histograms=1, config={"seed": 7})
model.fit(x, x, verbose=0, callbacks=[board, PredictionSnapshots(x, x, tensorboard=board)])
print("tensorflow" in sys.modules)
"""


@pytest.mark.heavy("starts a process that imports the backend anew", on=("jax", "tensorflow"), seconds=5)
@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="Keras itself imports TensorFlow on this backend")
def test_tensorflow_is_not_imported(tmp_path):
    assert fresh_process.run(PROGRAM, tmp_path).split()[-1] == "False"
    tags = accumulated(tmp_path).Tags()
    assert "loss" in tags["scalars"]
    assert {"configuration", "snapshots"} <= set(tags["tensors"])


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        TensorBoard(tmp_path)


def test_users_log_their_own(tmp_path):
    board = TensorBoard(tmp_path)
    picture = np.arange(60, dtype="uint8").reshape(4, 5, 3)
    board.image("one", picture, step=3)
    board.image("two", [np.eye(4) > 0, np.eye(4)], step=np.int64(4), run="validation")
    board.histogram("gradients", keras.ops.array([0.0, 1.0, 1.0]), step=7)
    board.scalar("rate", keras.ops.array(0.5), step=9)
    board.text("note", "# heading", step=1)
    ((step, found),) = tensors(tmp_path / "train", "one")
    assert step == 3
    assert found[:2].tolist() == [b"5", b"4"]
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(found[2]))), picture)
    ((_, found),) = tensors(tmp_path / "validation", "two")
    for data in found[2:]:
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), 255 * np.eye(4))
    assert tensors(tmp_path / "train", "gradients")[0][1][:, 2].sum() == 3
    assert read(tmp_path / "train")["rate"] == [(9, 0.5)]
    assert tensors(tmp_path / "train", "note")[0][1].item() == b"# heading"
    run = accumulated(tmp_path / "train")
    assert set(run.PluginTagToContent("images")) == {"one"}
    assert set(run.PluginTagToContent("text")) == {"note"}


def test_images_of_a_function_and_the_configuration(tmp_path):
    board = TensorBoard(tmp_path, flat=True, images=lambda step: {"map": np.full((2, 2), step / 4)}, config={"a|b": 0.5})
    fit(model(), [board], epochs=2)
    found = tensors(tmp_path, "map")
    assert [step for step, _ in found] == [0, 1]
    assert np.all(np.asarray(Image.open(io.BytesIO(found[1][1][2]))) == 64)
    ((_, text),) = tensors(tmp_path, "configuration")
    assert text.item().decode().splitlines()[-1].endswith("| 0.5 |")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("image", (np.zeros((2, 2, 2)), 0), r"Received: 'x' of shape \(2, 2, 2\)"),
        ("image", (np.full((2, 2), 1.5), 0), r"report.stretched\(image\).*from 1.5 to 1.5"),
        ("image", (np.full((2, 2), np.nan), 0), "floats within"),
        ("image", ([np.eye(2), np.eye(3)], 0), "one size"),
        ("scalar", ("text", 0), "needs numbers"),
        ("scalar", (1.0, 0.5), "Received: step=0.5"),
        ("histogram", ([1.0], -1), "Received: step=-1"),
    ],
)
def test_what_cannot_be_shown_is_refused(tmp_path, name, arguments, message):
    board = TensorBoard(tmp_path / "logs")
    with pytest.raises(ValueError, match=message):
        getattr(board, name)("x", *arguments)
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("keywords", [{"histograms": True}, {"histograms": -1}, {"images": [1]}, {"config": [1]}])
def test_wrong_arguments_are_refused(tmp_path, keywords):
    with pytest.raises(ValueError, match="Received: "):
        TensorBoard(tmp_path, **keywords)


class At(keras.callbacks.Callback):
    """Calls a function when an epoch begins, before the callbacks behind it."""

    def __init__(self, epoch, function):
        super().__init__()
        self.epoch, self.function = epoch, function

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            self.function()


class Steps(keras.callbacks.Callback):
    """Logs on another axis than that of epochs."""

    def __init__(self, board):
        super().__init__()
        self.board = board

    def on_epoch_end(self, epoch, logs=None):
        for step in range(10 * epoch, 10 * epoch + 10):
            self.board.scalar("step", step / 2, step)
        self.board.scalar("once", epoch, 0)


@pytest.mark.parametrize("flat", [False, True])
def test_after_a_resume_each_step_is_there_once(tmp_path, flat):
    """Killed in epoch 4, the checkpoint from the beginning of epoch 2."""
    net, states = model(), []
    board = TensorBoard(tmp_path, flat=flat, histograms=1, config={"seed": 7})
    at = At(2, lambda: states.append(board.state_dict()))
    fit(net, [at, board, Steps(board)], epochs=4)
    names = {p.name for p in tmp_path.rglob("events*")}

    again = TensorBoard(tmp_path, flat=flat, histograms=1, config={"seed": 7})

    def load():
        again.load_state_dict(states[0])
        again.load_state_dict(states[0])

    logged = fit(model(), [At(2, load), again, Steps(again)], epochs=5, initial_epoch=2)
    train = tmp_path if flat else tmp_path / "train"
    assert len({p.name for p in tmp_path.rglob("events*")} - names) >= 1
    found = read(train)
    loss = found["loss" if flat else "epoch_loss"]
    assert [step for step, _ in loss] == list(range(5))
    assert [value for _, value in loss[2:]] == [np.float32(v) for v in logged["loss"]]
    assert [step for step, _ in found["step"]] == list(range(50))
    assert [value for _, value in found["once"]] == [0, 1, 2, 3, 4]
    assert len(tensors(train, "configuration")) == 1
    if not flat:
        assert [step for step, _ in read(tmp_path / "validation")["epoch_loss"]] == list(range(5))


def test_a_resume_from_before_the_first_value_begins_anew(tmp_path):
    states = []
    board = TensorBoard(tmp_path)
    fit(model(), [At(0, lambda: states.append(board.state_dict())), board], epochs=2)
    again = TensorBoard(tmp_path)
    fit(model(), [At(0, lambda: again.load_state_dict(states[0])), again], epochs=3)
    assert [step for step, _ in read(tmp_path / "train")["epoch_loss"]] == [0, 1, 2]
    assert len(list((tmp_path / "train").iterdir())) == 1


def test_a_viewer_that_runs_meanwhile_forgets_what_was_cut(tmp_path):
    board, states = TensorBoard(tmp_path, flat=True), []
    fit(model(), [At(2, lambda: states.append(board.state_dict())), board], epochs=4)
    viewer = accumulated(tmp_path)
    assert len(viewer.Scalars("loss")) == 4
    again = TensorBoard(tmp_path, flat=True)
    fit(model(), [At(2, lambda: again.load_state_dict(states[0])), again], epochs=3, initial_epoch=2)
    viewer.Reload()
    assert [event.step for event in viewer.Scalars("loss")] == [0, 1, 2]


def test_a_training_from_the_beginning_hides_older_values_and_keeps_their_files(tmp_path):
    fit(model(), [TensorBoard(tmp_path, flat=True)], epochs=3)
    logged = fit(model(), [TensorBoard(tmp_path, flat=True)], epochs=2)
    assert read(tmp_path)["loss"] == as_written(logged["loss"])
    assert len(list(tmp_path.iterdir())) == 2
    fit(model(), [TensorBoard(tmp_path, flat=True)], epochs=3, initial_epoch=2)  # goes on: hides nothing
    assert [step for step, _ in read(tmp_path)["loss"]] == [0, 1, 2]


def test_files_of_others_stay_as_they_are(tmp_path):
    other = TensorBoard(tmp_path, flat=True)
    other.scalar("mine", 1.0, step=8)
    board, states = TensorBoard(tmp_path, flat=True), []
    fit(model(), [At(1, lambda: states.append(board.state_dict())), board], epochs=2, initial_epoch=0)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir() if other._writer in p.name}
    TensorBoard(tmp_path, flat=True).load_state_dict(states[0])
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir() if other._writer in p.name} == before
