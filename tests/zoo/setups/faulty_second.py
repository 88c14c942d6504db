"""A second handful of faulty set-ups, written after the checks and asked before one was changed for them."""

import keras
import numpy as np
from keras import layers, ops

import kerasmith
from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, faulty

TAXONOMY = "Humbatova et al. 2020, taxonomy of real faults in deep learning systems: "


def stack(shape, *parts):
    """A Sequential model of these layers."""
    return keras.Sequential([layers.Input(shape), *parts])


class OneUnit(keras.Model):
    """A subclassed classifier of one unit."""

    def __init__(self, head):
        super().__init__()
        self.hidden, self.out, self.head = layers.Dense(16, activation="silu"), layers.Dense(1), head

    def call(self, x):
        return getattr(ops, self.head)(self.out(self.hidden(x)))


@faulty("output_and_loss", TAXONOMY + "wrong activation of the output", {"head": "sigmoid"}, severity="error")
def softmax_operation_over_one_unit(head="softmax"):
    x, y = data.table("breast_cancer")
    model = OneUnit(head)
    model.compile("adam", kerasmith.losses.Focal())
    return Setup(model, {"x": x, "y": y[:, None].astype("float32")})


@faulty("output_and_loss", TAXONOMY + "missing softmax, in a focal loss", {"from_logits": True}, severity="error")
def focal_of_raw_scores(from_logits=False):
    x, y = data.table("wine", 170)
    model = stack((13,), layers.Dense(16, activation="relu"), layers.Dense(3))
    model.compile("adam", keras.losses.CategoricalFocalCrossentropy(from_logits=from_logits))
    return Setup(model, {"x": x, "y": data.one_hot(y, 3)})


@faulty("output_and_loss", "umbertogriffo/focal-loss-keras, sigmoid and from_logits together", {"from_logits": False})
def focal_with_sigmoid_twice(from_logits=True):
    x, y = data.rare()
    model = stack((8,), layers.Dense(16, activation="relu"), layers.Dense(1), layers.Activation("sigmoid"))
    model.compile("adam", keras.losses.BinaryFocalCrossentropy(from_logits=from_logits))
    return Setup(model, {"x": data.native(x, y[:, None].astype("float32"))})


@faulty(
    "output_and_loss",
    "keras-team/keras issue 1917, kld of outputs that are not positive",
    {"head": "softmax"},
    severity="error",
)
def divergence_of_raw_outputs(head=None):
    x, y = data.table("iris", 150)
    model = stack((4,), layers.Dense(16, activation="relu"), layers.Dense(3, activation=head))
    model.compile("adam", "kl_divergence")
    return Setup(model, {"x": x, "y": 0.9 * data.one_hot(y, 3) + 0.1 / 3})


@faulty("output_and_loss", TAXONOMY + "poisson loss of a linear head: NaN", {"head": "softplus"}, severity="error")
def poisson_of_a_linear_head(head="linear"):
    x, y = data.counts()
    columns = keras.Input((4,))
    model = keras.Model(columns, layers.Dense(1, activation=head)(layers.Dense(16, activation="relu")(columns)))
    model.compile("adam", keras.losses.Poisson())
    return Setup(model, {"x": x, "y": y})


@faulty("output_and_loss", TAXONOMY + "log_softmax where probabilities are read", {"head": "softmax"}, severity="error")
def logarithms_as_probabilities(head="log_softmax"):
    x, y = data.digits()
    model = stack((8, 8, 1), layers.Flatten(), layers.Dense(10, activation=head))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y})


@faulty("output_and_loss", "DeepFD (Cao et al. 2022), loss function: softmax into our CrossEntropy of logits", {"head": None})
def softmax_twice_in_our_loss(head="softmax"):
    x, y = data.disks()
    model = stack((16, 16, 1), layers.Conv2D(8, 3, padding="same", activation="relu"), layers.Conv2D(2, 1, activation=head))
    model.compile("adam", kerasmith.losses.CrossEntropy(from_logits=True))
    return Setup(model, {"x": x, "y": y.astype("int32"), "batch_size": 16})


