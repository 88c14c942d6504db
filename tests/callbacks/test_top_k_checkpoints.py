"""TopKCheckpoints: which files are there after each epoch, what they hold, and what a kill or a full disk leaves."""

import json
import os

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.callbacks.resume import Resume
from kerasmith.callbacks.top_k_checkpoints import TopKCheckpoints
from kerasmith.callbacks.weight_averaging import WeightAveraging

NAN = float("nan")
X, Y = np.ones((4, 1), "float32"), np.zeros((4, 1), "float32")


def model():
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    net.compile(keras.optimizers.SGD(0.1), "mse")
    return net


class Feed(keras.callbacks.Callback):
    """Logs given values as `score`; raises after an epoch, as a kill would."""

    def __init__(self, values, kill_after=None):
        super().__init__()
        self.values, self.kill_after = values, kill_after

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = self.values[epoch]

    def on_epoch_begin(self, epoch, logs=None):
        if self.kill_after == epoch:
            raise KeyboardInterrupt


class Directory(keras.callbacks.Callback):
    """The files after each epoch."""

    def __init__(self, path):
        super().__init__()
        self.path, self.seen = path, []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(names(self.path))


def names(path):
    return sorted(p.name for p in path.iterdir() if p.is_file() and p.name != "index.json")


def index(path):
    found = json.loads((path / "index.json").read_text())
    assert set(found.pop("writers")) <= {entry["file"] for entry in [*found["entries"], *found["ahead"]]} | {found["writing"]}
    return found


def fit(best, values, *, net=None, others=(), **keywords):
    keywords = {"epochs": len(values), "verbose": 0, "shuffle": False, **keywords}
    net = net or model()
    net.fit(X, Y, callbacks=[Feed(values), best, *others], **keywords)
    return net


def keeper(path, mode="max", **keywords):
    return TopKCheckpoints(path, "score", mode=mode, **{"k": 2, "filename": "{epoch}.keras", **keywords})


@pytest.mark.parametrize(("mode", "values", "after"), [
    ("max", [1, 3, 2, 3, 0, 4], ["1", "1 2", "2 3", "2 4", "2 4", "2 6"]),
    ("min", [NAN, 5, 5, 5, float("-inf"), 4], ["", "2", "2 3", "2 3", "2 3", "2 6"]),
])  # fmt: skip
def test_files_after_each_epoch(mode, values, after, tmp_path):
    best, directory = keeper(tmp_path, mode), Directory(tmp_path)
    fit(best, values, others=[directory])
    assert directory.seen == [[f"{n}.keras" for n in step.split()] for step in after]
    assert [entry["file"] for entry in index(tmp_path)["entries"]] == [f"{n}.keras" for n in ([6, 2])]
    assert best.best_path == tmp_path / "6.keras"
    assert index(tmp_path)["writing"] is None


def test_the_files_hold_the_models_of_their_epochs(tmp_path):
    best, seen = keeper(tmp_path, k=3, filename=None), []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.get_weights()[0].item())

    fit(best, [0.5, 0.25, 0.75], others=[Watch()])
    assert names(tmp_path) == ["001-0.5000.keras", "002-0.2500.keras", "003-0.7500.keras"]
    for number, name in enumerate(names(tmp_path)):
        loaded = keras.saving.load_model(tmp_path / name)
        assert loaded.get_weights()[0].item() == seen[number]
        assert int(ops.convert_to_numpy(loaded.optimizer.iterations)) == number + 1
    assert best.load_best().get_weights()[0].item() == seen[2]
    other = model()
    assert best.load_best(other) is other
    assert other.get_weights()[0].item() == seen[2]


def test_weights_only(tmp_path):
    best = TopKCheckpoints(tmp_path, "loss", k=1, save_weights_only=True)
    net = fit(best, [0, 0])
    (name,) = names(tmp_path)
    assert name.startswith("002-0.")
    assert name.endswith(".weights.h5")
    assert best.load_best(model()).get_weights()[0].item() == net.get_weights()[0].item()
    with pytest.raises(ValueError, match=r"Write `load_best\(model\)`"):
        best.load_best()


