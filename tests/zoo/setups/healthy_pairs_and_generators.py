"""Embeddings, pairs, generative models, fixed random features and steps of one's own."""

import keras
import numpy as np
from keras import layers, ops

import kerasmith
from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, healthy


def encoder(units=8):
    """Digits to vectors."""
    return keras.Sequential(
        [layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(units)]
    )


@healthy
def siamese_distances():
    x, y = data.digits()
    other = np.random.default_rng(0).permutation(len(x))
    other[::2] = [np.flatnonzero(y == digit)[0] for digit in y[::2]]
    left, right, shared = keras.Input((8, 8, 1)), keras.Input((8, 8, 1)), encoder()
    distance = ops.sqrt(ops.sum(ops.square(shared(left) - shared(right)), axis=-1, keepdims=True) + 1e-9)
    model = keras.Model([left, right], distance)
    model.compile("adam", kerasmith.losses.Contrastive())
    return Setup(model, {"x": [x, x[other]], "y": (y == y[other]).astype("float32")[:, None]})


@healthy
def siamese_probabilities():
    x, y = data.digits()
    other = np.random.default_rng(1).permutation(len(x))
    other[::2] = [np.flatnonzero(y == digit)[-1] for digit in y[::2]]
    left, right, shared = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right"), encoder()
    model = keras.Model({"left": left, "right": right}, layers.Dense(1, "sigmoid")(ops.abs(shared(left) - shared(right))))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": {"left": x, "right": x[other]}, "y": (y == y[other]).astype("int32")})


@healthy
def triplets_of_a_batch():
    x, y = data.digits()
    model = encoder()
    model.add(layers.UnitNormalization())
    model.compile("adam", kerasmith.losses.Triplet(margin=0.5, mining="all"))
    return Setup(model, {"x": x, "y": y, "batch_size": 60})


@healthy
def supervised_contrast():
    x, y = data.digits()
    model = encoder(16)
    model.compile("adam", kerasmith.losses.SupCon(temperature=0.2))
    return Setup(model, {"x": x, "y": y[:, None], "batch_size": 48})


@healthy
def cosines_with_a_margin():
    x, y = data.digits()
    model = encoder(16)
    model.add(kerasmith.layers.ArcFaceLogits(10))
    model.compile(keras.optimizers.Adam(5e-3), kerasmith.losses.ArcFace(scale=16.0))
    return Setup(model, {"x": x, "y": y})


@healthy
def direction_only():
    x, y = data.table("wine", 170)
    model = keras.Sequential([layers.Input((13,)), layers.Dense(16, activation="relu"), layers.Dense(3)])
    model.compile(keras.optimizers.Adam(1e-2), "cosine_similarity")
    return Setup(model, {"x": x, "y": data.one_hot(y, 3)})


class Latent(layers.Layer):
    """Draws around a mean and adds the divergence from a standard normal variable to the loss."""

    def __init__(self):
        super().__init__()
        self.seed = keras.random.SeedGenerator(0)

    def call(self, mean, log_variance):
        divergence = -0.5 * ops.sum(1 + log_variance - ops.square(mean) - ops.exp(log_variance), axis=-1)
        self.add_loss(ops.mean(divergence) / 64)
        return mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=self.seed)


@healthy
def variational_autoencoder():
    x, _ = data.digits()
    image = keras.Input((8, 8, 1))
    hidden = layers.Dense(32, activation="relu")(layers.Flatten()(image))
    code = Latent()(layers.Dense(4)(hidden), layers.Dense(4, kernel_initializer="zeros")(hidden))
    pixels = layers.Dense(64, activation="sigmoid")(layers.Dense(32, activation="relu")(code))
    model = keras.Model(image, layers.Reshape((8, 8, 1))(pixels))
    model.compile(keras.optimizers.Adam(5e-3), "binary_crossentropy")
    return Setup(model, {"x": x, "y": x})


@healthy
def half_of_a_gan_that_judges():
    real, _ = data.digits()
    made = np.random.default_rng(0).random(real.shape).astype("float32")
    x = np.concatenate([real, made])
    y = np.concatenate([np.ones(len(real)), np.zeros(len(made))]).astype("float32")[:, None]
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(8, 3, strides=2), layers.LeakyReLU(), layers.Flatten()])
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(1))
    model.compile(
        keras.optimizers.Adam(2e-3, beta_1=0.5), keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)
    )
    return Setup(model, {"x": x, "y": y})


@healthy
def half_of_a_gan_that_makes():
    judge = keras.Sequential(
        [layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(16, activation="leaky_relu"), layers.Dense(1)]
    )
    judge.trainable = False
    noise = keras.Input((6,))
    image = layers.Reshape((8, 8, 1))(layers.Dense(64, activation="tanh")(layers.Dense(32, activation="relu")(noise)))
    model = keras.Model(noise, judge(image))
    model.compile(keras.optimizers.Adam(2e-3, beta_1=0.5), keras.losses.BinaryCrossentropy(from_logits=True))
    x = np.random.default_rng(0).normal(size=(128, 6)).astype("float32")
    return Setup(model, {"x": x, "y": np.ones((128, 1), "float32")})


@healthy
def fixed_random_features():
    x, y = data.table("digits")
    features = layers.Dense(256, activation="relu", trainable=False, kernel_initializer="he_normal", name="random_features")
    model = keras.Sequential([layers.Input((64,)), features, layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y})


@healthy
def frozen_pretrained_backbone():
    x, y = data.digits()
    backbone = keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten()])
    before = keras.Sequential([backbone, layers.Dense(1)])
    before.compile(keras.optimizers.Adam(1e-2), "mse")
    before.fit(x, x.mean((1, 2)), epochs=2, verbose=0)
    backbone.trainable = False
    model = keras.Sequential([layers.Input((8, 8, 1)), backbone, layers.Dense(10)])
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return Setup(model, {"x": x, "y": y})


@healthy
def ratings_as_products():
    random = np.random.default_rng(0)
    users, items = random.integers(0, 30, 300), random.integers(0, 20, 300)
    taste, kind = random.normal(size=(30, 3)), random.normal(size=(20, 3))
    rating = np.einsum("nk,nk->n", taste[users], kind[items]).astype("float32")[:, None]
    user, item = keras.Input((1,), dtype="int32", name="user"), keras.Input((1,), dtype="int32", name="item")
    vectors = [layers.Flatten()(layers.Embedding(rows, 6)(ids)) for ids, rows in ((user, 30), (item, 20))]
    model = keras.Model([user, item], layers.Dot(axes=1)(vectors))
    model.compile(keras.optimizers.Adam(5e-2), "mse")
    return Setup(model, {"x": {"user": users[:, None], "item": items[:, None]}, "y": rating})


class Reconstruction(keras.Model):
    """An autoencoder that computes its loss itself and needs no labels."""

    def __init__(self):
        super().__init__()
        self.code, self.pixels = layers.Dense(12, activation="relu"), layers.Dense(64)

    def call(self, x):
        return self.pixels(self.code(x))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(x - y_pred))


@healthy
def own_loss_without_labels():
    x, _ = data.table("digits")
    model = Reconstruction()
    model.compile(keras.optimizers.Adam(1e-2))
    return Setup(model, {"x": x})
