"""Networks that a function of the user's returns."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.recipes.training.config_error import ConfigError
from kerasmith.recipes.training.logits import not_logits
from kerasmith.recipes.training.network import make_network
from kerasmith.recipes.training.set_up import require_logits

pytestmark = pytest.mark.host("layers are put together and called, nothing is trained")

MODULE = """
import keras

def whole(shape, outputs):
    return keras.Sequential([keras.Input(shape), keras.layers.Conv2D(outputs, 3, padding="same")])

def without_input(shape, outputs):
    return keras.Sequential([keras.layers.Conv2D(outputs, 3, padding="same")])

def squashed(shape, outputs):
    image = keras.Input(shape)
    return keras.Model(image, keras.ops.sigmoid(keras.layers.Conv2D(outputs, 3, padding="same")(image)))
"""


def made(tmp_path, monkeypatch, name):
    (tmp_path / "networks_of_a_user.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    plan = SimpleNamespace(
        values={"model": f"networks_of_a_user:{name}"}, config=SimpleNamespace(places={}, name="config.yaml"), instances=False,
        names=["background", "cell"], axes=2, channels=1, outputs="sigmoid",
    )  # fmt: skip
    return plan, make_network(plan)


def test_a_sequential_model_is_taken(tmp_path, monkeypatch):
    _, model = made(tmp_path, monkeypatch, "whole")
    assert model.output.shape == (None, None, None, 1)


def test_one_without_known_inputs_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"begin with `keras\.Input`"):
        made(tmp_path, monkeypatch, "without_input")


@keras.saving.register_keras_serializable("tests")
class ByHand(keras.layers.Layer):
    """A sigmoid that no name tells of."""

    def call(self, x):
        return 1 / (1 + ops.exp(-x))


ACTIVATIONS = {
    "sigmoid": (ops.sigmoid, "between 0 and 1"),
    "softmax": (ops.softmax, "between 0 and 1"),
    "by hand": (ByHand(), "between 0 and 1"),
    "clipped": (lambda x: ops.clip(x, 0, 1), "between 0 and 1"),
    "tanh": (ops.tanh, "between -1 and 1"),
    "relu": (ops.relu, "never below 0"),
    "log_sigmoid": (ops.log_sigmoid, "never above 0"),
    "none": (lambda x: x, None),
    "small": (lambda x: 1e-2 * x, None),
    "shifted": (lambda x: x + 3.0, None),
    "wide tanh": (lambda x: 10 * ops.tanh(x), None),
}


def network(activation, initializer="glorot_uniform", channels=2):
    image = keras.Input((None, None, 1))
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(3, 3, activation="relu")(image))
    return keras.Model(image, activation(keras.layers.Conv2D(channels, 1, kernel_initializer=initializer)(x)))


def test_values_say_whether_an_output_is_a_logit():
    x = np.random.default_rng(0).normal(size=(2, 9, 9, 1)).astype("float32")
    for name, (activation, expected) in ACTIVATIONS.items():
        for initializer in ("glorot_uniform", "zeros") if name in ("sigmoid", "none") else ("glorot_uniform",):
            model = network(activation, initializer)
            before = [weight.copy() for weight in model.get_weights()]
            problem = not_logits(model, x)
            assert (problem is None) == (expected is None), (name, initializer, problem)
            assert expected is None or expected in problem, (name, problem)
            assert all(map(np.array_equal, before, model.get_weights())), name
    # Of classes only the differences count; over one channel a softmax is 1.
    assert not_logits(network(ops.relu), x, elementwise=False) is None
    assert not_logits(network(ops.log_softmax), x, elementwise=False) is None
    assert "between 0 and 1" in not_logits(
        network(lambda x: ops.exp(x) / ops.sum(ops.exp(x), -1, keepdims=True), channels=1), x
    )


def test_a_network_that_gives_probabilities_is_refused_with_what_to_write(tmp_path, monkeypatch):
    batches = [(np.ones((1, 8, 8, 1), "float32"),)]
    with pytest.raises(ConfigError, match="Leave out the activation of the last layer"):
        require_logits(*made(tmp_path, monkeypatch, "squashed"), batches)
    require_logits(*made(tmp_path, monkeypatch, "whole"), batches)
