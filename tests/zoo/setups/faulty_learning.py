"""Set-ups whose steps lead nowhere: rates, penalties, normalisation and dropout in the wrong place."""

import keras
import numpy as np
from keras import layers

from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, faulty

THEME = "learning"


@faulty(THEME, "keras-team/keras issue 3040, a line of one weight goes to NaN", {"rate": 1e-5}, also=("data",))
def line_with_a_high_rate(rate=1e-3):
    x = np.arange(200, dtype="float32")[:, None]
    model = keras.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mean_squared_error")
    return Setup(model, {"x": x, "y": 2 * x, "batch_size": 1})


@faulty(THEME, "tensorflow/tensorflow issue 38796, a high rate gives NaN or inf", {"rate": 0.01})
def high_rate_of_adam(rate=5.0):
    x, y = data.digits()
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Flatten()])
    model.add(layers.Dense(32, activation="relu"))
    model.add(layers.Dense(16, activation="relu"))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y, "epochs": 2})


@faulty(THEME, "keras-team/keras issue 2711, comments of 2019: the rate was too small", {"rate": 0.1})
def low_rate(rate=1e-7):
    x, y = data.table("breast_cancer")
    model = keras.Sequential([layers.Input((30,)), layers.Dense(16, activation="relu"), layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y, "epochs": 5})


@faulty(THEME, "Schoop et al. 2021 (UMLAUT), learning rate out of its range, here by a schedule", {"steps": 2000})
def schedule_ends_at_once(steps=1):
    x, y = data.table("wine", 170)
    model = keras.Sequential([layers.Input((13,)), layers.Dense(24, activation="relu"), layers.Dense(3, "softmax")])
    rate = keras.optimizers.schedules.ExponentialDecay(1e-2, decay_steps=steps, decay_rate=0.1)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y, "batch_size": 10, "epochs": 3})


@faulty(THEME, "Schoop et al. 2021 (UMLAUT), unit of the learning rate: gradients clipped to 1e-6", {"clip": 1.0})
def clipped_to_nothing(clip=1e-6):
    x, y = data.diabetes()
    columns = keras.Input((10,))
    model = keras.Model(columns, layers.Dense(1)(layers.Dense(24, activation="relu")(columns)))
    model.compile(keras.optimizers.SGD(0.05, clipnorm=clip), "mse")
    return Setup(model, {"x": x, "y": y[:, None]})


@faulty(
    THEME,
    "keras-team/keras issue 5992, the same output for all samples: Dropout(0.5) behind the softmax",
    {"behind": False},
    also=("output_and_loss",),
)
def dropout_behind_the_output(behind=True):
    x, y = data.table("iris", 150)
    columns = keras.Input((4,))
    out = layers.Dense(3, activation="softmax")(layers.Dense(14, activation="relu")(columns))
    model = keras.Model(columns, layers.Dropout(0.5)(out) if behind else out)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": data.one_hot(y, 3)})


@faulty(THEME, "Schoop et al. 2021 (UMLAUT), dropout rate: what is kept taken for what is dropped", {"rate": 0.05})
def dropout_of_nearly_everything(rate=0.97):
    x, y = data.digits()
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(32, activation="relu")])
    model.add(layers.Dropout(rate))
    model.add(layers.Dense(32, activation="relu"))
    model.add(layers.Dropout(rate))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y, "epochs": 2})


@faulty(THEME, "Stack Overflow, Keras L2 regularization makes the network not learn", {"weight": 1e-5})
def penalty_above_the_loss(weight=1.0):
    x, y = data.digits()
    penalty = keras.regularizers.L2(weight)
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Flatten()])
    model.add(layers.Dense(36, activation="sigmoid", kernel_regularizer=penalty))
    model.add(layers.Dense(10, activation="softmax", kernel_regularizer=penalty))
    model.compile(keras.optimizers.RMSprop(), keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y, "batch_size": 128, "epochs": 3})


@faulty(
    THEME,
    "d2l-ai/d2l-en issue 1722 and ludwig-ai/ludwig pull 1863, batch normalisation of batches of one sample",
    {"batch_size": 30},
    also=("gradients",),
)
def normalised_batches_of_one(batch_size=1):
    x, y = data.table("wine", 60)
    model = keras.Sequential([layers.Input((13,)), layers.Dense(16), layers.BatchNormalization(), layers.ReLU()])
    model.add(layers.Dense(3, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y, "batch_size": batch_size})


@faulty(
    THEME,
    "keras-team/keras issue 2711, a batch normalisation that averages nothing: evaluation differs from training",
    {"momentum": 0.9},
    also=("gradients",),
)
def averages_that_never_move(momentum=1.0):
    x, y = data.raw("breast_cancer")
    model = keras.Sequential([layers.Input((30,)), layers.BatchNormalization(momentum=momentum)])
    model.add(layers.Dense(16, activation="relu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x[:180], "y": y[:180], "validation_data": (x[180:], y[180:]), "epochs": 5})


@faulty(
    THEME,
    "keras-team/keras issue 6447, the same prediction for every input: integer division made all pixels 0",
    {"divide": np.true_divide},
    also=("data", "gradients"),
)
def every_input_alike(divide=np.floor_divide):
    x, y = data.digits(scale=15)
    x = divide(x.astype("uint8"), np.uint8(255)).astype("float32")
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten()])
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y})


@faulty(
    THEME,
    "Karpathy 2019, a recipe for training neural networks, verify the loss at the start: a head with wide weights",
    {"deviation": 0.05},
    also=("gradients",),
)
def far_from_a_constant_at_the_start(deviation=20.0):
    x, y = data.table("digits")
    head = layers.Dense(10, kernel_initializer=keras.initializers.RandomNormal(stddev=deviation, seed=0))
    model = keras.Sequential([layers.Input((64,)), layers.Dense(32, activation="relu"), head])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return Setup(model, {"x": x, "y": y})
