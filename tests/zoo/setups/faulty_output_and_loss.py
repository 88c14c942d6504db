"""The output is not what the loss reads."""

import keras
import numpy as np
from keras import layers, ops

import kerasmith
from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, faulty

THEME = "output_and_loss"


@faulty(
    THEME,
    "Stack Overflow 65258468, accuracy stays at 0.50 until softmax becomes sigmoid",
    {"head": "sigmoid"},
    severity="error",
)
def softmax_over_one_unit(head="softmax"):
    x, y = data.corners()
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D()])
    model.add(layers.Flatten())
    model.add(layers.Dense(16, activation="relu"))
    model.add(layers.Dense(1, activation=head))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y, "validation_split": 0.2})


@faulty(
    THEME,
    "Stack Overflow, why does a binary Keras CNN always predict 1 (a Conv1D of market bars)",
    {"head": "sigmoid"},
    severity="error",
)
def softmax_layer_over_one_unit(head="softmax"):
    x, y = data.waves()
    bars = keras.Input((16, 1))
    hidden = layers.LeakyReLU()(layers.BatchNormalization()(layers.Conv1D(8, 4, padding="same")(bars)))
    score = layers.Dense(1)(layers.Flatten()(hidden))
    model = keras.Model(bars, layers.Activation(head)(score))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.BinaryCrossentropy(), metrics=["accuracy"])
    return Setup(model, {"x": x, "y": (y > x[:, -1]).astype("float32"), "batch_size": 50})


@faulty(
    THEME,
    "keras-team/keras issue 17029, categorical_crossentropy for two classes in one unit: the loss is 0 from the start",
    {"loss": "binary_crossentropy"},
    severity="error",
)
def categorical_loss_over_one_unit(loss="categorical_crossentropy"):
    x, y = data.table("breast_cancer")
    model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")])
    model.compile("rmsprop", loss, metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y.astype("float32")[:, None], "epochs": 3})


@faulty(
    THEME,
    "keras-team/keras issue 4744, a sigmoid forgotten before binary_crossentropy, days of training",
    {"head": "sigmoid"},
    severity="error",
)
def no_sigmoid(head=None):
    x, y = data.table("breast_cancer")
    columns = keras.Input((30,), name="columns")
    out = layers.Dense(1, activation=head, name="malignant")(layers.Dense(16, activation="tanh")(columns))
    model = keras.Model(columns, out)
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y, "batch_size": 16, "epochs": 2})


@faulty(
    THEME,
    "xiph/LPCNet issue 97, logits into sparse_categorical_crossentropy without from_logits",
    {"from_logits": True},
    severity="error",
)
def ids_from_logits(from_logits=False):
    x, y = data.digits()
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Flatten()])
    model.add(layers.Dense(32, activation="relu"))
    model.add(layers.Dense(10))

    def cross_entropy(y_true, y_pred):
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits)

    model.compile(keras.optimizers.Adam(3e-3), cross_entropy)
    return Setup(model, {"x": data.native(x, y)})


@faulty(
    THEME,
    "jeffheaton/t81_558_deep_learning pull 81 and lovedlim/tensorflow issue 2, from_logits=True behind a sigmoid",
    {"from_logits": False},
)
def sigmoid_twice(from_logits=True):
    x, y = data.corners()
    image = keras.Input((8, 8, 1))
    hidden = layers.Conv2D(8, 3, strides=2, activation="leaky_relu")(image)
    real = ops.sigmoid(layers.Dense(1)(layers.Flatten()(hidden)))
    model = keras.Model(image, real)
    model.compile(keras.optimizers.Adam(1e-2, beta_1=0.5), keras.losses.BinaryCrossentropy(from_logits=from_logits))
    return Setup(model, {"x": x, "y": y[:, None]})


class Classifier(keras.Model):
    """Classes of a subclassed model, probabilities or not."""

    def __init__(self, classes, probabilities):
        super().__init__()
        self.hidden, self.out = layers.Dense(32, activation="gelu"), layers.Dense(classes)
        self.probabilities = probabilities

    def call(self, x):
        logits = self.out(self.hidden(x))
        return ops.softmax(logits, axis=-1) if self.probabilities else logits


