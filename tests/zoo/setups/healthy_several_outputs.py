"""Several outputs and inputs, dicts and lists, and data that come in other ways than arrays."""

import keras
import numpy as np
from keras import layers

from tests.zoo.setups import data
from tests.zoo.setups.faulty_outputs import TwoHeads, both, targets
from tests.zoo.setups.setup import Setup, healthy


@healthy
def dict_of_losses():
    x, value, sign = targets()
    columns, outputs = both()
    model = keras.Model(columns, outputs)
    metrics = {"value": ["mae"], "sign": ["accuracy"]}
    model.compile(
        "adam", {"value": "mse", "sign": "binary_crossentropy"}, loss_weights={"value": 1.0, "sign": 0.5}, metrics=metrics
    )
    return Setup(model, {"x": x, "y": {"value": value, "sign": sign}})


@healthy
def list_of_losses():
    x, value, sign = targets()
    columns, outputs = both()
    model = keras.Model(columns, [outputs["value"], outputs["sign"]])
    model.compile("adam", ["huber", keras.losses.BinaryCrossentropy()], metrics=[["mae"], ["accuracy"]])
    return Setup(model, {"x": x, "y": [value, sign], "batch_size": 48})


@healthy
def dict_of_a_subclass():
    x, value, sign = targets()
    model = TwoHeads()
    model.compile("adam", {"value": "mae", "sign": "bce"})
    held_out = (x[200:], {"value": value[200:], "sign": sign[200:]})
    return Setup(model, {"x": x[:200], "y": {"value": value[:200], "sign": sign[:200]}, "validation_data": held_out})


@healthy
def one_loss_for_both_heads():
    x, value, _ = targets()
    columns = keras.Input((10,))
    hidden = layers.Dense(16, activation="relu")(columns)
    early = layers.Dense(1, name="early")(hidden)
    late = layers.Dense(1, name="late")(layers.Dense(16, activation="relu")(hidden))
    model = keras.Model(columns, [early, late])
    model.compile(keras.optimizers.Adam(5e-3), "mse")
    return Setup(model, {"x": x, "y": [value, value]})


@healthy
def features_given_out_too():
    x, y = data.table("wine", 170)
    columns = keras.Input((13,))
    features = layers.Dense(8, activation="relu", name="features")(columns)
    model = keras.Model(columns, {"class": layers.Dense(3, "softmax", name="class")(features), "features": features})
    model.compile("adam", {"class": "sparse_categorical_crossentropy"})
    return Setup(model, {"x": x, "y": {"class": y}})


@healthy
def picture_and_columns():
    x, y = data.digits()
    extra = np.stack([x.mean((1, 2, 3)), x.std((1, 2, 3))], axis=1)
    image, columns = keras.Input((8, 8, 1), name="image"), keras.Input((2,), name="columns")
    joined = layers.Concatenate()([layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(image)), columns])
    model = keras.Model({"image": image, "columns": columns}, layers.Dense(10, activation="softmax")(joined))
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    return Setup(model, {"x": {"image": x, "columns": extra}, "y": y})


@healthy
def some_targets_unknown():
    x, value, sign = targets()
    known = (np.arange(len(x)) % 3 > 0).astype("float32")
    columns, outputs = both()
    model = keras.Model(columns, list(outputs.values()))
    model.compile("adam", ["mse", "binary_crossentropy"])
    fit = {"x": x, "y": [value * known[:, None], sign], "sample_weight": [known, np.ones_like(known)]}
    return Setup(model, fit)


@healthy
def last_batch_of_one():
    x, y = data.table("iris", 97)
    model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y, "batch_size": 32})


@healthy
def weights_from_a_data_set():
    x, y = data.rare()
    weight = np.where(y > 0, 10.0, 0.7).astype("float32")

    class Weighted(data.Batches):
        def __getitem__(self, index):
            part = slice(index * 40, (index + 1) * 40)
            return x[part], y[part, None], weight[part]

    model = keras.Sequential([layers.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", weighted_metrics=[keras.metrics.Precision()])
    return Setup(model, {"x": Weighted(x, y, 40)})


@healthy
def half_precision():
    x, y = data.digits()
    half = {"dtype": "mixed_bfloat16"}
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Flatten(**half), layers.Dense(32, activation="relu", **half)])
    model.add(layers.Dense(10, activation="softmax", dtype="float32"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y})


@healthy
def rate_that_warms_up():
    x, y = data.digits()
    rate = keras.optimizers.schedules.CosineDecay(0.0, 100, warmup_target=5e-3, warmup_steps=8)
    model = keras.Sequential(
        [layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(10)]
    )
    model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return Setup(model, {"x": x, "y": y, "batch_size": 16})
