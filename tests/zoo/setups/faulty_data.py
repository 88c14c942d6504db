"""Data that cannot be learned from, or that flatter: missing values, scale, order, leaks, displaced masks."""

import keras
import numpy as np
from keras import layers

from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, faulty

THEME = "data"


def classify(columns, classes=1, optimizer="adam", metrics=("accuracy",), loss=None):
    """One hidden layer and one or several classes, compiled."""
    head = layers.Dense(classes, activation="sigmoid" if classes == 1 else "softmax")
    model = keras.Sequential([layers.Input((columns,)), layers.Dense(16, activation="relu"), head])
    loss = loss or ("binary_crossentropy" if classes == 1 else "sparse_categorical_crossentropy")
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


@faulty(
    THEME,
    "danielegrattarola/keras-gat issue 14, and keras-team/keras issue 6447: NaN among the columns",
    {"fill": 0.0},
    also=("runs",),
    severity="error",
)
def missing_values(fill=np.nan):
    x, y = data.table("breast_cancer")
    x[np.random.default_rng(0).random(x.shape) < 0.02] = fill
    return Setup(classify(30), {"x": x, "y": y})


@faulty(
    THEME,
    "ratschlab/DeepSpot issue 9, NaN from empty spots: a logarithm of columns that hold 0",
    {"floor": 1.0},
    severity="error",
)
def logarithm_of_zero(floor=0.0):
    x, y = data.raw("digits")
    with np.errstate(divide="ignore"):
        x = np.log(x + floor)
    model = keras.Sequential([layers.Dense(32, activation="relu"), layers.Dense(10)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return Setup(model, {"x": data.native(x.astype("float32"), y.astype("int32"))})


@faulty(
    THEME,
    "keras-team/keras issue 2134, NaN loss for regression: targets that are missing",
    {"dropped": True},
    also=("labels",),
    severity="error",
)
def missing_targets(dropped=False):
    x, y = data.diabetes()
    y[::37] = np.nan
    keep = ~np.isnan(y) if dropped else slice(None)
    return Setup(classify(10, optimizer="rmsprop", metrics=("mae",), loss="mse"), {"x": x[keep], "y": abs(y[keep]) / 4})


@faulty(
    THEME,
    "keras-team/keras issue 2711, the loss does not change until the input is scaled: pixels of 0 to 255",
    {"scale": 1 / 16},
    also=("learning", "gradients"),
)
def pixels_to_255(scale=255 / 16):
    x, y = data.digits(scale=scale)
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten()])
    model.add(layers.Dense(32, activation="sigmoid"))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y})


@faulty(
    THEME,
    "AI Stack Exchange 16557, four hidden layers do not learn: columns from 0.001 to 2500 side by side",
    {"scaled": True},
    also=("learning", "gradients"),
)
def columns_in_their_own_units(scaled=False):
    x, y = (data.table if scaled else data.raw)("breast_cancer")
    model = keras.Sequential([layers.Input((30,)), layers.Dense(32, activation="tanh"), layers.Dense(16, activation="tanh")])
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.SGD(0.05), "binary_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y, "epochs": 3})


@faulty(
    THEME,
    "tensorflow/tensorflow issue 48412 and keras-team/keras-io issue 1549, a model that scales pixels gets scaled ones",
    {"pixels": True},
    also=("learning",),
)
def scaled_twice(pixels=False):
    x, y = data.digits(scale=255 / 16 if pixels else 1 / 16)
    image = keras.Input((8, 8, 1))
    hidden = layers.Conv2D(8, 3, activation="relu")(layers.Rescaling(1 / 255)(image))
    model = keras.Model(image, layers.Dense(10, activation="softmax")(layers.Flatten()(hidden)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y})


