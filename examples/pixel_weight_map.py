"""Nuclei that touch: a weight for each pixel, made beforehand, is one more array of the input; two terms, each shown.

The weights are those of the U-Net paper (Ronneberger et al., 2015): background between two nuclei that nearly touch counts
most. As `sample_weight` the map would weigh every term; here it weighs the cross-entropy only.

    KERAS_BACKEND=jax python examples/pixel_weight_map.py        # needs: pip install "kerasmith[demo]"
"""

import edt
import keras
import numpy as np
from keras import layers, ops

import kerasmith
from kerasmith.losses import Dice
from kerasmith.recipes import nuclei_image

TILE = 32


@keras.saving.register_keras_serializable("examples")
def border_cross_entropy(x, y, y_pred):
    """What a term asks for by name: x with all its arrays, labels, logits. One value a pixel is fine."""
    return x["weights"] * ops.binary_crossentropy(y, y_pred, from_logits=True)


def border_weights(labels, height=10.0, width=5.0):
    """1 + height * exp(-(d1 + d2)^2 / (2 width^2)) on the background, d1 and d2 the distances to the two nearest nuclei."""
    first = second = np.full(labels.shape, np.inf)
    for nucleus in np.unique(labels[labels > 0]):
        distance = edt.edt(labels != nucleus)
        first, second = np.minimum(first, distance), np.minimum(second, np.maximum(first, distance))
    return np.where(labels == 0, 1 + height * np.exp(-((first + second) ** 2) / (2 * width**2)), 1).astype("float32")


def data():
    """((x, y) to train, (x, y) held out): tiles of one microscope image, split in space."""
    return [
        (
            {"image": tiles(part.image), "weights": tiles(border_weights(part.labels))},
            tiles(part.mask),
        )
        for part in nuclei_image.split(*nuclei_image.load())
    ]


def tiles(array):
    """An (H, W) array as float32 (count, TILE, TILE, 1)."""
    rows, columns = array.shape[0] // TILE, array.shape[1] // TILE
    cut = array.reshape(rows, TILE, columns, TILE).swapaxes(1, 2)
    return cut.reshape(-1, TILE, TILE, 1).astype("float32")


def build():
    """A U-Net of two levels that gives logits. Of `x` it reads the inputs it lists; the rest is there for the terms."""
    image = keras.Input((TILE, TILE, 1), name="image")
    fine = layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    coarse = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(fine))
    both = layers.Concatenate()([layers.UpSampling2D()(coarse), fine])
    both = layers.Conv2D(8, 3, padding="same", activation="relu")(both)
    return kerasmith.Model([image], layers.Conv2D(1, 1)(both))


def main(epochs=4):
    keras.utils.set_random_seed(0)
    train, held_out = data()
    model = build()
    terms = {"borders": border_cross_entropy, "dice": Dice(from_logits=True)}
    model.compile(keras.optimizers.Adam(2e-3), kerasmith.Objective(terms, weights=[1.0, 0.5]))
    history = model.fit(*train, batch_size=16, epochs=epochs, validation_data=held_out, verbose=2).history
    print({name: round(values[-1], 4) for name, values in history.items()})
    return model, history


if __name__ == "__main__":
    main()
