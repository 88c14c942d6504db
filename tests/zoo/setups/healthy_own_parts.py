"""Our own models, recipes and examples, made small."""

import keras
import numpy as np
from keras import layers, ops

import kerasmith
from kerasmith import Objective, Tap, Term
from kerasmith.multitask import Uncertainty
from kerasmith.physics import Box, Condition, Residual
from kerasmith.recipes.unet import unet
from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, healthy


def activity(features):
    """Mean activation of a sample."""
    return ops.mean(ops.abs(features["hidden"]), axis=-1)


@healthy
def objective_with_a_penalty():
    x, y = data.digits()
    pixels = keras.Input((8, 8, 1))
    hidden = Tap("hidden")(layers.Dense(32, activation="relu")(layers.Flatten()(pixels)))
    model = kerasmith.Model(pixels, layers.Dense(10)(hidden))
    rising = keras.optimizers.schedules.PolynomialDecay(0.0, decay_steps=50, end_learning_rate=0.3)
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.Adam(5e-3),
        Objective({"ce": entropy, "activity": Term(activity, weight=rising)}),
        metrics=["accuracy"],
    )
    return Setup(model, {"x": x, "y": y})


def border_entropy(x, y, y_pred):
    """Cross-entropy with a weight for each pixel that comes with the input."""
    return x["weights"] * ops.binary_crossentropy(y, y_pred, from_logits=True)


@healthy
def objective_with_a_weight_map():
    x, y = data.disks()
    weights = (1 + 3 * np.abs(y - np.roll(y, 1, axis=1))).astype("float32")
    image = keras.Input((16, 16, 1), name="image")
    model = kerasmith.Model([image], layers.Conv2D(1, 1)(layers.Conv2D(8, 3, padding="same", activation="relu")(image)))
    terms = {"borders": border_entropy, "dice": kerasmith.losses.Dice(from_logits=True)}
    model.compile(keras.optimizers.Adam(1e-2), Objective(terms, weights=[1.0, 0.5]))
    return Setup(model, {"x": {"image": x, "weights": weights}, "y": y, "batch_size": 16})


@healthy
def objective_that_weighs_tasks():
    x, y = data.diabetes()
    columns = keras.Input((10,))
    hidden = layers.Dense(16, activation="relu")(columns)
    model = kerasmith.Model(columns, {"value": layers.Dense(1)(hidden), "sign": layers.Dense(1)(hidden)})
    terms = {
        "value": Term("mean_squared_error", weight="learned", output="value"),
        "sign": Term(keras.losses.BinaryCrossentropy(from_logits=True), weight=Uncertainty("classification"), output="sign"),
    }
    model.compile(keras.optimizers.Adam(1e-2), Objective(terms))
    return Setup(model, {"x": x, "y": {"value": y[:, None], "sign": (y[:, None] > 0).astype("float32")}})


def wave(f):
    """u'' + u = 0."""
    return f.d("xx") + f.value()


@healthy
def equation_without_labels():
    line = Box([0], [3], names="x")
    x = keras.Input((1,))
    hidden = layers.Dense(16, activation="tanh")(layers.Dense(16, activation="tanh")(x))
    model = kerasmith.Model(x, layers.Dense(1)(hidden))
    terms = [
        Residual(wave),
        Condition([[0.0]], 1.0),
        Condition([[0.0]], 0.0, "initial", derivative="x", names="x", name="slope"),
    ]
    model.compile(keras.optimizers.Adam(1e-2), Objective(terms))
    return Setup(model, {"x": line.sobol(128, seed=0).x})


@healthy
def two_networks_against_each_other():
    points, _ = data.moons(240)

    def network(size, out):
        return keras.Sequential([layers.Input((size,)), layers.Dense(16, activation="leaky_relu"), layers.Dense(out)])

    model = kerasmith.Adversarial(network(4, 2), network(2, 1), generator_loss="hinge", discriminator_loss="hinge", seed=0)
    model.compile(
        generator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
    )
    return Setup(model, {"x": points, "batch_size": 60})


@healthy
def recipe_of_a_unet():
    x, y = data.disks()
    model = unet((4, 8), ["mask"])
    model.compile(keras.optimizers.Adam(1e-2), {"mask": kerasmith.losses.DiceCE(from_logits=True)})
    return Setup(model, {"x": x, "y": {"mask": y}, "batch_size": 16})


@healthy
def sum_of_two_losses():
    x, y = data.disks()
    model = unet((4, 8), ["mask"])
    loss = 0.3 * kerasmith.losses.Dice(from_logits=True) + kerasmith.losses.Focal(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    model = keras.Model(model.input, model.output["mask"])
    model.compile(keras.optimizers.Adam(1e-2), loss, metrics=[kerasmith.metrics.DiceScore(from_logits=True)])
    return Setup(model, {"x": x, "y": y, "batch_size": 16})


@healthy
def batches_drawn_by_weight():
    x, y = data.rare()
    weights = np.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    batches = kerasmith.data.WeightedBatches(x, y[:, None].astype("float32"), weights=weights, batch_size=32, seed=0)
    model = keras.Sequential([layers.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-2), kerasmith.losses.Focal(from_logits=True))
    return Setup(model, {"x": batches})
