"""Objectives in `fit` with every kind of data that Keras takes."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerasmith
from kerasmith import Objective, Term
from tests.objectives.user_models import COUNT, X, Y, fit, functional, scores, shrink

BACKEND = keras.backend.backend()
BATCH = 8
WEIGHTS = np.linspace(0.0, 2.0, COUNT).astype("float32")
BATCHES = [slice(start, start + BATCH) for start in range(0, COUNT, BATCH)]


def distance(x, y, y_pred):
    return ops.mean(ops.abs(y - y_pred), axis=-1) * ops.abs(x[:, 0])


class Sequence(keras.utils.PyDataset):
    def __init__(self, *arrays, **keywords):
        super().__init__(**keywords)
        self.arrays = arrays

    def __len__(self):
        return len(BATCHES)

    def __getitem__(self, index):
        return keras.tree.map_structure(lambda a: a[BATCHES[index]], self.arrays)


def tf_data(*arrays):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(arrays).batch(BATCH)


def torch_loader(*arrays):
    import torch

    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*map(torch.from_numpy, arrays)), batch_size=BATCH)


def generator(*arrays):
    while True:
        yield from (tuple(a[part] for a in arrays) for part in BATCHES)


SOURCES = {
    "numpy": lambda *arrays: dict(zip(("x", "y", "sample_weight"), arrays)),
    "tf.data": lambda *arrays: {"x": tf_data(*arrays)},
    "PyDataset": lambda *arrays: {"x": Sequence(*arrays)},
    "PyDataset with workers": lambda *arrays: {"x": Sequence(*arrays, workers=2)},
    "generator": lambda *arrays: {"x": generator(*arrays), "steps_per_epoch": len(BATCHES)},
    **({"DataLoader": lambda *arrays: {"x": torch_loader(*arrays)}} if BACKEND == "torch" else {}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_of_data_gives_the_numbers_of_numpy(source):
    model = functional()
    model.compile(keras.optimizers.SGD(0.0), Objective({"fit": "mse", "distance": Term(distance, 0.5)}))
    found = fit(model, **{"y": None, **SOURCES[source](X, Y, WEIGHTS)}, validation_data=(X, Y))
    y_pred = model.predict(X, verbose=0)
    squares, distances = np.square(y_pred - Y)[:, 0], np.abs(y_pred - Y)[:, 0] * np.abs(X[:, 0])
    np.testing.assert_allclose(found["val_fit"], squares.mean(), rtol=1e-5)
    np.testing.assert_allclose(found["val_distance"], distances.mean(), rtol=1e-5)
    np.testing.assert_allclose(found["fit"], (WEIGHTS * squares).mean(), rtol=1e-5)
    np.testing.assert_allclose(found["distance"], (WEIGHTS * distances).mean(), rtol=1e-5)
    np.testing.assert_allclose(found["loss"], found["fit"][0] + 0.5 * found["distance"][0], rtol=1e-5)


def named():
    """Two inputs in a dict, two outputs in a dict."""
    inputs = {name: keras.Input((3,), name=name) for name in ("left", "right")}
    both = layers.Concatenate()([inputs["left"], inputs["right"]])
    return kerasmith.Model(inputs, {"size": layers.Dense(1, name="size")(both), "kind": layers.Dense(2, name="kind")(both)})


def agree(x, y_pred):
    return ops.square(y_pred["size"][:, 0] - ops.mean(x["left"] * x["right"], axis=-1))


def test_nests_of_inputs_labels_and_weights():
    model = named()
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    terms = {"size": "mae", "kind": entropy, "agree": Term(agree, 0.1, output="size"), "again": Term("mse", output="size")}
    model.compile(keras.optimizers.SGD(0.0), Objective(terms))
    x = {"left": X, "right": X[::-1].copy()}
    y = {"size": Y, "kind": (Y[:, 0] > 0.5).astype("int32")}
    weights = {"size": WEIGHTS, "kind": WEIGHTS[::-1].copy()}
    history = fit(model, x, y, sample_weight=weights)
    y_pred = model.predict(x, verbose=0)
    logits = y_pred["kind"].astype("float64")
    chosen = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = {
        "size": (WEIGHTS * np.abs(y_pred["size"] - Y)[:, 0]).mean(),
        "kind": (-weights["kind"] * chosen[np.arange(COUNT), y["kind"]]).mean(),
        "agree": (WEIGHTS * np.square(y_pred["size"][:, 0] - (x["left"] * x["right"]).mean(1))).mean(),
        "again": (WEIGHTS * np.square(y_pred["size"] - Y)[:, 0]).mean(),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(history[name], value, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(history["loss"], sum(expected.values()) - 0.9 * expected["agree"], rtol=1e-5)
    from_tf_data = model.fit(tf_data(x, y, weights), verbose=0).history
    for name, value in expected.items():
        np.testing.assert_allclose(from_tf_data[name], value, rtol=1e-5, err_msg=name)


def test_outputs_in_a_list_belong_to_the_terms_in_order():
    inputs = keras.Input((3,))
    model = kerasmith.Model(inputs, [layers.Dense(1)(inputs), layers.Dense(1)(inputs)])
    model.compile(keras.optimizers.SGD(0.0), Objective([Term("mse", name="near"), Term("mse", name="far")]))
    history = fit(model, y=[Y, -Y])
    near, far = model.predict(X, verbose=0)
    np.testing.assert_allclose(history["near"], np.square(near - Y).mean(), rtol=1e-5)
    np.testing.assert_allclose(history["far"], np.square(far + Y).mean(), rtol=1e-5)


def test_without_labels():
    def rebuild(x, y_pred):
        return ops.square(ops.sum(x, axis=-1) - y_pred[:, 0])

    model = functional()
    model.compile(keras.optimizers.Adam(0.05), Objective({"rebuild": rebuild, "shrink": Term(shrink, 0.01)}))
    history = fit(model, y=None, epochs=8, validation_data=(X, None))
    assert history["rebuild"][-1] < 0.7 * history["rebuild"][0]
    expected = np.square(X.sum(1) - model.predict(X, verbose=0)[:, 0]).mean()
    np.testing.assert_allclose(history["val_rebuild"][-1], expected, rtol=1e-4)
    np.testing.assert_allclose(model.evaluate(X, verbose=0, return_dict=True)["rebuild"], expected, rtol=1e-4)


def test_a_term_may_do_without_labels_that_are_not_there():
    def maybe(y_pred, y=None):
        return ops.square(y_pred if y is None else y_pred - y)[:, 0]

    model = functional()
    model.compile(keras.optimizers.SGD(0.0), Objective({"maybe": maybe}))
    y_pred = model.predict(X, verbose=0)
    np.testing.assert_allclose(fit(model, y=None)["maybe"], np.square(y_pred).mean(), rtol=1e-5)
    np.testing.assert_allclose(fit(model)["maybe"], np.square(y_pred - Y).mean(), rtol=1e-5)


def test_validation_split_and_sample_weights_of_validation():
    model = functional()
    model.compile(keras.optimizers.SGD(0.0), Objective({"fit": "mse"}))
    squares = np.square(model.predict(X, verbose=0) - Y)[:, 0]
    history = fit(model, validation_split=0.25)
    np.testing.assert_allclose(history["fit"], squares[:15].mean(), rtol=1e-5)
    np.testing.assert_allclose(history["val_fit"], squares[15:].mean(), rtol=1e-5)
    history = fit(model, validation_data=(X, Y, WEIGHTS))
    np.testing.assert_allclose(history["val_fit"], (WEIGHTS * squares).mean(), rtol=1e-5)


def test_single_batches_and_steps_of_several():
    model = functional()
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2], [1.0, 0.25])
    terms = {"fit": "mse", "shrink": Term(shrink, weight=schedule)}
    model.compile(keras.optimizers.SGD(0.0), Objective(terms), steps_per_execution=1 if BACKEND == "torch" else 2)
    history = fit(model, epochs=2)
    # Six steps; the weight is 1 in steps 0, 1 and 2.
    np.testing.assert_allclose(history["shrink_weight"], [1.0, 0.25])
    np.testing.assert_allclose(history["loss"], np.add(history["fit"], np.multiply([1.0, 0.25], history["shrink"])), rtol=1e-5)
    logs = model.train_on_batch(X, Y, return_dict=True)
    assert set(logs) == {"loss", "fit", "shrink", "shrink_weight"}
    assert int(ops.convert_to_numpy(model.objective.step)) == 7
    found = scores(model)
    assert int(ops.convert_to_numpy(model.objective.step)) == 7
    np.testing.assert_allclose(model.test_on_batch(X, Y, return_dict=True)["fit"], found["fit"], rtol=1e-5)


def test_the_second_forward_pass_of_a_term_is_not_recorded():
    calls = []

    def steady(x, y_pred, model, features, training):
        calls.append(training)
        first = features["hidden"]
        again = model(x + 0.5, training=training)
        return ops.square(y_pred - again)[:, 0] + 0.0 * first[:, 0]

    model = functional()
    model.layers[1].kernel_regularizer = keras.regularizers.L2(0.1)
    model.layers[1].kernel.regularizer = keras.regularizers.L2(0.1)
    model.compile(keras.optimizers.SGD(0.0), Objective({"steady": steady}))
    history = fit(model, validation_data=(X, Y))
    expected = np.square(model.predict(X, verbose=0) - model.predict(X + 0.5, verbose=0)).mean()
    np.testing.assert_allclose(history["steady"], expected, rtol=1e-4)
    # The regulariser counts once, though the layer ran twice.
    penalty = 0.1 * np.square(ops.convert_to_numpy(model.layers[1].kernel)).sum()
    np.testing.assert_allclose(history["loss"], expected + penalty, rtol=1e-4)
    np.testing.assert_allclose(history["val_loss"], expected + penalty, rtol=1e-4)
    assert {True, False} <= set(calls)


def test_labels_get_the_rank_of_the_predictions():
    rng = np.random.default_rng(0)
    x, y = rng.random((6, 2), "float32"), rng.random(6).astype("float32")
    inputs = keras.Input((2,))
    model = kerasmith.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", Objective({"gap": lambda y, y_pred: ops.abs(y - y_pred), "mae": "mae"}))
    found = model.evaluate(x, y, batch_size=6, return_dict=True, verbose=0)
    want = np.abs(y[:, None] - np.asarray(model.predict(x, verbose=0))).mean()
    np.testing.assert_allclose([found["gap"], found["mae"]], want, rtol=1e-5)