def test_the_direction_is_that_of_the_metric(tmp_path):
    from kerasmith.metrics import DiceScore

    net = model()
    net.compile("sgd", "mse", metrics=[DiceScore(name="overlap")])
    best = TopKCheckpoints(tmp_path, "val_overlap")
    net.fit(X, Y, validation_data=(X, Y), verbose=0, callbacks=[best])
    assert index(tmp_path)["monitor"] == "val_overlap"
    with pytest.raises(ValueError, match=r'high or low\. Write TopKCheckpoints.*mode="max"'):
        net.fit(X, Y, verbose=0, callbacks=[TopKCheckpoints(tmp_path / "other", "riddle")])


def test_a_missing_monitor_is_named_with_what_there_is(tmp_path):
    with pytest.raises(
        ValueError, match=r"watches `val_loss`, which is not in the logs\. They have: loss, score\. There is no valid"
    ):
        fit(TopKCheckpoints(tmp_path), [1])
    with pytest.raises(ValueError, match=r"They have: loss, score, val_loss\.$"):
        fit(TopKCheckpoints(tmp_path / "b", "val_accuracy"), [1], validation_data=(X, Y))


def test_every_other_epoch_and_epochs_without_validation(tmp_path):
    fit(keeper(tmp_path / "a", every=2, k=9), [1, 2, 3, 4, 5])
    assert names(tmp_path / "a") == ["2.keras", "4.keras"]
    best = TopKCheckpoints(tmp_path / "b", k=9, filename="{epoch}.keras")
    fit(best, [1, 2, 3, 4], validation_data=(X, Y), validation_freq=2)
    assert names(tmp_path / "b") == ["2.keras", "4.keras"]


def test_files_of_others_are_never_touched(tmp_path):
    mine = {"1.keras": "mine", "x.keras": "mine", ".y.draft.keras": "mine"}
    for name, text in mine.items():
        (tmp_path / name).write_text(text)
    best = keeper(tmp_path, k=1)
    fit(best, [3, 2, 4])
    assert {name: (tmp_path / name).read_text() for name in mine} == mine
    assert set(names(tmp_path)) - set(mine) == {"3.keras"}
    best = keeper(tmp_path / "b", k=1)
    (tmp_path / "b" / "1.keras").write_text("mine")
    fit(best, [3])
    assert (tmp_path / "b" / "1.keras").read_text() == "mine"
    assert best.best_path.name == "1-2.keras"


def test_a_second_fit_and_a_second_run_compete(tmp_path):
    best = keeper(tmp_path)
    net = fit(best, [5, 1])
    fit(best, [2, 3], net=net)
    assert [(e["epoch"], e["value"]) for e in best.entries] == [(1, 5), (4, 3)]
    again = keeper(tmp_path)
    assert again.entries == best.entries
    fit(again, [4, 0])
    # The first epoch of the new run may not replace the file of the best one.
    assert [(e["file"], e["value"]) for e in again.entries] == [("1.keras", 5), ("1-2.keras", 4)]
    assert names(tmp_path) == ["1-2.keras", "1.keras"]
    with pytest.raises(ValueError, match="keeps the best epochs by 'score'"):
        TopKCheckpoints(tmp_path, "val_loss")


@pytest.mark.parametrize("moment", ["save", "replace", "index"])
def test_a_kill_while_it_writes_leaves_nothing(moment, tmp_path, monkeypatch):
    best = keeper(tmp_path)
    net = fit(best, [1, 2])
    real_replace, real_save = os.replace, keras.Model.save

    def killed_save(self, path, *args, **keywords):
        real_save(self, path, *args, **keywords)
        raise KeyboardInterrupt

    def killed_replace(source, target):
        if str(target).endswith(".keras"):
            if moment == "index":
                real_replace(source, target)
            raise KeyboardInterrupt
        real_replace(source, target)

    if moment == "save":
        monkeypatch.setattr(keras.Model, "save", killed_save)
    else:
        monkeypatch.setattr(os, "replace", killed_replace)
    with pytest.raises(KeyboardInterrupt):
        fit(best, [9], net=net)
    monkeypatch.undo()
    assert index(tmp_path)["writing"] == "3.keras"
    assert len(names(tmp_path)) == 3
    again = keeper(tmp_path)
    assert names(tmp_path) == ["1.keras", "2.keras"]
    assert [e["file"] for e in again.entries] == ["2.keras", "1.keras"]
    assert index(tmp_path)["writing"] is None


