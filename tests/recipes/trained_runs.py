"""Run directories as `kerasmith train` leaves them, with networks whose answers can be written down."""

import json

import keras
import numpy as np


def sigmoid_run(folder, **plan):
    """One foreground class: where the mean of 3 x 3 pixels, after (x - 100) / 50, is above 0."""
    image = keras.Input((None, None, 1))
    mean = keras.layers.Conv2D(1, 3, padding="same", kernel_initializer=keras.initializers.Constant(1 / 9))
    return write(folder, keras.Model(image, mean(image)), channels=1, classes=["background", "cell"], **plan)


def softmax_run(folder, **plan):
    """Three classes of a volume of two channels: logits 0, 4 * first and 4 * second channel."""
    volume = keras.Input((None, None, None, 2))
    scaled = keras.layers.Conv3D(3, 1, kernel_initializer=keras.initializers.Zeros(), use_bias=False)
    model = keras.Model(volume, scaled(volume))
    scaled.kernel.assign(np.array([[0, 4, 0], [0, 0, 4]], "float32").reshape(1, 1, 1, 2, 3))
    defaults = {
        "outputs": "softmax",
        "dimensions": 3,
        "window": [8, 8, 8],
        "normalization": {"kind": "none"},
        "axis_divisor": 1,
    }
    return write(folder, model, channels=2, classes=["background", "grey", "white"], **(defaults | plan))


def instances_run(folder, **plan):
    """Objects of one image channel: mask where it is above 0, cores where it is above 1."""
    image = keras.Input((None, None, 1))
    heads = {}
    for name, level in (("mask", 0.0), ("cores", 1.0)):
        options = {
            "kernel_initializer": keras.initializers.Constant(8),
            "bias_initializer": keras.initializers.Constant(-8 * level),
        }
        heads[name] = keras.layers.Conv2D(1, 1, name=name, **options)(image)
    defaults = {"outputs": "instances", "normalization": {"kind": "none"}}
    return write(folder, keras.Model(image, heads), channels=1, classes=["background", "nucleus"], **(defaults | plan))


def write(folder, model, **plan):
    """The directory of a run that is finished."""
    folder.mkdir(parents=True)
    model.save(folder / "model.keras")
    defaults = {
        "dimensions": 2,
        "class_ids": None,
        "outputs": "sigmoid",
        "window": [16, 16],
        "normalization": {"kind": "zscore", "mean": [100.0], "std": [50.0]},
        "spacing": None,
        "axis_divisor": 4,
        "threshold": 0.5,
    }
    (folder / "plan.json").write_text(json.dumps(defaults | plan))
    return folder