@faulty("labels", TAXONOMY + "wrong scale of labels: per cent", {"scale": 0.01}, also=("runs",), severity="error")
def per_cent_as_probability(scale=1.0):
    x, y = data.diabetes()
    share = (100 / (1 + np.exp(-y)) * scale).astype("float32")
    model = stack((10,), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["mae"])
    return Setup(model, {"x": x, "y": share})


@faulty("labels", TAXONOMY + "labels of a wrong type: words", {"words": False}, also=("runs",), severity="error")
def words_for_classes(words=True):
    x, y = data.table("breast_cancer")
    model = stack((30,), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy")
    return Setup(model, {"x": x, "y": np.array(["benign", "malignant"])[y] if words else y})


@faulty("labels", "keras-team/keras issue 8238, the void label -1", {"void": -1}, also=("runs",), severity="error")
def unknown_class_minus_one(void=None):
    x, y = data.digits()
    y = np.where(np.arange(len(y)) % 7 == 0, -1, y)
    model = stack((8, 8, 1), layers.Flatten(), layers.Dense(10))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=void))
    return Setup(model, {"x": x, "y": y})


@faulty(
    "labels",
    "keras-team/keras-io pull 916, one-hot labels and the sparse loss",
    {"loss": "categorical_crossentropy"},
    also=("runs",),
)
def one_hot_for_ids(loss="sparse_categorical_crossentropy"):
    x, y = data.table("iris", 150)
    model = stack((4,), layers.Dense(3, activation="softmax"))
    model.compile("adam", loss)
    return Setup(model, {"x": x, "y": data.one_hot(y, 3)})


@faulty("labels", TAXONOMY + "wrong activation of the output: softplus for targets around 0", {"head": None})
def softplus_for_negative_targets(head="softplus"):
    x, y = data.diabetes()
    model = stack((10,), layers.Dense(16, activation="relu"), layers.Dense(1, activation=head))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.Huber())
    return Setup(model, {"x": x, "y": y[:, None]})


@faulty(
    "labels",
    "tensorflow/tensorflow issue 37887, losses of two outputs in the wrong order",
    {"swapped": False},
    also=("outputs", "output_and_loss", "runs"),
)
def losses_in_the_wrong_order(swapped=True):
    x, y = data.diabetes()
    columns = keras.Input((10,))
    hidden = layers.Dense(16, activation="relu")(columns)
    model = keras.Model(columns, [layers.Dense(1)(hidden), layers.Dense(1, activation="sigmoid")(hidden)])
    losses = ["mse", "binary_crossentropy"]
    model.compile("adam", losses[::-1] if swapped else losses)
    return Setup(model, {"x": x, "y": [y[:, None], (y[:, None] > 0).astype("float32")]})


@faulty("outputs", "tensorflow/tensorflow issue 34713, the second of three heads is not trained", {"middle": "mse"})
def middle_head_without_loss(middle=None):
    x, y = data.diabetes()
    columns = keras.Input((10,))
    hidden = layers.Dense(16, activation="relu")(columns)
    model = keras.Model(columns, {name: layers.Dense(1, name=name)(hidden) for name in ("low", "middle", "high")})
    model.compile("adam", {"low": "mse", "middle": middle, "high": "mse"})
    return Setup(model, {"x": x, "y": {name: y[:, None] for name in ("low", "middle", "high")}})


@faulty(
    "metrics",
    "keras-team/keras issue 2522, accuracy of ten classes by a threshold: 0.9 from the start",
    {"metric": "accuracy"},
)
def threshold_for_ten_classes(metric="binary_accuracy"):
    x, y = data.digits()
    model = stack((8, 8, 1), layers.Flatten(), layers.Dense(10, activation="softmax"))
    model.compile("adam", "categorical_crossentropy", metrics=[metric])
    return Setup(model, {"x": x, "y": data.one_hot(y, 10)})


