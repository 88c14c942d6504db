"""Small networks with given weights, and the data for them."""

import keras
import numpy as np

import kerasmith

BACKEND = keras.backend.backend()
RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
Y = RNG.normal(size=(12, 4)).astype("float32")


def arrays(*shapes, seed):
    """Random weights."""
    rng = np.random.default_rng(seed)
    return [0.5 * rng.normal(size=shape).astype("float32") for shape in shapes]


def generator(size=3, seed=1):
    """From `size` numbers to 4."""
    model = keras.Sequential([keras.Input((size,)), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(4)])
    model.set_weights(arrays((size, 8), (8,), (8, 4), (4,), seed=seed))
    return model


def discriminator(seed=2):
    """From 4 numbers to one output."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)])
    model.set_weights(arrays((4, 8), (8,), (8, 1), (1,), seed=seed))
    return model


def conditional_discriminator(seed=2):
    """From [x, sample] to one output."""
    x, sample = keras.Input((3,)), keras.Input((4,))
    hidden = keras.layers.Dense(8, activation="tanh")(keras.layers.Concatenate()([x, sample]))
    model = keras.Model([x, sample], keras.layers.Dense(1)(hidden))
    model.set_weights(arrays((7, 8), (8,), (8, 1), (1,), seed=seed))
    return model


def with_state():
    """(generator, discriminator) with batch normalisation, dropout and regularisers."""
    layers = keras.layers
    parts = []
    for size, out in ((2, 4), (4, 1)):
        parts.append(
            keras.Sequential(
                [
                    keras.Input((size,)),
                    layers.Dense(6, kernel_regularizer=keras.regularizers.L2(0.01)),
                    layers.BatchNormalization(),
                    layers.LeakyReLU(),
                    layers.Dropout(0.2, seed=size),
                    layers.Dense(out),
                ]
            )
        )
    return parts


def compiled(model, slow=0.05, fast=0.1, **options):
    """The model with two optimizers."""
    model.compile(
        generator_optimizer=keras.optimizers.SGD(slow), discriminator_optimizer=keras.optimizers.SGD(fast), **options
    )
    return model


def everything(**options):
    """A model with each part that has state, compiled with optimizers that have some, the same at every call."""
    keras.utils.set_random_seed(3)
    parts = {"discriminator_steps": 2, "terms": {"small": size}, "ema": 0.9, "seed": 5}
    parts["penalty"] = kerasmith.losses.GradientPenalty("wgan_gp", weight=0.01)  # more ends in NaN, beside a batch norm
    model = kerasmith.Adversarial(*with_state(), **{**parts, **options})
    model.compile(generator_optimizer="adam", discriminator_optimizer=keras.optimizers.SGD(0.003, momentum=0.9))
    return model


@keras.saving.register_keras_serializable("tests.adversarial")
def size(y_pred):
    """A term: the mean square of generated samples."""
    return keras.ops.mean(keras.ops.square(y_pred), axis=-1)


def values(model):
    """All weights, and the seed of what training draws, as arrays."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in (*model.weights, model.latent_seed.state)]
