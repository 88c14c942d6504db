"""Models with an objective: saved, loaded in a fresh process, resumed, watched by the callbacks of Keras."""

import json
import warnings

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective, Term
from tests.objectives.user_models import LayersInBuild, LayersInInit, X, Y, active, array, fit, functional, scores, shrink
from tests.support import fresh_process

# What a user writes in a module of his own.
USER_MODULE = """
import keras
from keras import layers, ops
from kerasmith import Model, Objective, Tap, Term

@keras.saving.register_keras_serializable("mine")
def power(x, y_pred, features, exponent):
    return ops.mean(ops.abs(features["hidden"]), axis=-1) ** exponent + 0.1 * ops.abs(x[:, 0] - y_pred[:, 0])

@keras.saving.register_keras_serializable("mine")
def falling(step):
    return 1.0 / (1.0 + ops.cast(step, "float32"))

@keras.saving.register_keras_serializable("mine")
class Scaled(layers.Layer):
    def build(self, *_):
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.built = True

    def call(self, y, y_pred):
        return ops.mean(ops.abs(y - y_pred), axis=-1) * ops.abs(self.scale)

def compiled():
    inputs = keras.Input((3,))
    hidden = Tap("hidden")(layers.Dense(4, activation="tanh", kernel_regularizer="l2")(inputs))
    model = Model(inputs, layers.Dense(1)(hidden))
    scaled = Scaled()
    scaled.build()
    model.compile(keras.optimizers.Adam(0.05), Objective({
        "fit": keras.losses.Huber(0.3),
        "power": Term(power, weight=falling, fixed={"exponent": 2}),
        "size": Term("mae", weight="learned"),
        "scaled": scaled,
    }), metrics=["mse"])
    return model
"""

RUN = """
import json, sys
import keras, numpy as np
import kerasmith
sys.path.insert(0, sys.argv[1])
import my_terms
model = keras.saving.load_model(sys.argv[2])
data = np.load(sys.argv[3])
x, y = data["x"], data["y"]
found = {"scores": model.evaluate(x, y, batch_size=8, return_dict=True, verbose=0), "kind": type(model).__name__}
found["step"] = int(model.objective.step)
found["history"] = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
found["weights"] = [np.asarray(keras.ops.convert_to_numpy(v)).tolist() for v in model.trainable_variables]
print("FOUND" + json.dumps(found))
"""


@pytest.fixture
def mine(tmp_path):
    """The user's module, as a module of this process."""
    (tmp_path / "my_terms.py").write_text(USER_MODULE)
    space = {"__name__": "my_terms"}
    exec(USER_MODULE, space)
    return space


def test_a_fresh_process_evaluates_the_same_and_resumes_as_if_nothing_had_happened(tmp_path, mine):
    keras.utils.set_random_seed(1)
    model = mine["compiled"]()
    start = model.get_weights()
    first = fit(model, epochs=2)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=X, y=Y)
    output = fresh_process.run(RUN, tmp_path, tmp_path / "model.keras", tmp_path / "data.npz")
    found = json.loads(output.split("FOUND")[1])
    assert found["kind"] == "FunctionalModel"
    assert found["step"] == 6
    expected = scores(model)
    assert set(expected) == set(found["scores"])
    for name, value in expected.items():
        np.testing.assert_allclose(found["scores"][name], value, rtol=1e-6, err_msg=name)
    # Two epochs, a new process, two epochs: as four in one go.
    straight = mine["compiled"]()
    straight.set_weights(start)
    whole = fit(straight, epochs=4)
    assert set(whole) == set(first) == set(found["history"])
    for name, values in whole.items():
        np.testing.assert_allclose([*first[name], *found["history"][name]], values, rtol=1e-5, err_msg=name)
    assert whole["power_weight"][0] > 4 * whole["power_weight"][-1]
    assert len(set(whole["size_weight"])) == 4
    for ours, theirs in zip(straight.trainable_variables, found["weights"], strict=True):
        np.testing.assert_allclose(array(ours), theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", [LayersInInit, LayersInBuild])
def test_subclassed_models_load_with_what_they_learned(kind, tmp_path):
    model = kind()
    model.compile("adam", Objective({"fit": "mse", "active": Term(active, weight="learned")}))
    fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert scores(loaded) == pytest.approx(scores(model), rel=1e-6)
    assert int(array(loaded.objective.step)) == 3
    # The optimizer goes on, too.
    assert fit(loaded)["loss"] == pytest.approx(fit(model)["loss"], rel=1e-5)


def test_weights_alone(tmp_path):
    def compiled():
        model = functional()
        schedule = keras.optimizers.schedules.ExponentialDecay(1.0, 3, 0.5)
        model.compile("adam", Objective({"fit": Term("mse", weight="learned"), "shrink": Term(shrink, weight=schedule)}))
        return model

    model, other = compiled(), compiled()
    fit(model)
    model.save_weights(tmp_path / "a.weights.h5")
    assert scores(other) != pytest.approx(scores(model), rel=1e-3)
    other.load_weights(tmp_path / "a.weights.h5")
    assert scores(other) == pytest.approx(scores(model), rel=1e-6)


def test_callbacks_of_keras_watch_a_term(tmp_path):
    model = functional()
    model.compile(keras.optimizers.SGD(0.1), Objective({"fit": "mse", "active": Term(active, weight="learned")}))
    # With a factor of 1/2 and no target, the model learns to be active less and less, or stops.
    stop = keras.callbacks.EarlyStopping(monitor="val_active", mode="min", patience=2)
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="val_fit", mode="min", save_best_only=True)
    history = fit(model, epochs=12, validation_data=(X, Y), callbacks=[stop, best])
    seen = history["val_active"]
    waited = [len(values) - 1 - int(np.argmin(values)) for values in (seen[: i + 1] for i in range(len(seen)))]
    assert waited[-1] == 2 or len(seen) == 12
    assert max(waited[:-1]) < 2
    loaded = keras.saving.load_model(tmp_path / "best.keras")
    assert scores(loaded)["fit"] == pytest.approx(min(history["val_fit"]), rel=1e-5)


