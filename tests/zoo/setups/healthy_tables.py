"""Tables, trained in ways that look odd and are right."""

import keras
import numpy as np
from keras import layers, ops

import kerasmith
from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, healthy


def network(columns, head, hidden=16):
    """One hidden layer and a head."""
    return keras.Sequential([layers.Input((columns,)), layers.Dense(hidden, activation="relu"), head])


@healthy
def counts_with_a_relu_head():
    x, y = data.counts()
    model = network(4, layers.Dense(1, activation="relu", bias_initializer="ones"))
    model.compile(keras.optimizers.Adam(1e-2), "mse", metrics=["mae"])
    return Setup(model, {"x": x, "y": y})


@healthy
def poisson_of_an_exponential():
    x, y = data.counts()
    model = network(4, layers.Dense(1, activation="exponential"))
    model.compile(keras.optimizers.Adam(1e-2), "poisson")
    return Setup(model, {"x": x, "y": y})


@healthy
def poisson_of_logarithms():
    x, y = data.counts()

    def poisson(y_true, log_rate):
        return ops.mean(ops.exp(log_rate) - y_true * log_rate, axis=-1)

    model = network(4, layers.Dense(1))
    model.compile(keras.optimizers.Adam(1e-2), poisson)
    return Setup(model, {"x": x, "y": y})


@healthy
def three_quantiles():
    x, y = data.diabetes()
    model = network(10, layers.Dense(3))
    model.compile(keras.optimizers.Adam(1e-2), kerasmith.losses.Pinball([0.1, 0.5, 0.9]))
    return Setup(model, {"x": x, "y": y[:, None]})


@healthy
def mean_and_variance():
    x, y = data.diabetes()
    model = network(10, layers.Dense(2))
    model.compile(keras.optimizers.Adam(1e-2), kerasmith.losses.GaussianNLL())
    return Setup(model, {"x": x, "y": y[:, None]})


@healthy
def ordinal_thresholds():
    x, y = data.diabetes()
    grade = np.digitize(y, [-0.8, 0, 0.8])
    above = (grade[:, None] > np.arange(3)).astype("float32")
    model = network(10, layers.Dense(3, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy", metrics=["binary_accuracy"])
    return Setup(model, {"x": x, "y": above})


@healthy
def seldom_class_with_weights():
    x, y = data.rare()
    model = network(8, layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(), keras.metrics.Recall()])
    return Setup(model, {"x": x, "y": y, "class_weight": {0: 0.52, 1: 16.0}})


@healthy
def hinge_of_a_tanh():
    x, y = data.table("breast_cancer")
    model = network(30, layers.Dense(1, activation="tanh"))
    model.compile("adam", "hinge")
    return Setup(model, {"x": x, "y": (2.0 * y - 1)[:, None]})


@healthy
def support_vectors_without_activation():
    x, y = data.table("breast_cancer")
    model = keras.Sequential([layers.Input((30,)), layers.Dense(1, kernel_regularizer=keras.regularizers.L2(1e-3))])
    model.compile(keras.optimizers.SGD(0.05), keras.losses.SquaredHinge())
    return Setup(model, {"x": x, "y": y[:, None]})


@healthy
def squared_error_of_one_hot_rows():
    x, y = data.table("wine", 170)
    model = network(13, layers.Dense(3, activation="softmax"))
    model.compile(keras.optimizers.Adam(1e-2), "mse", metrics=["categorical_accuracy"])
    return Setup(model, {"x": x, "y": data.one_hot(y, 3)})


@healthy
def smoothed_labels():
    x, y = data.table("wine", 170)
    model = network(13, layers.Dense(3))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    model.compile("adam", loss, metrics=["accuracy"])
    return Setup(model, {"x": x, "y": data.one_hot(y, 3)})


@healthy
def soft_labels_of_a_teacher():
    x, y = data.table("iris", 150)
    soft = 0.85 * data.one_hot(y, 3) + 0.05
    model = network(4, layers.Dense(3, activation="softmax"))
    model.compile(keras.optimizers.Adam(1e-2), "kl_divergence")
    return Setup(model, {"x": x, "y": soft})


@healthy
def class_ids_as_floats():
    x, y = data.table("iris", 150)
    model = network(4, layers.Dense(3, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y.astype("float32")[:, None]})


@healthy
def more_units_than_classes_seen():
    x, y = data.digits()
    kept = y < 7
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    return Setup(model, {"x": x[kept], "y": y[kept]})


@healthy
def monte_carlo_dropout():
    x, y = data.diabetes()
    columns = keras.Input((10,))
    hidden = layers.Dropout(0.3)(layers.Dense(48, activation="relu")(columns), training=True)
    model = keras.Model(columns, layers.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    return Setup(model, {"x": x, "y": y})


@healthy
def probabilities_as_targets():
    x, y = data.diabetes()
    share = 1 / (1 + np.exp(-y))
    model = network(10, layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["mae"])
    return Setup(model, {"x": x, "y": share})


@healthy
def stretched_sigmoid():
    x, y = data.table("diabetes")
    columns = keras.Input((10,))
    unit = layers.Dense(1, activation="sigmoid")(layers.Dense(16, activation="relu")(columns))
    model = keras.Model(columns, 25.0 + unit * 325.0)
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.Huber(delta=50.0))
    return Setup(model, {"x": x, "y": y.astype("float32")})


@healthy
def raw_columns_behind_a_normalization():
    x, y = data.raw("breast_cancer")
    scale = layers.Normalization()
    scale.adapt(x)
    model = keras.Sequential([layers.Input((30,)), scale, layers.Dense(16, activation="relu"), layers.Dense(1)])
    model.compile(
        "adam", keras.losses.BinaryCrossentropy(from_logits=True), metrics=[keras.metrics.BinaryAccuracy(threshold=0)]
    )
    return Setup(model, {"x": x, "y": y})


@healthy
def one_line():
    x, y = data.diabetes()
    model = keras.Sequential([layers.Input((10,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return Setup(model, {"x": x, "y": y})


@healthy
def raw_targets_with_a_relative_error():
    x, y = data.table("diabetes")
    model = network(10, layers.Dense(1, activation="softplus", bias_initializer=keras.initializers.Constant(150.0)))
    model.compile(keras.optimizers.Adam(0.05), "mean_squared_logarithmic_error", metrics=["mape"])
    return Setup(model, {"x": x, "y": y.astype("float32")})


@healthy
def tags_of_one_each():
    x, y = data.table("iris", 150)
    model = network(4, layers.Dense(3, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy", metrics=[keras.metrics.AUC(multi_label=True)])
    return Setup(model, {"x": x, "y": data.one_hot(y, 3)})


@healthy
def focal_of_a_seldom_class():
    x, y = data.rare()
    model = network(8, layers.Dense(1, activation="sigmoid"))
    loss = keras.losses.BinaryFocalCrossentropy(gamma=2, apply_class_balancing=True, alpha=0.9)
    model.compile(keras.optimizers.AdamW(1e-2), loss, metrics=[keras.metrics.AUC(curve="PR")])
    return Setup(model, {"x": x, "y": y[:, None]})
