"""Function, function that makes a loss, and class: the same numbers, saved and loaded."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.losses import FunctionLoss, from_function
from tests.support import fresh_process
from tests.support.gradients import value_and_grad
from tests.support.loss_functions import Pulled, make_pulled, pulled, to_one_number

RNG = np.random.default_rng(0)
Y_TRUE, Y_PRED = (RNG.random((8, 3)).astype("float32") for _ in range(2))
FORMS = [from_function(pulled, factor=0.3), from_function(make_pulled, factor=0.3), Pulled(0.3)]


def oracle(weight=None):
    each = [np.mean([(t - p) ** 2 + 0.3 * abs(p) for t, p in zip(*rows)]) for rows in zip(Y_TRUE, Y_PRED)]
    return np.mean(each if weight is None else weight * np.array(each))


@pytest.mark.parametrize("loss", FORMS, ids=["function", "factory", "class"])
def test_value_gradient_and_weights(loss):
    weight = np.linspace(0, 2, 8).astype("float32")
    assert float(loss(Y_TRUE, Y_PRED)) == pytest.approx(oracle(), rel=1e-6)
    value, slope = value_and_grad(lambda p: loss(Y_TRUE, p, weight), Y_PRED)
    assert value == pytest.approx(oracle(weight), rel=1e-6)
    expected = weight[:, None] / 8 * (2 * (Y_PRED - Y_TRUE) + 0.3 * np.sign(Y_PRED)) / 3
    np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.heavy("starts a process that imports the backend anew", on=("jax", "tensorflow"), seconds=5)
def test_each_form_loads_in_a_fresh_process(tmp_path):
    np.savez(tmp_path / "data.npz", x=Y_PRED, y=Y_TRUE)
    expected = []
    for number, loss in enumerate(FORMS):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
        model.compile("sgd", loss)
        model.fit(Y_PRED, Y_TRUE, verbose=0)
        model.save(tmp_path / f"{number}.keras")
        expected.append(model.evaluate(Y_PRED, Y_TRUE, verbose=0))
    code = """
import sys, json, keras, kerasmith, numpy as np
import tests.support.loss_functions
data = np.load(sys.argv[1] + "/data.npz")
models = [keras.saving.load_model(f"{sys.argv[1]}/{n}.keras") for n in range(3)]
print(json.dumps([model.evaluate(data["x"], data["y"], verbose=0) for model in models]))
"""
    got = json.loads(fresh_process.run(code, tmp_path).splitlines()[-1])
    assert got == pytest.approx(expected, rel=1e-6)


def test_pixel_weights_weigh_the_elements():
    loss = from_function(squares, reduction="mean_with_sample_weight")
    weight = (np.arange(8 * 5).reshape(8, 5) % 3).astype("float32")
    truth, prediction = (RNG.random((8, 5, 2)).astype("float32") for _ in range(2))
    expected = (weight[..., None] * (truth - prediction) ** 2).sum() / (2 * weight.sum())
    assert float(loss(truth, prediction, weight)) == pytest.approx(expected, rel=1e-5)


def squares(y_true, y_pred):
    return ops.square(y_true - y_pred)


def test_name_reduction_and_config():
    loss = from_function(pulled, name="p", reduction="sum", dtype="bfloat16", factor=2)
    again = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(loss))))
    assert isinstance(again, FunctionLoss)
    assert (again.name, again.reduction, again.dtype, again.fixed) == ("p", "sum", "bfloat16", {"factor": 2})
    assert from_function(pulled).name == "pulled"
    undecorated = keras.saving.serialize_keras_object(from_function(squares))
    assert keras.saving.deserialize_keras_object(undecorated).fn is squares


def test_what_could_not_be_loaded_is_refused():
    with pytest.raises(ValueError, match="register_keras_serializable"):
        from_function(lambda y_true, y_pred: y_pred)
    with pytest.raises(ValueError, match=r"captures factor=0\.5.*from_function\(make_loss"):
        from_function(make_pulled(0.5))

    def local(y_true, y_pred):
        return y_pred

    with pytest.raises(ValueError, match="function inside a function"):
        from_function(local)
    registered = keras.saving.register_keras_serializable("tests", "by_lambda")(lambda y_true, y_pred: y_pred[:, 0])
    assert float(from_function(registered)(Y_TRUE, Y_PRED)) == pytest.approx(Y_PRED[:, 0].mean(), rel=1e-6)


def test_wrong_functions_are_refused():
    with pytest.raises(TypeError, match="no argument 'facter'"):
        from_function(pulled, facter=1.0)
    with pytest.raises(TypeError, match="Python function"):
        from_function(keras.losses.MeanSquaredError())
    with pytest.raises(TypeError, match="leave y_true and y_pred open"):
        from_function(three)
    with pytest.raises(ValueError, match="one loss a sample"):
        from_function(to_one_number)(Y_TRUE, Y_PRED)


def three(y_true, y_pred, needed):
    return needed