def test_a_full_disk_warns_and_keeps_what_is_there(tmp_path, monkeypatch):
    best = keeper(tmp_path)
    net = fit(best, [1, 2])

    def full(self, path, *_, **__):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", full)
    with pytest.warns(UserWarning, match=r"could not write .*3.keras \(No space left on device\). Training goes on"):
        fit(best, [9], net=net)
    assert names(tmp_path) == ["1.keras", "2.keras"]
    assert index(tmp_path)["entries"] == best.entries
    assert best.best_path.name == "2.keras"


@pytest.mark.parametrize("every", [2, 3])
def test_goes_on_in_another_process(every, tmp_path):
    values = [1, 5, 2, 6, 7, 3, 8]
    whole, directory = keeper(tmp_path / "whole"), Directory(tmp_path / "whole")
    fit(whole, values, others=[directory])

    def run(kill_after=None):
        best, watch = keeper(tmp_path / "killed"), Directory(tmp_path / "killed")
        callbacks = [Feed(values, kill_after), best, watch, Resume(tmp_path / "state", every, verbose=0)]
        model().fit(X, Y, epochs=7, batch_size=4, shuffle=False, verbose=0, callbacks=callbacks)
        return best, watch

    # A checkpoint every few epochs of one step; after it files were written, and others removed for them.
    with pytest.raises(KeyboardInterrupt):
        run(kill_after=5)
    assert names(tmp_path / "killed") == ["4.keras", "5.keras"]
    best, watch = run()
    assert best.entries == whole.entries
    assert watch.seen[-2:] == directory.seen[-2:]
    assert index(tmp_path / "killed") == index(tmp_path / "whole")


def test_files_after_the_checkpoint_stay_until_their_epoch_comes_again(tmp_path):
    best = keeper(tmp_path, k=1)
    fit(best, [1, 2])
    state = best.state_dict()
    net = fit(best, [4, 0])
    assert names(tmp_path) == ["3.keras"]
    again = keeper(tmp_path, k=1)
    again.load_state_dict(state)
    again.load_state_dict(state)
    assert names(tmp_path) == ["3.keras"]
    assert again.best_path is None
    assert again.state_dict() == state
    # This time the third epoch is a bad one.
    again.set_model(net)
    again.on_train_begin()
    again.on_epoch_begin(2)
    again.on_epoch_end(2, {"score": 0.0})
    assert names(tmp_path) == []
    assert [entry["epoch"] for entry in again.entries] == [2]


def test_averaged_weights_are_saved_where_they_were_measured(tmp_path):
    best = TopKCheckpoints(tmp_path, "val_loss", k=9, filename="{epoch}.keras")
    averaging = WeightAveraging("swa", at_end="keep")
    net = model()
    history = net.fit(X, Y, epochs=3, validation_data=(X, Y), verbose=0, callbacks=[Feed([0] * 3), averaging, best]).history
    for epoch, value in enumerate(history["val_loss"], 1):
        loaded = keras.saving.load_model(tmp_path / f"{epoch}.keras")
        assert loaded.evaluate(X, Y, verbose=0) == pytest.approx(value, rel=1e-6)
    assert net.evaluate(X, Y, verbose=0) != pytest.approx(history["val_loss"][-1], rel=1e-3)


@pytest.mark.parametrize(("arguments", "words"), [
    ({"k": 0}, "`k`"), ({"every": 0}, "`every`"), ({"mode": "up"}, "`mode`"), ({"filename": "best.h5"}, "`filename`"),
    ({"filename": "../best.keras"}, "`filename`"), ({"filename": "a.keras", "save_weights_only": True}, '".weights.h5"'),
])  # fmt: skip
def test_bad_input(arguments, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        TopKCheckpoints(tmp_path, **arguments)


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ValueError, match=r"Cannot write into .*file.*Choose a directory"):
        TopKCheckpoints(tmp_path / "file" / "below")
    with pytest.raises(ValueError, match="Received: directory=3"):
        TopKCheckpoints(3)
    (tmp_path / "index.json").write_text("[]")
    with pytest.raises(ValueError, match="is not an index"):
        TopKCheckpoints(tmp_path)
    with pytest.raises(ValueError, match="No epoch has been kept"):
        TopKCheckpoints(tmp_path / "new").load_best()
