"""Metrics that say something else, or nothing, and callbacks that wait for what never comes."""

import keras
from keras import layers, ops

from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, faulty

THEME = "metrics"


def binary(head="sigmoid"):
    """A small binary classifier of the cancer table, and its data with a validation part."""
    x, y = data.table("breast_cancer")
    y = y.astype("float32")[:, None]
    model = keras.Sequential([layers.Input((30,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation=head)])
    return model, {"x": x[:180], "y": y[:180], "validation_data": (x[180:], y[180:]), "epochs": 3}


@faulty(THEME, "keras-team/keras issue 7947, what does accuracy mean in regression?", {"metric": "mae"})
def accuracy_of_a_regression(metric="accuracy"):
    x, y = data.diabetes()
    model = keras.Sequential([layers.Input((10,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
    model.compile("adam", "mean_squared_error", metrics=[metric])
    return Setup(model, {"x": x, "y": y, "validation_split": 0.2})


@faulty(THEME, "yuanyuanli85/Stacked_Hourglass_Network_Keras issue 20, accuracy of heat maps", {"metric": "mse"})
def accuracy_of_heat_maps(metric="accuracy"):
    x, y = data.disks()
    model = keras.Sequential([layers.Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(1, 3, padding="same"))
    model.compile("rmsprop", keras.losses.MeanSquaredError(), metrics=[metric])
    heat = layers.AveragePooling2D(3, 1, padding="same")(y)
    return Setup(model, {"x": x, "y": keras.ops.convert_to_numpy(heat), "batch_size": 16})


@faulty(THEME, "keras-team/keras issues 18393 and 18796, Accuracy() is 0.0 in every epoch", {"metric": "binary"})
def accuracy_of_equal_values(metric="equal"):
    model, fit = binary()
    chosen = keras.metrics.Accuracy() if metric == "equal" else keras.metrics.BinaryAccuracy()
    model.compile("adam", "binary_crossentropy", metrics=[chosen])
    return Setup(model, fit)


@faulty(
    THEME,
    "tensorflow/tensorflow issue 41413, the transfer-learning tutorial: accuracy of logits with the threshold 0.5",
    {"threshold": 0.0},
)
def threshold_of_probabilities_for_logits(threshold=0.5):
    model, fit = binary(None)
    metric = keras.metrics.BinaryAccuracy(threshold=threshold)
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), metrics=[metric])
    return Setup(model, fit)


@faulty(
    THEME,
    "tensorflow/tensorflow issues 37103 and 42182, Precision, Recall and AUC do not take logits",
    {"from_logits": False},
)
def precision_of_logits(from_logits=True):
    model, fit = binary(None if from_logits else "sigmoid")
    metrics = [keras.metrics.Precision(), keras.metrics.Recall(), keras.metrics.AUC(from_logits=from_logits)]
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=from_logits), metrics=metrics)
    return Setup(model, fit)


@faulty(THEME, "tensorflow/tensorflow issue 39173, MeanIoU of probabilities", {"threshold": True})
def overlap_of_probabilities_as_ids(threshold=False):
    x, y = data.disks()
    model = keras.Sequential([layers.Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(1, 1, activation="sigmoid"))
    metric = keras.metrics.BinaryIoU([0, 1], threshold=0.5) if threshold else keras.metrics.MeanIoU(num_classes=2)
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy", metrics=[metric])
    return Setup(model, {"x": x, "y": y, "batch_size": 16})


@faulty(THEME, "facebookarchive/C3D issue 242, top 5 of three classes", {"k": 2}, also=("runs",))
def best_five_of_three(k=5):
    x, y = data.table("wine", 170)
    model = keras.Sequential([layers.Input((13,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=[keras.metrics.TopKCategoricalAccuracy(k=k)])
    return Setup(model, {"x": x, "y": data.one_hot(y, 3)})


def f1(y_true, y_pred):
    """F1 by rounding, as it stands in many answers."""
    y_pred = ops.round(y_pred)
    both = ops.sum(ops.cast(y_true, "float32") * y_pred, axis=0)
    precision = both / (ops.sum(y_pred, axis=0) + 1e-7)
    recall = both / (ops.sum(ops.cast(y_true, "float32"), axis=0) + 1e-7)
    return 2 * precision * recall / (precision + recall + 1e-7)


@faulty(
    THEME,
    "keras-team/keras issue 18798, `auto` takes the smallest F1 for the best, or gives up",
    {"mode": "max"},
    also=("runs",),
)
def direction_of_an_own_metric(mode="auto"):
    model, fit = binary()
    model.compile("adam", "binary_crossentropy", metrics=[f1])
    fit["callbacks"] = [keras.callbacks.EarlyStopping("val_f1", mode=mode, patience=2)]
    return Setup(model, fit)


@faulty(THEME, "keras-team/keras issue 15138, the epoch with the lowest AUC is kept", {"mode": "max"})
def least_area_is_kept(mode="min"):
    model, fit = binary()
    model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])
    fit["callbacks"] = [keras.callbacks.EarlyStopping("val_auc", mode=mode, restore_best_weights=True)]
    return Setup(model, fit)


@faulty(THEME, "jessieren/DeepVirFinder issue 12, val_acc is val_accuracy now", {"monitor": "val_accuracy"})
def name_of_an_older_keras(monitor="val_acc"):
    model, fit = binary()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    fit["callbacks"] = [keras.callbacks.EarlyStopping(monitor, mode="max", patience=5)]
    return Setup(model, fit)


@faulty(
    THEME,
    "nayash/stock_cnn_blog_pub issue 3 and ReDASers/PhishBench issue 158, val_loss without validation data",
    {"validation": True},
)
def waits_for_a_validation_loss(validation=False):
    model, fit = binary()
    model.compile("adam", "binary_crossentropy")
    if not validation:
        del fit["validation_data"]
    fit["callbacks"] = [keras.callbacks.ReduceLROnPlateau(patience=3), keras.callbacks.EarlyStopping(patience=5)]
    return Setup(model, fit)
