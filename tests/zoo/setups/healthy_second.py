"""A second handful of healthy set-ups, written after the checks and asked before one was changed for them."""

import keras
import numpy as np
from keras import layers, ops

import kerasmith
from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, healthy


def stack(shape, *parts):
    """A Sequential model of these layers."""
    return keras.Sequential([layers.Input(shape), *parts])


@healthy
def squared_error_of_probabilities():
    x, y = data.table("breast_cancer")
    model = stack((30,), layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), "mse", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y.astype("float32")})


@healthy
def truth_values_as_labels():
    x, y = data.table("breast_cancer")
    model = stack((30,), layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y.astype(bool)})


@healthy
def critic_without_bounds():
    real, _ = data.moons()
    made = np.random.default_rng(0).normal(size=real.shape).astype("float32")
    y = np.repeat([-1.0, 1.0], len(real)).astype("float32")[:, None]

    def wasserstein(y_true, y_pred):
        return ops.mean(y_true * y_pred, axis=-1)

    limit = keras.constraints.MaxNorm(1.0)
    model = stack(
        (2,), layers.Dense(16, activation="leaky_relu", kernel_constraint=limit), layers.Dense(1, kernel_constraint=limit)
    )
    model.compile(keras.optimizers.RMSprop(5e-3), wasserstein)
    return Setup(model, {"x": np.concatenate([real, made]), "y": y})


@healthy
def policy_with_advantages():
    random = np.random.default_rng(0)
    x, action = random.normal(size=(200, 4)).astype("float32"), random.integers(0, 3, 200)
    advantage = np.where((x[:, 0] > 0) == (action == 0), 1.0, -0.5).astype("float32")
    model = stack((4,), layers.Dense(16, activation="tanh"), layers.Dense(3, activation="softmax"))
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": action, "sample_weight": advantage})


@healthy
def order_of_pairs():
    x, y = data.diabetes()
    other = np.random.default_rng(0).permutation(len(x))
    score = stack((10,), layers.Dense(16, activation="relu"), layers.Dense(1))
    first, second = keras.Input((10,)), keras.Input((10,))
    model = keras.Model([first, second], layers.Subtract()([score(first), score(second)]))
    model.compile(
        "adam", keras.losses.BinaryCrossentropy(from_logits=True), metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)]
    )
    return Setup(model, {"x": [x, x[other]], "y": (y > y[other])[:, None].astype("float32")})


@healthy
def waves_as_activations():
    x = np.linspace(-1, 1, 200, dtype="float32")[:, None]
    model = stack((1,), layers.Dense(32, activation=lambda z: ops.sin(10 * z)), layers.Dense(1))
    model.compile(keras.optimizers.Adam(5e-3), "mse")
    return Setup(model, {"x": x, "y": np.sin(9 * x)})


@healthy
def vectors_of_words_kept_fixed():
    x, y = data.sentences()
    table = np.random.default_rng(0).normal(size=(40, 12))
    words = layers.Embedding(40, 12, embeddings_initializer=keras.initializers.Constant(table), trainable=False)
    model = stack(
        (12,), words, layers.GlobalAveragePooling1D(), layers.Dense(16, activation="relu"), layers.Dense(1, "sigmoid")
    )
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y})


@healthy
def two_units_for_two_classes():
    x, y = data.corners()
    model = stack((8, 8, 1), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(2), layers.Softmax())
    metrics = ["accuracy", keras.metrics.AUC(), keras.metrics.F1Score(average="macro")]
    model.compile(keras.optimizers.Adam(5e-3), "categorical_crossentropy", metrics=metrics)
    return Setup(model, {"x": x, "y": data.one_hot(y, 2)})


@healthy
def volumes():
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 48)
    x = (random.random((48, 6, 6, 6, 1)) * (0.4 + 0.6 * y[:, None, None, None, None])).astype("float32")
    model = stack(
        (6, 6, 6, 1), layers.Conv3D(4, 3, activation="relu"), layers.GlobalAveragePooling3D(), layers.Dense(1, "sigmoid")
    )
    model.compile(keras.optimizers.Adam(2e-2), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y, "batch_size": 8})


@healthy
def eight_samples_in_one_batch():
    x, y = data.table("iris", 8)
    model = stack((4,), layers.Dense(12, activation="relu"), layers.Dense(3, activation="softmax"))
    model.compile(keras.optimizers.Adam(2e-2), "sparse_categorical_crossentropy")
    return Setup(model, {"x": x, "y": y, "batch_size": 256})


