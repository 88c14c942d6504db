"""Networks of keras.applications, with random weights and small inputs."""

import keras
import numpy as np
from keras import layers

from tests.zoo.setups import data
from tests.zoo.setups.setup import Setup, healthy


def pictures(count=48, size=32, scale=255.0):
    """Disks as pictures of three channels, and whether the disk is large."""
    x, mask = data.disks(count, size)
    area = mask.sum((1, 2, 3))
    return np.repeat(x, 3, axis=-1) * scale, (area > np.median(area)).astype("float32")


@healthy
def mobile_net():
    x, y = pictures(scale=2.0)
    base = keras.applications.MobileNet(input_shape=(32, 32, 3), alpha=0.25, weights=None, classes=2)
    base.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Setup(base, {"x": x - 1, "y": y, "batch_size": 16})


@healthy
def mobile_net_of_the_third_kind():
    x, y = pictures()
    sizes = {"input_shape": (32, 32, 3), "weights": None, "include_top": False, "pooling": "avg"}
    base = keras.applications.MobileNetV3Small(alpha=0.75, minimalistic=True, **sizes)
    model = keras.Sequential([base, layers.Dropout(0.2), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(2e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    return Setup(model, {"x": x, "y": y[:, None], "batch_size": 16})


@healthy
def sixteen_layers():
    x, y = pictures(32, scale=1.0)
    base = keras.applications.VGG16(input_shape=(32, 32, 3), weights=None, include_top=False, pooling="max")
    small = keras.Model(base.input, base.get_layer("block2_pool").output)
    model = keras.Sequential([small, layers.GlobalMaxPooling2D(), layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(5e-3), "binary_crossentropy")
    return Setup(model, {"x": x, "y": y, "batch_size": 16})
