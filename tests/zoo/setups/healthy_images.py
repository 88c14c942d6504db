"""Images, masks and their own ways of labels and weights."""

import keras
import numpy as np
from keras import layers, ops

import kerasmith
from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, healthy


def mask_network(channels=1, activation=None, size=16):
    """Two convolutions and a head."""
    model = keras.Sequential([layers.Input((size, size, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(channels, 1, activation=activation))
    return model


@healthy
def small_convolution():
    x, y = data.digits()
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(12, 3, use_bias=False), layers.BatchNormalization()])
    for layer in (layers.ReLU(), layers.Flatten(), layers.Dropout(0.2), layers.Dense(10, activation="softmax")):
        model.add(layer)
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    early = keras.callbacks.EarlyStopping("val_accuracy", patience=3)
    return Setup(model, {"x": x, "y": y, "validation_split": 0.2, "callbacks": [early]})


@healthy
def autoencoder_with_cross_entropy():
    x, _ = data.digits()
    image = keras.Input((8, 8, 1))
    code = layers.Dense(12, activation="relu")(layers.Flatten()(image))
    model = keras.Model(image, layers.Reshape((8, 8, 1))(layers.Dense(64, activation="sigmoid")(code)))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    return Setup(model, {"x": x, "y": x})


@healthy
def denoiser_with_a_residual():
    clean, _ = data.digits()
    noisy = clean + np.random.default_rng(0).normal(0, 0.3, clean.shape).astype("float32")
    image = keras.Input((None, None, 1))
    noise = layers.Conv2D(1, 3, padding="same")(layers.Conv2D(8, 3, padding="same", activation="relu")(image))
    model = keras.Model(image, image - noise)
    model.compile(keras.optimizers.Adam(5e-3), "mae")
    return Setup(model, {"x": noisy, "y": clean})


@healthy
def overlap_of_logits_declared():
    x, y = data.disks()
    model = mask_network()
    model.compile(keras.optimizers.Adam(1e-2), kerasmith.losses.DiceCE(from_logits=True))
    return Setup(model, {"x": x, "y": y.astype("uint8"), "batch_size": 16})


@healthy
def void_pixels_declared():
    x, y = data.disks()
    labels = np.where(np.abs(y - np.roll(y, 1, axis=2)) > 0, 255, y).astype("uint8")
    model = mask_network(2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    return Setup(model, {"x": x, "y": labels[..., 0], "batch_size": 16})


@healthy
def void_pixels_of_the_validation_declared():
    x, y = data.disks()
    labels, padded = {"mask": y, "edge": y}, {"mask": np.where(np.arange(16) < 12, y[..., 0], 255)[..., None], "edge": y}
    image = keras.Input((16, 16, 1))
    model = keras.Model(image, {name: layers.Conv2D(1, 3, padding="same", name=name)(image) for name in labels})
    losses = {name: kerasmith.losses.CrossEntropy(from_logits=True, ignore_class=255) for name in labels}
    model.compile(keras.optimizers.Adam(1e-2), losses)
    return Setup(model, {"x": x, "y": labels, "validation_data": (x[:16] + 0.01, {k: v[:16] for k, v in padded.items()})})


@healthy
def weights_of_pixels():
    x, y = data.disks()
    weight = np.where(y[..., 0] > 0, 4.0, 0.7).astype("float32")
    model = mask_network(activation="sigmoid")
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy", weighted_metrics=["accuracy"])
    return Setup(model, {"x": x, "y": y, "sample_weight": weight, "batch_size": 16})


@healthy
def channels_first_classes():
    x, y = data.disks()
    image = keras.Input((16, 16, 1))
    scores = layers.Permute((3, 1, 2))(layers.Conv2D(2, 1)(layers.Conv2D(8, 3, padding="same", activation="relu")(image)))
    model = keras.Model(image, layers.Softmax(axis=1)(scores))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.CategoricalCrossentropy(axis=1))
    return Setup(model, {"x": x, "y": np.moveaxis(np.concatenate([1 - y, y], -1), -1, 1), "batch_size": 16})


@healthy
def raw_pixels_scaled_inside():
    x, y = data.digits(scale=255 / 16)
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Rescaling(1 / 127.5, offset=-1), layers.Conv2D(8, 3)])
    for layer in (layers.Activation("gelu"), layers.GlobalMaxPooling2D(), layers.Dense(10)):
        model.add(layer)
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return Setup(model, {"x": x.astype("uint8"), "y": y})


@healthy
def augmented_inside():
    x, y = data.corners()
    image = keras.Input((8, 8, 1))
    moved = layers.RandomFlip("vertical", seed=0)(layers.GaussianNoise(0.05, seed=0)(image))
    hidden = layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(moved))
    model = keras.Model(image, layers.Dense(1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    return Setup(model, {"x": data.native(x, y[:, None].astype("float32"))})


@healthy
def heat_maps():
    x, y = data.disks()
    heat = ops.convert_to_numpy(ops.average_pool(y, 5, 1, padding="same")) * 10
    model = mask_network()
    model.compile(keras.optimizers.Adam(1e-2), "mse", metrics=["mae"])
    return Setup(model, {"x": x, "y": heat, "batch_size": 16})


@healthy
def twice_the_size():
    x, _ = data.disks()
    small = x.reshape(64, 8, 2, 8, 2, 1).mean((2, 4))
    image = keras.Input((8, 8, 1))
    grown = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(image)
    model = keras.Model(image, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(grown))
    model.compile(keras.optimizers.Adam(1e-2), kerasmith.losses.Charbonnier(), metrics=[kerasmith.metrics.PSNR(max_val=1.0)])
    return Setup(model, {"x": small, "y": x, "batch_size": 16})


@healthy
def few_foreground_pixels():
    x, y = data.disks(size=24)
    model = mask_network(size=24)
    model.compile(keras.optimizers.Adam(1e-2), kerasmith.losses.Tversky(from_logits=True, alpha=0.3, beta=0.7))
    return Setup(model, {"x": data.Batches(x, y, 16)})


@healthy
def images_and_masks_flipped_together():
    x, y = data.disks()
    x, y = np.concatenate([x, x[:, :, ::-1]]), np.concatenate([y, y[:, :, ::-1]])
    model = mask_network(activation="sigmoid")
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.Dice(axis=(1, 2, 3)), metrics=[keras.metrics.BinaryIoU([1])])
    return Setup(model, {"x": data.native(x, y, 16)})