def test_backup_and_restore(tmp_path):
    class Stop(Exception):
        pass

    def run(epochs, callbacks):
        keras.utils.set_random_seed(2)
        model = functional()
        schedule = keras.optimizers.schedules.ExponentialDecay(1.0, 3, 0.5)
        model.compile(
            keras.optimizers.Adam(0.05), Objective({"fit": Term("mse", weight="learned"), "shrink": Term(shrink, schedule)})
        )
        fit(model, epochs=epochs, callbacks=callbacks)
        return model

    def stop(epoch, logs):
        if epoch == 2:
            raise Stop

    backup = lambda: keras.callbacks.BackupAndRestore(tmp_path / "backup")  # noqa: E731
    with pytest.raises(Stop):
        run(4, [backup(), keras.callbacks.LambdaCallback(on_epoch_begin=stop)])
    resumed, straight = run(4, [backup()]), run(4, [])
    assert int(array(resumed.objective.step)) == int(array(straight.objective.step)) == 12
    assert scores(resumed) == pytest.approx(scores(straight), rel=1e-5)


def local_function():
    def inner(y_pred):
        return ops.mean(ops.square(y_pred), axis=-1)

    return inner


def capturing(factor):
    def inner(y_pred):
        return factor * ops.mean(ops.square(y_pred), axis=-1)

    return inner


UNSAVABLE = {
    "lambda": (lambda: Term(lambda y_pred: ops.mean(y_pred**2, axis=-1), name="extra"), "A lambda"),
    "local": (lambda: Term(local_function(), name="extra"), "a function inside a function"),
    "captured": (lambda: Term(capturing(0.3), name="extra"), "captures factor=0.3"),
    "schedule": (lambda: Term("mae", weight=lambda step: 0.5, name="extra"), "A lambda"),
}


@pytest.mark.parametrize("kind", UNSAVABLE)
def test_what_cannot_be_saved_trains_and_does_not_lose_the_model(kind, tmp_path):
    make, reason = UNSAVABLE[kind]
    model = functional()
    model.compile("adam", Objective({"fit": "mse", "extra": make()}))
    assert {"fit", "extra"} <= set(fit(model))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.save(tmp_path / "model.keras")
    (told,) = [str(w.message) for w in caught if "compile it again" in str(w.message)]
    assert reason in told
    assert "register_keras_serializable" in told
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert not loaded.compiled
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    loaded.compile("adam", Objective({"fit": "mse", "extra": make()}))
    assert scores(loaded) == pytest.approx(scores(model), rel=1e-6)


def test_an_existing_model_that_was_attached_saves(tmp_path):
    plain = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])
    model = Objective({"fit": "mse", "shrink": Term(shrink, 0.1)}).attach(plain, "sgd")
    fit(model)
    model.save(tmp_path / "model.keras")
    assert scores(keras.saving.load_model(tmp_path / "model.keras")) == pytest.approx(scores(model), rel=1e-6)


def test_a_legacy_file_is_refused_with_what_to_write(tmp_path):
    inputs = keras.Input((3,))
    functional = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    for model in (Model.from_keras(functional), Model(inputs, functional(inputs))):
        with pytest.raises(ValueError, match=r"legacy HDF5.*Write `model.save\('model.keras'\)`"):
            model.save(tmp_path / "model.h5")
    assert not list(tmp_path.iterdir())
    model.save(tmp_path / "model.keras")
    assert type(keras.models.load_model(tmp_path / "model.keras")) is type(model)
