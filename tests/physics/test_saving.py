"""Models with equations: saved, loaded in a fresh process, resumed."""

import json

import keras
import numpy as np
import pytest

from kerasmith.callbacks.resume import Resume
from kerasmith.physics import polish
from tests.physics.networks import X
from tests.physics.problems import problem
from tests.support import fresh_process

pytestmark = pytest.mark.heavy("trains a model, compiled for seconds", on=("tensorflow", "jax"), seconds=8)

LOAD = """
import json, sys
import keras, numpy as np
import kerasmith
try:
    keras.saving.load_model(sys.argv[1])
except ValueError as problem:
    refused = str(problem)
import tests.physics.problems
x = np.load(sys.argv[2])
model = keras.saving.load_model(sys.argv[1])
found = {"refused": refused, "scores": model.evaluate(x, verbose=0, return_dict=True)}
found["history"] = model.fit(x, batch_size=8, epochs=2, shuffle=False, verbose=0).history
print("FOUND" + json.dumps(found))
"""


def test_a_fresh_process_trains_on_once_it_knows_the_equations(tmp_path):
    model = problem()
    model.fit(X, batch_size=8, epochs=2, shuffle=False, verbose=0)
    path, data = tmp_path / "m.keras", tmp_path / "x.npy"
    model.save(path)
    np.save(data, X)
    scores = model.evaluate(X, verbose=0, return_dict=True)
    history = model.fit(X, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    found = json.loads(fresh_process.run(LOAD, path, data).partition("FOUND")[2])
    assert "The equation of the residual 'burgers', the function `burgers` of 'tests.physics.problems'" in found["refused"]
    assert found["scores"] == pytest.approx(scores, rel=1e-6)
    for name, values in history.items():
        assert found["history"][name] == pytest.approx(values, rel=1e-5), name


PREDICT = """
import json, sys
import keras, numpy as np
import tests.physics.problems
model = keras.saving.load_model(sys.argv[1])
x = np.load(sys.argv[2])
nu = float(model.objective.quantities[0])
scores = model.evaluate(x, batch_size=len(x), verbose=0, return_dict=True)
print("FOUND" + json.dumps([model.predict(x, verbose=0).tolist(), nu, scores]))
"""


def test_a_polished_model_predicts_the_same_in_a_fresh_process(tmp_path):
    model = problem()
    polished = polish(model, X, 12, verbose=0).history
    path, data = tmp_path / "m.keras", tmp_path / "x.npy"
    model.save(path)
    np.save(data, X)
    values, nu, scores = json.loads(fresh_process.run(PREDICT, path, data).partition("FOUND")[2])
    np.testing.assert_array_equal(np.asarray(values, "float32"), model.predict(X, verbose=0))
    assert nu == float(model.objective.quantities[0]) != pytest.approx(0.3)
    assert scores == pytest.approx({name: column[-1] for name, column in polished.items()}, rel=1e-5)


class Interrupt(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if self.params["epochs"] == 3 and self.model.stop_at == (self.epoch, batch):
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch


def test_a_resumed_training_is_the_uninterrupted_one_bit_for_bit(tmp_path):
    def train(directory, stop_at):
        model = problem()
        model.stop_at = stop_at
        try:
            resume = Resume(tmp_path / directory, every=1, verbose=0)
            return model, model.fit(X, batch_size=8, epochs=3, verbose=0, callbacks=[Interrupt(), resume]).history
        except KeyboardInterrupt:
            return None, None

    model, history = train("whole", None)
    train("parts", (1, 1))
    resumed, found = train("parts", None)
    assert found == history
    for one, other in zip(resumed.variables, model.variables, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other))
