"""Denoising: an L1 error and the distance between features, which a frozen network finds in output and target.

A term can be a layer. What it holds, here a frozen network, is saved with the model and loaded with it, and no function has to
remember where its network came from.

    KERAS_BACKEND=torch python examples/feature_loss.py          # needs: pip install "kerasmith[demo]"
"""

import keras
import numpy as np
from keras import layers, ops

import kerasmith
from kerasmith.recipes import nuclei_image

TILE = 32


@keras.saving.register_keras_serializable("examples")
class FeatureDistance(layers.Layer):
    """Mean squared distance of features, one value a sample."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # Random filters tell edges and texture; a pretrained backbone, such as keras.applications.VGG16(include_top=False),
        # goes here just the same.
        self.backbone = keras.Sequential(
            [
                keras.Input((None, None, 1)),
                layers.Conv2D(8, 3, activation="relu", kernel_initializer=keras.initializers.Orthogonal(seed=1)),
                layers.Conv2D(16, 3, strides=2, kernel_initializer=keras.initializers.Orthogonal(seed=2)),
            ]
        )
        self.backbone.trainable = False

    def call(self, y, y_pred):
        return ops.mean(ops.square(self.backbone(y) - self.backbone(y_pred)), axis=(1, 2, 3))


def data(noise=0.5):
    """((x, y) to train, (x, y) held out): noisy and clean tiles of one microscope image, split in space."""
    random, parts = np.random.default_rng(0), []
    for part in nuclei_image.split(*nuclei_image.load()):
        rows, columns = part.image.shape[0] // TILE, part.image.shape[1] // TILE
        clean = part.image.reshape(rows, TILE, columns, TILE).swapaxes(1, 2).reshape(-1, TILE, TILE, 1)
        parts.append((clean + random.normal(0, noise, clean.shape).astype("float32"), clean))
    return parts


def build():
    """Three convolutions that find the noise, which is then taken away."""
    x = noisy = keras.Input((None, None, 1))
    for _ in range(2):
        x = layers.Conv2D(12, 3, padding="same", activation="relu")(x)
    noise = layers.Conv2D(1, 3, padding="same", kernel_initializer="zeros")(x)
    return kerasmith.Model(noisy, layers.Subtract()([noisy, noise]))


def main(epochs=4):
    keras.utils.set_random_seed(0)
    train, held_out = data()
    model = build()
    terms = {"l1": "mean_absolute_error", "features": FeatureDistance()}
    model.compile(keras.optimizers.Adam(3e-3), kerasmith.Objective(terms, weights={"l1": 1.0, "features": 0.3}))
    history = model.fit(*train, batch_size=16, epochs=epochs, validation_data=held_out, verbose=2).history
    print({name: round(values[-1], 4) for name, values in history.items()})
    return model, history


if __name__ == "__main__":
    main()
