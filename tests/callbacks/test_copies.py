"""Copies by `copy.deepcopy`, as KerasTuner makes of callbacks for each trial, and by `pickle`."""

import copy
import json
import pickle
import threading

import keras
import numpy as np
import pytest

from kerasmith import callbacks, losses, metrics, schedules
from kerasmith.data import WeightedBatches
from kerasmith.objectives import Objective, Term
from tests.callbacks import battery
from tests.callbacks.battery import BATCH, ROWS, X, Y

pytestmark = pytest.mark.host("copies of objects of Python: the backend computes the same")


def by_pickle(one):
    return pickle.loads(pickle.dumps(one))


WAYS = {"deepcopy": copy.deepcopy, "pickle": by_pickle}


def model(seed=4):
    keras.utils.set_random_seed(seed)
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
    net.compile(keras.optimizers.Adam(0.05), "binary_crossentropy")
    return net


def fit(one, data, epochs=2, net=None):
    net = net or model()
    return net.fit(data, epochs=epochs, validation_data=(X[:BATCH], Y[:BATCH]), verbose=0, callbacks=[one]).history


def state(one):
    """Numbers of the state; clocks go on."""
    found = one.state_dict() if hasattr(one, "state_dict") else {}
    clocks = ("seconds", "epoch_seconds", "epoch_running", "elapsed", "epoch", "validation", "files", "started", "writer")
    return repr({name: value for name, value in found.items() if name not in clocks})


@pytest.mark.parametrize("name", ROWS)
def test_every_callback(name, tmp_path):
    data = battery.data()
    one = ROWS[name].make(tmp_path, data)
    fresh = {way: make(one) for way, make in WAYS.items()}
    fit(one, data)
    before = state(one)
    used = {way: make(one) for way, make in WAYS.items()}
    for twin in (*fresh.values(), *used.values()):
        assert type(twin) is type(one)
        assert twin._model is None
    assert {state(twin) for twin in used.values()} == {before}
    if name == "Resume":
        with pytest.raises(ValueError, match="by a copy of this Resume"):
            fit(used["deepcopy"], data)
        assert len(fit(callbacks.Resume(tmp_path, verbose=0), data, epochs=3)["loss"]) == 3
        return
    for twin in (fresh["deepcopy"], used["deepcopy"]):
        fit(twin, data, epochs=1)
    if name != "TopKCheckpoints":  # `entries` are those of the directory
        assert state(one) == before


def test_data():
    data = WeightedBatches(X, Y, BATCH, seed=2, workers=2)
    fit(keras.callbacks.Callback(), data)
    for make in WAYS.values():
        twin = make(data)
        assert twin.state_dict().keys() == data.state_dict().keys()
        assert twin.epoch == data.epoch == 2
        np.testing.assert_array_equal(twin[1][0], data[1][0])
        twin.set_weights(np.arange(len(X)) + 1.0)
        twin.epoch = 7
        assert data.weights is None
        assert data.epoch == 2
        fit(keras.callbacks.Callback(), twin)
    assert copy.deepcopy(data).arrays[0] is data.arrays[0]


def test_schedules_losses_metrics_objectives():
    schedule = schedules.Warmup(schedules.CosineRestarts(T_0=2, eta_max=0.1, steps_per_epoch=4), 3)
    y, p = np.float32([[0], [1]]), np.float32([[0.2], [0.7]])
    for make in WAYS.values():
        assert [float(make(schedule)(t)) for t in range(9)] == [float(schedule(t)) for t in range(9)]
        for loss in (losses.CrossEntropy(), losses.Dice() + 0.5 * losses.CrossEntropy(), losses.DiceCE()):
            assert float(make(loss)(y, p)) == float(loss(y, p))
        for metric in (metrics.AUC(), metrics.ConfusionMatrix(2, from_logits=False), metrics.SurfaceDistance()):
            assert make(metric).name == metric.name
        twin = make(Objective([Term(losses.CrossEntropy(), 0.5, "ce")]))
        assert [(term.name, float(term.weight)) for term in twin.terms] == [("ce", 0.5)]


class Score(keras.callbacks.Callback):
    """Logs given values as `score`; stands before the callback that reads them."""

    def __init__(self, values, turn=None):
        super().__init__()
        self.values, self.turn = values, turn

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = self.values[epoch]
        if self.turn is not None:
            self.turn.wait(timeout=60)


TRIALS = ([0.2, 0.9, 0.3], [0.5, 0.1, 0.95], [0.4, 0.6, 0.2])