@faulty(
    THEME,
    "divamgupta/image-segmentation-keras issue 275 and keras-team/keras issue 15271, softmax twice",
    {"probabilities": False},
)
def softmax_twice(probabilities=True):
    x, y = data.table("wine", 170)
    model = Classifier(3, probabilities)
    model.compile(
        "adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["sparse_categorical_accuracy"]
    )
    return Setup(model, {"x": x, "y": y})


@faulty(
    THEME,
    "keras-team/keras issue 12096, a small CNN does not learn at all: relu before cross-entropy",
    {"head": "softmax"},
    severity="error",
)
def relu_before_cross_entropy(head="relu"):
    x, y = data.corners()
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(12, 3, activation="relu"), layers.MaxPooling2D(3, 2)])
    model.add(layers.Flatten())
    model.add(layers.Dense(2, activation=head))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": data.one_hot(y, 2), "epochs": 5})


@faulty(THEME, "keras-team/keras issue 6421, sigmoid units and categorical_crossentropy", {"head": "softmax"})
def sigmoids_of_exclusive_classes(head="sigmoid"):
    x, y = data.table("iris", 150)
    model = keras.Sequential(
        [layers.Input((4,)), layers.Dense(20, activation="relu"), layers.Dense(3), layers.Activation(head)]
    )
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.CategoricalCrossentropy(), metrics=["categorical_accuracy"])
    return Setup(model, {"x": x, "y": data.one_hot(y, 3), "batch_size": 10})


@faulty(
    THEME,
    "AyanKumarBhunia/Deep-One-Shot-Logo-Retrieval issue 7, softmax over pixels of one channel with binary cross-entropy",
    {"head": "sigmoid"},
    severity="error",
)
def softmax_of_a_mask(head="softmax"):
    x, y = data.disks()
    image = keras.Input((16, 16, 1))
    hidden = layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    model = keras.Model(image, layers.Conv2D(1, 1, activation=head)(hidden))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y, "batch_size": 8})


@faulty(
    THEME,
    "Humbatova et al. 2020, taxonomy of real faults, wrong loss function: binary cross-entropy for classes of a softmax",
    {"loss": "categorical_crossentropy"},
)
def binary_loss_of_a_softmax(loss="binary_crossentropy"):
    x, y = data.digits()
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(32, activation="relu")])
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", loss, metrics=["accuracy"])
    return Setup(model, {"x": x, "y": data.one_hot(y, 10)})


@faulty(
    THEME,
    "keras-team/keras-io issue 648, a linear last layer of DeepLab with losses of probabilities",
    {"from_logits": True},
    severity="error",
)
def overlap_of_logits(from_logits=False):
    x, y = data.disks()
    model = keras.Sequential(
        [layers.Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu"), layers.Conv2D(1, 1)]
    )
    model.compile(keras.optimizers.Adam(1e-2), kerasmith.losses.Dice(from_logits=from_logits))
    return Setup(model, {"x": data.Batches(x, y, 16)})


@faulty(
    THEME,
    "zzh8829/yolov3-tf2 issue 91, binary cross-entropy by hand of raw outputs: NaN, then negative values",
    {"head": "sigmoid"},
    severity="error",
)
def own_entropy_of_raw_outputs(head="linear"):
    x, y = data.table("breast_cancer")

    def entropy(y_true, y_pred):
        y_true = ops.cast(y_true, y_pred.dtype)
        inside = y_true * ops.log(y_pred + 1e-7) + (1 - y_true) * ops.log(1 - y_pred + 1e-7)
        return -ops.mean(inside, axis=-1)

    model = keras.Sequential([layers.Input((30,)), layers.Dense(8, activation="relu"), layers.Dense(1, activation=head)])
    model.compile("adam", entropy)
    return Setup(model, {"x": x, "y": y.astype("float32").reshape(-1, 1), "batch_size": 20})


@faulty(
    THEME,
    "Nikanjam et al. 2021 (NeuraLint), rule on the last layer's activation: tanh of a binary classifier",
    {"head": "sigmoid"},
    severity="error",
)
def tanh_before_cross_entropy(head="tanh"):
    x, y = data.sentences()
    model = keras.Sequential([layers.Input((12,), dtype="int32"), layers.Embedding(40, 8), layers.GlobalAveragePooling1D()])
    model.add(layers.Dense(1, activation=head))
    model.compile(keras.optimizers.RMSprop(1e-2), "bce", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": np.asarray(y, "float32"), "epochs": 4})