@faulty(
    "metrics",
    "keras.metrics.F1Score documentation, threshold=None takes the largest output: of one unit always 1",
    {"threshold": 0.5},
)
def largest_of_one_output(threshold=None):
    x, y = data.table("breast_cancer")
    model = stack((30,), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.F1Score(threshold=threshold)])
    return Setup(model, {"x": x, "y": y[:, None].astype("float32")})


@faulty("metrics", "keras-team/keras issue 10863, ModelCheckpoint keeps the wrong epoch", {"mode": "max"})
def checkpoint_of_the_worst(mode="min"):
    x, y = data.table("wine", 170)
    model = stack((13,), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    keep = keras.callbacks.ModelCheckpoint(
        "best.weights.h5", "val_accuracy", save_best_only=True, save_weights_only=True, mode=mode
    )
    return Setup(model, {"x": x, "y": y, "validation_split": 0.2, "callbacks": [keep]})


@faulty(
    "weights",
    "keras-team/keras issue 7394, weights that are not normalised: counts of samples as class_weight",
    {"factor": 1.0},
)
def counts_as_class_weights(factor=200.0):
    x, y = data.rare()
    model = stack((8,), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.SGD(0.05), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y, "class_weight": {0: 0.51 * factor, 1: 16.7 * factor}})


@faulty(
    "data",
    TAXONOMY + "missing preprocessing: a deviation of 0 in the divisor",
    {"floor": 1e-6},
    also=("runs",),
    severity="error",
)
def divided_by_zero(floor=0.0):
    x, y = data.raw("digits")
    with np.errstate(all="ignore"):
        x = ((x - x.mean(0)) / (x.std(0) + floor)).astype("float32")
    model = stack((64,), layers.Dense(32, activation="relu"), layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return Setup(model, {"x": data.Batches(x, y)})


@faulty("data", "Kapoor and Narayanan 2023: the target among the columns of a regression", {"dropped": True})
def target_among_the_columns(dropped=False):
    x, y = data.diabetes()
    columns = x if dropped else np.concatenate([x, y[:, None]], axis=1)
    model = stack((columns.shape[1],), layers.Dense(16, activation="relu"), layers.Dense(1))
    model.compile("adam", "mse")
    return Setup(model, {"x": columns, "y": y})


@faulty(
    "data",
    TAXONOMY + "missing normalisation: one column holds seconds since 1970",
    {"scaled": True},
    also=("gradients", "learning"),
)
def time_stamps_among_columns(scaled=False):
    x, y = data.table("wine", 170)
    stamps = np.linspace(1.5e9, 1.6e9, len(x))
    stamps = (stamps - stamps.mean()) / stamps.std() if scaled else stamps
    x = np.concatenate([x, stamps[:, None]], axis=1).astype("float32")
    model = stack((14,), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y})


@faulty("data", TAXONOMY + "training data: validation on the training data", {"same": False})
def validation_is_training(same=True):
    x, y = data.digits()
    model = stack((8, 8, 1), layers.Flatten(), layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    held_out = (x[:80], y[:80]) if same else (x[180:], y[180:])
    return Setup(model, {"x": x[:180], "y": y[:180], "validation_data": held_out})


@faulty(
    "data", TAXONOMY + "wrong preprocessing: pixels between -1 and 1 scaled once more", {"pixels": True}, also=("learning",)
)
def centred_twice(pixels=False):
    x, y = data.digits(scale=255 / 16)
    x = x if pixels else x / 127.5 - 1
    model = stack((8, 8, 1), layers.Rescaling(1 / 127.5, offset=-1), layers.Conv2D(8, 3, activation="relu"), layers.Flatten())
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return Setup(model, {"x": x.astype("float32"), "y": y})


@faulty("gradients", TAXONOMY + "missing gradient: the encoder is cut off by stop_gradient", {"cut": False}, severity=None)
def encoder_cut_off(cut=True):
    x, _ = data.digits()
    image = keras.Input((8, 8, 1))
    code = layers.Dense(12, activation="relu")(layers.Flatten()(image))
    code = ops.stop_gradient(code) if cut else code
    model = keras.Model(image, layers.Reshape((8, 8, 1))(layers.Dense(64, activation="sigmoid")(code)))
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    return Setup(model, {"x": x, "y": x})


@faulty("gradients", TAXONOMY + "wrong initialisation: saturated units", {"deviation": 0.2}, also=("learning",))
def saturated_units(deviation=15.0):
    x, y = data.table("wine", 170)
    start = keras.initializers.RandomNormal(stddev=deviation, seed=1)
    hidden = [layers.Dense(16, activation="tanh", kernel_initializer=start) for _ in range(3)]
    model = stack((13,), *hidden, layers.Dense(3, activation="softmax"))
    model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y})


