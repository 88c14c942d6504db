"""Labels outside what the loss or the output takes, or of another form than they seem."""

import keras
import numpy as np
from keras import layers, ops

import kerasmith
from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, faulty

THEME = "labels"


def classifier(units, head="softmax"):
    """Iris with one hidden layer."""
    return keras.Sequential([layers.Input((4,)), layers.Dense(16, activation="relu"), layers.Dense(units, activation=head)])


@faulty(
    THEME,
    "qubvel/segmentation_models issue 95, negative loss: masks of 0 and 255 as the files hold them",
    {"white": 1},
    also=("runs",),
    severity="error",
)
def masks_of_255(white=255):
    x, y = data.disks()
    image = keras.Input((16, 16, 1))
    fine = layers.Conv2D(6, 3, padding="same", activation="relu")(image)
    coarse = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.MaxPooling2D()(fine))
    both = layers.Concatenate()([layers.UpSampling2D()(coarse), fine])
    model = keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid")(both))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": (y * white).astype("uint8"), "batch_size": 8, "epochs": 3})


@faulty(
    THEME,
    "jocicmarko/ultrasound-nerve-segmentation issue 3, masks of 0 to 255 in a Dice loss",
    {"white": 1.0},
    also=("runs",),
    severity="error",
)
def overlap_with_masks_of_255(white=255.0):
    x, y = data.disks()
    model = keras.Sequential([layers.Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(1, 1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), kerasmith.losses.Dice())
    return Setup(model, {"x": data.native(x, y * np.float32(white), 16)})


@faulty(THEME, "keras-team/keras issue 1917, the loss becomes negative", {"first": 0}, also=("runs",), severity="error")
def classes_one_and_two(first=1):
    x, y = data.table("breast_cancer")
    columns = keras.Input((30,))
    model = keras.Model(columns, layers.Dense(1, activation="sigmoid")(layers.Dense(8, activation="relu")(columns)))
    model.compile("adam", keras.losses.BinaryCrossentropy())
    return Setup(model, {"x": x, "y": (y + first).astype("float32"), "epochs": 4})


@faulty(
    THEME,
    "Cross Validated 616982 and Data Science 52144, cross-entropy of labels -1 and 1",
    {"lowest": 0},
    severity="error",
)
def classes_minus_one_and_one(lowest=-1):
    x, y = data.moons()
    model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.BinaryCrossentropy(from_logits=True))
    return Setup(model, {"x": x, "y": np.where(y == 0, lowest, 1)[:, None]})


@faulty(
    THEME,
    "rstudio/keras3 issue 465, iris with classes 1, 2 and 3 in three units",
    {"first": 0},
    also=("runs",),
    severity="error",
)
def ids_from_one(first=1):
    x, y = data.table("iris", 150)
    model = classifier(3)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y + first, "batch_size": 15})


@faulty(
    THEME,
    "yyccR/yolov5_in_tf2_keras issue 5, NaN: more class ids than classes",
    {"units": 10},
    also=("runs",),
    severity="error",
)
def more_ids_than_units(units=9):
    x, y = data.digits()
    image = keras.Input((8, 8, 1))
    hidden = layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(image))
    model = keras.Model(image, layers.Softmax()(layers.Dense(units)(hidden)))
    model.compile("nadam", keras.losses.SparseCategoricalCrossentropy())
    return Setup(model, {"x": data.Batches(x, y, 40)})


class RootMeanSquare(keras.losses.Loss):
    """The root of each sample's mean squared error."""

    def call(self, y_true, y_pred):
        return ops.sqrt(ops.mean(ops.square(y_pred - ops.cast(y_true, y_pred.dtype)), axis=-1) + 1e-12)