@faulty(
    THEME,
    "rstudio-conf-2020/dl-keras-tf issue 9, NaN: sale prices up to 755000 in a squared error",
    {"scale": 1e-5},
    also=("learning", "labels"),
)
def prices_in_dollars(scale=1.0):
    x, y = data.table("diabetes")
    model = keras.Sequential([layers.Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mean_squared_error", metrics=["mae"])
    return Setup(model, {"x": x, "y": (2000.0 * y * scale).astype("float32"), "batch_size": 16, "epochs": 3})


@faulty(
    THEME,
    "Kapoor and Narayanan 2023, leakage and the reproducibility crisis: a column that is a proxy of the label",
    {"dropped": True},
)
def column_that_is_the_label(dropped=False):
    x, y = data.table("breast_cancer")
    if not dropped:
        x = np.concatenate([x, (2.0 * y - 1)[:, None]], axis=1).astype("float32")
    return Setup(classify(x.shape[1]), {"x": x, "y": y, "validation_split": 0.25})


@faulty(
    THEME,
    "Data Science Stack Exchange 19283, an MLP learns only the bias of unbalanced classes; accuracy is all it shows",
    {"metric": "auc", "weighted": True},
    also=("metrics",),
)
def accuracy_of_a_seldom_class(metric="accuracy", weighted=False):
    x, y = data.rare()
    model = classify(8, metrics=[keras.metrics.AUC()] if metric == "auc" else [metric])
    return Setup(model, {"x": x, "y": y} | ({"class_weight": {0: 0.5, 1: 16.0}} if weighted else {}))


@faulty(
    THEME,
    "keras-team/keras issue 15846, a model does not learn when batches hold one class each: sorted and not shuffled",
    {"shuffle": True},
)
def sorted_and_not_shuffled(shuffle=False):
    x, y = data.table("digits")
    order = np.argsort(y, kind="stable")
    return Setup(classify(64, 10), {"x": x[order], "y": y[order], "shuffle": shuffle, "batch_size": 20})


@faulty(
    THEME,
    "keras-team/keras issues 8346 and 4298, validation accuracy 0.0: the last fifth is one class",
    {"mixed": True},
)
def last_part_is_one_class(mixed=False):
    x, y = data.table("wine", 178)
    order = np.random.default_rng(0).permutation(len(y)) if mixed else np.argsort(y, kind="stable")
    return Setup(classify(13, 3), {"x": x[order], "y": y[order], "validation_split": 0.2, "epochs": 5})


@faulty(
    THEME,
    "Abhishek and Abdelaziz, Machine Learning for Imbalanced Data, chapter 2: oversampling before the split",
    {"before": False},
)
def copies_on_both_sides(before=True):
    x, y = data.rare(share=0.1)
    metrics = [keras.metrics.AUC(), keras.metrics.Recall()]

    def oversampled(x, y):
        again = np.concatenate([np.arange(len(y)), np.repeat(np.flatnonzero(y), 8)])
        again = np.random.default_rng(0).permutation(again)
        return x[again], y[again]

    if before:
        x, y = oversampled(x, y)
    train, held_out = (x[:-150], y[:-150]), (x[-150:], y[-150:])
    if not before:
        train = oversampled(*train)
    return Setup(classify(8, metrics=metrics), {"x": train[0], "y": train[1], "validation_data": held_out})


@faulty(
    THEME,
    "Brownlee 2019, data scaling: one scaler for training, none for validation",
    {"scaled": True},
)
def validation_of_another_scale(scaled=False):
    x, y = data.digits()
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(32, activation="relu")])
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    factor = 1 if scaled else 16
    return Setup(model, {"x": x[:180], "y": y[:180], "validation_data": (x[180:] * factor, y[180:])})


class FlippedTiles(data.Batches):
    """Batches of images that are flipped by chance; the masks are flipped along, or by chances of their own."""

    def __init__(self, x, y, together):
        super().__init__(x, y, 16)
        self.together = together

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        random = np.random.default_rng(index)
        turned = random.random((2, len(x), 1, 1, 1)) < 0.5
        return np.where(turned[0], x[:, :, ::-1], x), np.where(turned[0 if self.together else 1], y[:, :, ::-1], y)


@faulty(
    THEME,
    "keras-team/keras issue 12075 and wassname/pipe-segmentation issue 1, images and masks by two generators",
    {"together": True},
)
def masks_flipped_apart(together=False):
    x, y = data.disks(128)
    model = keras.Sequential([layers.Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(1, 1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    return Setup(model, {"x": FlippedTiles(x, y, together)})
