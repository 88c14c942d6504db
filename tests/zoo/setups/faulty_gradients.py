"""Weights that no gradient reaches, or only what has vanished or exploded."""

import keras
from keras import layers, ops

from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, faulty

THEME = "gradients"


@faulty(
    THEME,
    "keras-team/keras issue 2218, an output that shall be an integer: a rounding layer at the end",
    {"rounds": False},
    severity="error",
)
def rounded_output(rounds=True):
    x, y = data.counts()
    columns = keras.Input((4,))
    rate = layers.Dense(1)(layers.Dense(16, activation="relu")(columns))
    model = keras.Model(columns, ops.round(rate) if rounds else rate)
    model.compile(keras.optimizers.Adam(1e-2), "mean_absolute_error")
    return Setup(model, {"x": x, "y": y})


@faulty(
    THEME,
    "keras-team/keras issues 4175 and 11157, round and argmax inside a loss",
    {"hard": False},
    severity="error",
)
def threshold_inside_the_loss(hard=True):
    x, y = data.disks()

    def overlap(y_true, y_pred):
        y_pred = ops.cast(y_pred > 0.5, "float32") if hard else y_pred
        both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
        return 1 - (2 * both + 1) / (ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3)) + 1)

    model = keras.Sequential([layers.Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(1, 1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), overlap)
    return Setup(model, {"x": x, "y": y, "batch_size": 16})


class Branches(keras.Model):
    """Two branches, of which the second replaces the first where `call` writes over its own variable."""

    def __init__(self, joined):
        super().__init__()
        self.wide, self.deep = layers.Dense(16, activation="relu"), layers.Dense(16, activation="tanh")
        self.out, self.joined = layers.Dense(1), joined

    def call(self, x):
        wide = self.wide(x)
        hidden = self.deep(x)
        return self.out(ops.concatenate([wide, hidden], axis=-1) if self.joined else hidden)


@faulty(
    THEME,
    "keras-team/keras issue 15716, gradients do not exist for variables: a layer whose result is not used",
    {"joined": True},
)
def branch_that_is_not_used(joined=False):
    x, y = data.diabetes()
    model = Branches(joined)
    model.compile("adam", "mse")
    return Setup(model, {"x": x, "y": y[:, None]})


@faulty(
    THEME,
    "google-research-datasets/seq2act issue 2, None for a gradient: the word picked by argmax goes on",
    {"hard": False},
    severity="error",
)
def choice_in_the_middle(hard=True):
    x, y = data.sentences()
    words = keras.Input((12,), dtype="int32")
    scores = layers.Dense(6, activation="softmax")(layers.GlobalAveragePooling1D()(layers.Embedding(40, 8)(words)))
    picked = ops.one_hot(ops.argmax(scores, axis=-1), 6) if hard else scores
    model = keras.Model(words, layers.Dense(1, activation="sigmoid")(picked))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y[:, None]})


def backbone():
    """A small convolutional part that stands for one from keras.applications."""
    parts = [layers.Conv2D(4, 3, strides=2, activation="relu"), layers.Conv2D(4, 3, activation="relu")]
    return keras.Sequential([layers.Input((8, 8, 1)), *parts, layers.GlobalMaxPooling2D()], name="backbone")


@faulty(
    THEME,
    "keras guide to transfer learning and questions of its kind: weights=None, and the base is frozen",
    {"trainable": True},
)
def frozen_random_backbone(trainable=False):
    x, y = data.digits()
    base = backbone()
    base.trainable = trainable
    model = keras.Sequential([base, layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y, "epochs": 2})


@faulty(
    THEME,
    "keras-team/keras-cv pull 1746, keras-team/keras issues 4674 and 6405: frozen after compile",
    {"again": True},
)
def frozen_after_compile(again=False):
    x, y = data.digits()
    base = backbone()
    model = keras.Sequential([base, layers.Dense(10, activation="softmax")])
    if again:
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, verbose=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    base.trainable = False
    if again:
        model.compile("adam", "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y})


@faulty(
    THEME,
    "keras-team/keras issues 3687 and 7057, predictions are all zero: no unit of relu is ever above 0",
    {"bias": 0.0},
    also=("learning",),
)
def dead_units(bias=-8.0):
    x, y = data.counts()
    start = keras.initializers.Constant(bias)
    hidden = [layers.Dense(16, activation="relu", bias_initializer=start) for _ in range(2)]
    model = keras.Sequential([layers.Input((4,)), *hidden, layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    return Setup(model, {"x": x, "y": y, "batch_size": 24})


@faulty(
    THEME,
    "AI Stack Exchange 16557, hidden layers of sigmoid units do not learn",
    {"activation": "relu", "initializer": "he_normal"},
    also=("learning",),
)
def deep_sigmoids(activation="sigmoid", initializer="glorot_uniform"):
    x, y = data.moons()
    hidden = [layers.Dense(12, activation=activation, kernel_initializer=initializer) for _ in range(9)]
    model = keras.Sequential([layers.Input((2,)), *hidden, layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y[:, None], "batch_size": 24, "epochs": 3})


@faulty(
    THEME,
    "Data Science Stack Exchange 19170, all weights start alike",
    {"initializer": "glorot_uniform"},
    also=("learning",),
)
def identical_units(initializer="ones"):
    x, y = data.table("wine", 170)
    hidden = layers.Dense(24, activation="tanh", kernel_initializer=initializer)
    model = keras.Sequential([layers.Input((13,)), hidden, layers.Dense(3, "softmax", kernel_initializer=initializer)])
    model.compile("adam", "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y})


@faulty(
    THEME,
    "Cross Validated 320672 and NeuraLint's rule on missing activations: a deep network that is a straight line",
    {"activation": "relu"},
    also=("learning",),
)
def deep_and_affine(activation=None):
    x, y = data.moons()
    columns = hidden = keras.Input((2,))
    for _ in range(3):
        hidden = layers.Dense(24, activation=activation)(hidden)
    model = keras.Model(columns, layers.Dense(1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y})


@faulty(
    THEME,
    "Wardat et al. 2022 (DeepDiagnosis), exploding tensors: wide random weights in a deep network",
    {"deviation": 0.2},
    also=("learning",),
)
def exploding_start(deviation=2.0):
    x, y = data.diabetes()
    start = keras.initializers.RandomNormal(stddev=deviation, seed=0)
    hidden = [layers.Dense(32, activation="relu", kernel_initializer=start) for _ in range(6)]
    model = keras.Sequential([layers.Input((10,)), *hidden, layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    return Setup(model, {"x": x, "y": y})