@faulty(
    THEME,
    "keras-team/keras issue 14627, a target (404,) beside an output (404, 1)",
    {"column": True},
    severity="error",
)
def target_without_its_axis(column=False):
    x, y = data.diabetes()
    model = keras.Sequential([layers.Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.RMSprop(1e-2), RootMeanSquare())
    return Setup(model, {"x": x, "y": y[:, None] if column else y, "batch_size": 10})


@faulty(
    THEME,
    "keras-team/keras issue 7124 and LSTM questions of its kind: every step is given out, the target is one value",
    {"every_step": False},
    also=("runs",),
)
def output_of_every_step(every_step=True):
    x, y = data.waves()
    model = keras.Sequential([layers.Input((16, 1)), layers.LSTM(8, return_sequences=every_step), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    return Setup(model, {"x": x, "y": y, "batch_size": 16})


@faulty(THEME, "tensorflow/tensorflow issue 45813, three units fit one target in silence", {"units": 1})
def more_units_than_targets(units=3):
    x, y = data.diabetes()
    model = keras.Sequential([layers.Input((10,)), layers.Dense(16, activation="relu"), layers.Dense(units)])
    model.compile("adam", keras.losses.MeanAbsoluteError())
    return Setup(model, {"x": x, "y": y[:, None]})


@faulty(THEME, "keras-team/keras issue 2399, a sigmoid for targets between 0 and 1000", {"head": None}, severity="error")
def sigmoid_below_the_target(head="sigmoid"):
    x, y = data.table("diabetes")
    columns = keras.Input((10,))
    model = keras.Model(columns, layers.Dense(1, activation=head)(layers.Dense(32, activation="relu")(columns)))
    model.compile(keras.optimizers.Adam(0.1), "mean_squared_error")
    return Setup(model, {"x": x, "y": y.astype("float32") / 50, "epochs": 4})


@faulty(
    THEME,
    "curiousily/Credit-Card-Fraud-Detection-using-Autoencoders issue 1, relu rebuilds columns with negative values",
    {"head": "linear"},
)
def relu_rebuilds_negative_columns(head="relu"):
    x, _ = data.table("wine", 170)
    code = keras.Sequential([layers.Input((13,)), layers.Dense(8, activation="tanh"), layers.Dense(4, activation="relu")])
    rebuild = keras.Sequential([layers.Input((4,)), layers.Dense(8, activation="tanh"), layers.Dense(13, activation=head)])
    model = keras.Sequential([code, rebuild])
    model.compile("adam", "mean_squared_error", metrics=["mae"])
    return Setup(model, {"x": x, "y": x})


@faulty(THEME, "keras-team/keras issue 108, tanh as last layer: the loss stays at 16771", {"scale": 0.01}, severity="error")
def tanh_below_the_target(scale=1.0):
    x, y = data.table("diabetes")
    model = keras.Sequential([layers.Input((10,)), layers.Dense(16), layers.Activation("tanh"), layers.Dense(1)])
    model.add(layers.Activation("tanh"))
    model.compile("rmsprop", "mse")
    return Setup(model, {"x": x, "y": (y - 152.0).astype("float32") * scale / (2 if scale < 1 else 1)})


@faulty(
    THEME,
    "keras-team/keras issue 11786, seven units and class ids for categorical_crossentropy",
    {"loss": "sparse_categorical_crossentropy"},
    also=("runs",),
)
def ids_for_one_hot(loss="categorical_crossentropy"):
    x, y = data.table("iris", 150)
    model = classifier(3)
    model.compile("adam", loss)
    return Setup(model, {"x": x, "y": y})


@faulty(
    THEME,
    "keras-team/keras issue 6118, the label 255 of pixels that nobody may judge",
    {"void": 255},
    also=("runs",),
    severity="error",
)
def void_pixels(void=None):
    x, y = data.disks()
    edge = np.abs(y - np.roll(y, 1, axis=1)) > 0
    labels = np.where(edge, 255, y).astype("int32")
    model = keras.Sequential([layers.Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(2, 1))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=void))
    return Setup(model, {"x": x, "y": labels, "batch_size": 16})


@faulty(
    THEME,
    "keras-team/keras issue 761, several labels a sample in categorical_crossentropy",
    {"head": "sigmoid", "loss": "binary_crossentropy"},
    also=("output_and_loss",),
)
def several_labels_in_one_distribution(head="softmax", loss="categorical_crossentropy"):
    x, y = data.tags()
    model = keras.Sequential([layers.Input((6,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation=head)])
    model.compile("adam", loss)
    return Setup(model, {"x": x, "y": y})


@faulty(
    THEME,
    "MrGiovanni/ModelsGenesis pull 8, channels first, and softmax over the width of the image",
    {"axis": 1},
    also=("output_and_loss",),
    severity="error",
)
def classes_on_another_axis(axis=-1):
    x, y = data.disks()
    image = keras.Input((16, 16, 1))
    scores = layers.Conv2D(2, 1)(layers.Conv2D(8, 3, padding="same", activation="relu")(image))
    model = keras.Model(image, layers.Softmax(axis=axis)(layers.Permute((3, 1, 2))(scores)))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.CategoricalCrossentropy(axis=1))
    return Setup(model, {"x": x, "y": np.moveaxis(np.concatenate([1 - y, y], -1), -1, 1), "batch_size": 16})