@faulty("gradients", "NeuraLint's rule on missing activations, of convolutions", {"activation": "relu"}, also=("learning",))
def convolutions_without_activation(activation=None):
    x, y = data.digits()
    parts = [layers.Conv2D(8, 3, activation=activation), layers.Conv2D(8, 3, activation=activation), layers.Flatten()]
    model = stack((8, 8, 1), *parts, layers.Dense(24, activation=activation), layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y})


@faulty("gradients", "mvschamanth 2022, zero weights before relu", {"initializer": "he_normal"}, also=("learning",))
def zero_weights(initializer="zeros"):
    x, y = data.digits()
    hidden = [layers.Dense(24, activation="relu", kernel_initializer=initializer) for _ in range(2)]
    model = stack((8, 8, 1), layers.Flatten(), *hidden, layers.Dense(10, "softmax", kernel_initializer=initializer))
    model.compile("adam", "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y})


@faulty("learning", "rstudio-conf-2020/dl-keras-tf issue 9, a rate of RMSprop in the units of SGD", {"rate": 5e-3})
def high_rate_of_rmsprop(rate=1.0):
    x, y = data.diabetes()
    model = stack((10,), layers.Dense(32, activation="relu"), layers.Dense(16, activation="relu"), layers.Dense(1))
    model.compile(keras.optimizers.RMSprop(rate), "mse")
    return Setup(model, {"x": x, "y": y})


@faulty("learning", "keras-team/keras issue 2711, a rate of Adam that is too small", {"rate": 1e-2})
def low_rate_of_adam(rate=1e-8):
    x, y = data.corners()
    model = stack((8, 8, 1), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(1))
    model.compile(keras.optimizers.Adam(rate), keras.losses.BinaryCrossentropy(from_logits=True))
    return Setup(model, {"x": data.native(x, y[:, None].astype("float32"))})


@faulty("learning", TAXONOMY + "regularisation: weight decay of 20", {"decay": 1e-4}, also=("gradients",))
def decay_above_the_rate(decay=20.0):
    x, y = data.digits()
    model = stack((8, 8, 1), layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.AdamW(2e-2, weight_decay=decay), "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y})


@faulty("learning", TAXONOMY + "a normalisation over one feature gives a constant", {"units": 12}, also=("gradients",))
def one_feature_normalised(units=1):
    x, y = data.table("breast_cancer")
    model = stack((30,), layers.Dense(units), layers.LayerNormalization(), layers.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y})


@faulty("learning", TAXONOMY + "loss function: divided by a number that is too large", {"factor": 1.0})
def loss_divided_away(factor=1e-9):
    x, y = data.diabetes()

    def scaled(y_true, y_pred):
        return factor * ops.mean(ops.square(y_true - y_pred), axis=-1)

    model = stack((10,), layers.Dense(24, activation="relu"), layers.Dense(1))
    model.compile(keras.optimizers.SGD(0.05), scaled)
    return Setup(model, {"x": x, "y": y[:, None]})


@faulty("learning", TAXONOMY + "penalty on activations that rules the loss", {"weight": 1e-6})
def penalty_on_activations(weight=10.0):
    x, y = data.digits()
    hidden = layers.Dense(32, activation="relu", activity_regularizer=keras.regularizers.L1(weight))
    model = stack((8, 8, 1), layers.Flatten(), hidden, layers.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y})