@healthy
def labels_by_lot_to_overfit():
    x, y = data.digits(64)
    y = np.random.default_rng(3).permutation(y)
    model = stack((8, 8, 1), layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return Setup(model, {"x": x, "y": y, "epochs": 8})


@healthy
def next_value_is_nearly_the_last():
    walk = np.cumsum(np.random.default_rng(0).normal(size=(260, 1)), axis=0)
    walk = ((walk - walk.mean()) / walk.std()).astype("float32")
    x = np.stack([walk[start : start + 8] for start in range(250)])
    model = stack((8, 1), layers.GRU(8), layers.Dense(1))
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    return Setup(model, {"x": x, "y": walk[8:258], "validation_split": 0.2, "shuffle": False})


@healthy
def mixture_of_two():
    x, y = data.counts()

    def mixture(y_true, parameters):
        weight, first, second = parameters[:, :1], parameters[:, 1:2], parameters[:, 2:3]
        likely = ops.sigmoid(weight) * ops.exp(-0.5 * ops.square(y_true - first))
        likely = likely + (1 - ops.sigmoid(weight)) * ops.exp(-0.5 * ops.square(y_true - second))
        return -ops.log(likely[:, 0] + 1e-6)

    model = stack((4,), layers.Dense(24, activation="relu"), layers.Dense(3))
    model.compile(keras.optimizers.Adam(1e-2), mixture)
    return Setup(model, {"x": x, "y": np.log1p(y)})


@healthy
def large_targets_scaled_inside():
    x, y = data.table("diabetes")
    model = stack((10,), layers.Dense(24, activation="relu"), layers.Dense(1), layers.Rescaling(77.0, offset=152.0))
    model.compile(keras.optimizers.Adam(1e-2), "mae", metrics=["mape"])
    return Setup(model, {"x": x, "y": y.astype("float32")})


@healthy
def class_token_of_a_transformer():
    x, y = data.sentences()
    words = keras.Input((12,), dtype="int32")
    hidden = layers.Embedding(40, 16, mask_zero=True)(words)
    hidden = layers.LayerNormalization()(hidden + layers.MultiHeadAttention(2, 8, dropout=0.1)(hidden, hidden))
    model = keras.Model(words, layers.Dense(2)(layers.GlobalMaxPooling1D()(hidden)))
    model.compile(
        keras.optimizers.AdamW(5e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    return Setup(model, {"x": x, "y": y, "validation_split": 0.1})


@healthy
def padded_steps_of_weight_zero():
    x, y = data.waves()
    target = np.concatenate([x[:, 1:, 0], y], axis=1)
    known = np.arange(16)[None, :] < np.random.default_rng(0).integers(8, 17, (len(x), 1))
    target = np.where(known, target, 0.0).astype("float32")
    model = stack((16, 1), layers.GRU(8, return_sequences=True), layers.Dense(1))
    model.compile(keras.optimizers.Adam(1e-2), "mse", weighted_metrics=["mae"])
    return Setup(model, {"x": x, "y": target[..., None], "sample_weight": known.astype("float32")})


@healthy
def views_of_the_same_image():
    x, _ = data.digits(120)
    random = np.random.default_rng(0)
    views = np.concatenate([x + 0.1 * random.normal(size=x.shape), x + 0.1 * random.normal(size=x.shape)])
    order = np.argsort(np.tile(np.arange(120), 2), kind="stable")
    model = stack((8, 8, 1), layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(16))
    model.compile("adam", kerasmith.losses.NTXent(temperature=0.5))
    fit = {"x": views[order].astype("float32"), "y": np.repeat(np.arange(120), 2), "batch_size": 40, "shuffle": False}
    return Setup(model, fit)


@healthy
def logarithm_of_a_count():
    x, y = data.counts()
    model = stack((4,), layers.Dense(16, activation="relu"), layers.Dense(1, activation="relu", bias_initializer="ones"))
    model.compile(keras.optimizers.Adam(1e-2), "mean_squared_logarithmic_error")
    return Setup(model, {"x": x, "y": y})


@healthy
def strong_dropout_and_normalisation():
    x, y = data.digits()
    parts = [layers.Dense(96), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.5)]
    model = stack((8, 8, 1), layers.Flatten(), *parts, layers.Dense(10, activation="softmax", kernel_regularizer="l2"))
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y, "validation_split": 0.2})


@healthy
def residual_blocks_that_start_at_zero():
    x, y = data.table("digits")
    columns = keras.Input((64,))
    hidden = layers.Dense(32)(columns)
    for _ in range(3):
        step = layers.Dense(32, activation="gelu")(layers.LayerNormalization()(hidden))
        hidden = hidden + layers.Dense(32, kernel_initializer="zeros")(step)
    model = keras.Model(columns, layers.Dense(10, kernel_initializer="zeros")(hidden))
    model.compile(keras.optimizers.Adam(5e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return Setup(model, {"x": x, "y": y})


@healthy
def sparse_tags():
    random = np.random.default_rng(0)
    x = random.normal(size=(240, 20)).astype("float32")
    y = (x > 2.0).astype("float32")
    model = stack(
        (20,), layers.Dense(40, activation="relu"), layers.Dense(20, bias_initializer=keras.initializers.Constant(-3.5))
    )
    model.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.AUC(from_logits=True)],
    )
    return Setup(model, {"x": x, "y": y})