def kept(directory):
    index = json.loads((directory / "index.json").read_text())
    assert {entry["file"] for entry in index["entries"]} == {path.name for path in directory.glob("*.keras")}
    assert not list(directory.glob(".*"))
    return [entry["value"] for entry in index["entries"]]


@pytest.mark.parametrize("way", WAYS)
def test_the_best_of_all_trials_survive(way, tmp_path):
    original = callbacks.TopKCheckpoints(tmp_path, "score", k=3, mode="max")
    for values in TRIALS:
        net = model()
        net.fit(X, Y, epochs=3, verbose=0, callbacks=[Score(values), WAYS[way](original)])
    assert kept(tmp_path) == [0.95, 0.9, 0.6]
    assert [entry["value"] for entry in original.entries] == [0.95, 0.9, 0.6]
    assert original.best_path.exists()
    original.load_best(model())


def test_equal_values_of_two_copies_are_two_files(tmp_path):
    original = callbacks.TopKCheckpoints(tmp_path, "score", k=2, mode="max")
    for _ in range(2):
        model().fit(X, Y, epochs=1, verbose=0, callbacks=[Score([0.5]), copy.deepcopy(original)])
    assert kept(tmp_path) == [0.5, 0.5]


def test_copies_that_train_side_by_side(tmp_path):
    original = callbacks.TopKCheckpoints(tmp_path, "score", k=3, mode="max")
    turn, found = threading.Barrier(3), []

    def train(values):
        try:
            model().fit(X, Y, epochs=3, verbose=0, callbacks=[Score(values, turn), copy.deepcopy(original)])
        except BaseException as problem:
            found.append(problem)

    threads = [threading.Thread(target=train, args=(values,)) for values in TRIALS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not found
    assert kept(tmp_path) == [0.95, 0.9, 0.6]


def test_a_copy_that_resumes_leaves_the_files_of_others(tmp_path):
    """The state of one run goes back to its second epoch; what another one has kept since stays."""
    one = callbacks.TopKCheckpoints(tmp_path, "score", k=3, mode="max")
    other = copy.deepcopy(one)
    model().fit(X, Y, epochs=2, verbose=0, callbacks=[Score([0.2, 0.9]), one])
    at_two = one.state_dict()
    model().fit(X, Y, epochs=3, verbose=0, callbacks=[Score([0.1, 0.8, 0.7]), other])
    again = callbacks.TopKCheckpoints(tmp_path, "score", k=3, mode="max")
    again._monitored.settle(model())
    again.load_state_dict(at_two)
    assert [entry["value"] for entry in again.entries] == [0.9, 0.8, 0.7, 0.2]
    model().fit(X, Y, initial_epoch=2, epochs=3, verbose=0, callbacks=[Score([0, 0, 0.85]), again])
    assert kept(tmp_path) == [0.9, 0.85, 0.8]


def test_each_trial_mines_from_the_weights_of_the_beginning():
    data = WeightedBatches(X, Y, BATCH, weights=np.arange(len(X)) % 3 + 1.0, seed=2)
    first = callbacks.HardExampleMining(data, every=1)
    found = []
    for _ in range(2):
        data.epoch = 0
        mining = copy.deepcopy(first)
        assert mining.data is data
        history = fit(mining, data, epochs=3)
        found.append((history["loss"], mining.data.weights.tolist()))
    assert found[0] == found[1]


@pytest.mark.parametrize("make", [callbacks.HistoryCSV, callbacks.RunReport])
def test_histories_of_two_that_train_side_by_side(tmp_path, make):
    """Row by row in turn, to one file: each history is whole, in one file or another."""
    one = make(tmp_path / "history.csv") if make is callbacks.HistoryCSV else make(tmp_path)
    other = copy.deepcopy(one)
    nets = [model(), model()]
    for each, net in zip((one, other), nets, strict=True):
        each.set_params({"epochs": 3})
        each.set_model(net)
        each.on_train_begin()

    def train():
        for epoch in range(3):
            for each, loss in ((one, 1.0), (other, 2.0)):
                each.on_epoch_begin(epoch)
                each.on_epoch_end(epoch, {"loss": loss + epoch / 8})

    with pytest.warns(UserWarning, match="somebody else writes to .*history.csv") as told:
        train()
    assert len([one for one in told if "somebody" in str(one.message)]) == 1
    found = {file.name: [row.split(",")[1] for row in file.read_text().splitlines()] for file in tmp_path.glob("history*")}
    assert found.pop("history.csv.bak") == ["loss", "1.0"]
    assert found == {"history-2.csv": ["loss", "1.0", "1.125", "1.25"], "history.csv": ["loss", "2.0", "2.125", "2.25"]}
