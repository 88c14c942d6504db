"""A small network of known weights, in place of a large trained one."""

import functools

import keras
import numpy as np


@functools.cache
def tiny_backbone(channels=2, seed=0):
    """Two convolutions, "first" and "second", around a batch normalisation whose statistics are not those of a new one."""
    layers = [
        keras.Input((None, None, channels), dtype="float32"),
        keras.layers.Conv2D(4, 3, activation="relu", name="first", dtype="float32"),
        keras.layers.BatchNormalization(name="statistics", dtype="float32"),
        keras.layers.Dropout(0.5, name="dropped", dtype="float32"),
        keras.layers.Conv2D(3, 2, strides=2, name="second", dtype="float32"),
    ]
    model = keras.Sequential(layers, name=f"tiny{seed}")
    rng = np.random.default_rng(seed)
    # Positive ones too, so that variances are.
    model.set_weights(
        [rng.uniform(0.1, 0.6, w.shape) * (1 if w.ndim == 1 else rng.choice([-1, 1], w.shape)) for w in model.get_weights()]
    )
    return model


@keras.saving.register_keras_serializable("tests")
class BranchedBackbone(keras.Model):
    """A subclass with a nested model in it; its layers have no graph."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        inner = keras.layers.Conv2D(width, 1, name="inner")
        self.narrow = keras.Sequential([inner, keras.layers.Conv2D(width, 3, padding="same", name="last")], name="narrow")
        self.wide = keras.layers.Conv2D(width, 5, padding="same", name="wide")
        self.statistics = keras.layers.BatchNormalization(name="statistics")

    def call(self, x, training=None):
        return self.statistics(self.narrow(x) + self.wide(x), training=training)

    def get_config(self):
        return {**super().get_config(), "width": self.width}
