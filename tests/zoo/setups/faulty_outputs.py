"""Losses, labels and outputs that do not meet."""

import keras
from keras import layers, ops

from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, faulty

THEME = "outputs"


def both(value="value", sign="sign"):
    """A trunk with a regression and a binary head, as a dict of outputs."""
    columns = keras.Input((10,))
    hidden = layers.Dense(16, activation="relu")(columns)
    return columns, {value: layers.Dense(1, name=value)(hidden), sign: layers.Dense(1, "sigmoid", name=sign)(hidden)}


def targets():
    """Columns of the diabetes table, its target, and whether it is above the mean."""
    x, y = data.diabetes()
    return x, y[:, None], (y[:, None] > 0).astype("float32")


def low_quantile(y_true, y_pred):
    """The pinball loss of the first decile."""
    error = y_true - y_pred
    return ops.mean(ops.maximum(0.1 * error, -0.9 * error), axis=-1)


def high_quantile(y_true, y_pred):
    """The pinball loss of the last decile."""
    error = y_true - y_pred
    return ops.mean(ops.maximum(0.9 * error, -0.1 * error), axis=-1)


@faulty(
    THEME,
    "keras-team/keras issue 12939 and keras-team/keras-tuner issue 358, a list of losses for one output",
    {"loss": "mean_absolute_error"},
    severity="error",
)
def list_of_losses_for_one_output(loss=(low_quantile, high_quantile)):
    x, y, _ = targets()
    model = keras.Sequential([layers.Input((10,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
    model.compile("adam", loss if isinstance(loss, str) else list(loss))
    return Setup(model, {"x": x, "y": y})


@faulty(
    THEME,
    "SciSharp/TensorFlow.NET issue 856 and keras-team/keras issue 2488, two losses meant to be added for a mask",
    {"added": True},
    severity="error",
)
def overlap_and_entropy_in_a_list(added=False):
    x, y = data.disks()
    entropy, overlap = keras.losses.BinaryCrossentropy(), keras.losses.Dice(axis=(1, 2, 3))

    def sum_of_both(y_true, y_pred):
        return ops.mean(keras.losses.binary_crossentropy(y_true, y_pred), axis=(1, 2)) + keras.losses.dice(
            y_true, y_pred, axis=(1, 2, 3)
        )

    model = keras.Sequential([layers.Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(1, 1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), sum_of_both if added else [entropy, overlap])
    return Setup(model, {"x": data.Batches(x, y, 16)})


@faulty(
    THEME,
    "tensorflow/tensorflow issue 34713, a loss for one of two outputs, labels for both",
    {"losses": {"value": "mse", "sign": "binary_crossentropy"}},
)
def one_loss_for_two_outputs(losses=None):
    x, value, sign = targets()
    columns, outputs = both()
    model = keras.Model(columns, outputs)
    model.compile("adam", losses or {"value": "mse"})
    return Setup(model, {"x": x, "y": {"value": value, "sign": sign}})


@faulty(
    THEME,
    "tensorflow/tensorflow issue 25955, lists of outputs and losses that do not have the same length in thought",
    {"second": "binary_crossentropy"},
)
def none_among_the_losses(second=None):
    x, value, sign = targets()
    columns, outputs = both()
    model = keras.Model(columns, list(outputs.values()))
    model.compile("adam", ["mae", second])
    return Setup(model, {"x": x, "y": [value, sign], "batch_size": 24})


@faulty(
    THEME,
    "keras-team/keras issue 10779, weights of two losses: the second never falls, for its weight is 0",
    {"weight": 0.5},
)
def loss_of_weight_zero(weight=0.0):
    x, value, sign = targets()
    columns, outputs = both()
    model = keras.Model(columns, list(outputs.values()))
    model.compile("adam", ["mse", "binary_crossentropy"], loss_weights=[1.0, weight], metrics=[["mae"], ["accuracy"]])
    return Setup(model, {"x": x, "y": [value, sign]})


class TwoHeads(keras.Model):
    """A subclassed model that gives a dict."""

    def __init__(self):
        super().__init__()
        self.hidden, self.value = layers.Dense(16, activation="relu"), layers.Dense(1)
        self.sign = layers.Dense(1, activation="sigmoid")

    def call(self, x):
        hidden = self.hidden(x)
        return {"value": self.value(hidden), "sign": self.sign(hidden)}


@faulty(
    THEME,
    "tensorflow/tensorflow issue 48511, names of the outputs of a subclassed model: a head without a loss",
    {"every": True},
)
def head_of_a_subclass_without_loss(every=False):
    x, value, sign = targets()
    model = TwoHeads()
    model.compile("adam", {"value": "huber", "sign": "bce"} if every else {"value": "huber", "sign": None})
    return Setup(model, {"x": x, "y": {"value": value, "sign": sign}})


@faulty(
    THEME,
    "tensorflow/tensorflow issue 72679 and keras-team/keras issue 13656, labels under a key that no output has",
    {"key": "sign"},
    also=("runs",),
)
def labels_under_another_key(key="sign_of_value"):
    x, value, sign = targets()
    columns, outputs = both()
    model = keras.Model(columns, outputs)
    losses = {"value": "mse"} if key != "sign" else {"value": "mse", "sign": "binary_crossentropy"}
    model.compile("adam", losses)
    return Setup(model, {"x": x, "y": {"value": value, key: sign}})
