"""A small U-Net with one or more heads."""

from collections.abc import Sequence

import keras
from keras import layers

from kerasmith._types import Tensor


def unet(widths: Sequence[int], heads: Sequence[str]) -> keras.Model:
    """A fully convolutional U-Net for images (B, H, W, 1).

    Args:
        widths: channels on each level, finest first; H and W must be multiples of 2 ** (len(widths) - 1).
        heads: names of the outputs.

    Returns:
        A `keras.Model` whose output is {name: logits (B, H, W, 1)}.

    Example:

    >>> model = unet((4, 8), ["mask"])
    >>> tuple(model(keras.ops.zeros((2, 16, 24, 1)))["mask"].shape)
    (2, 16, 24, 1)

    Reference: Ronneberger et al., "U-Net: convolutional networks for biomedical image segmentation", 2015.
    """
    *outer, deepest = widths
    x = inputs = keras.Input((None, None, 1), name="image")
    skipped = []
    for width in outer:
        x = _convolutions(x, width)
        skipped.append(x)
        x = layers.MaxPooling2D()(x)
    x = _convolutions(x, deepest)
    for width, fine in zip(reversed(outer), reversed(skipped), strict=True):
        # Channels first, then pixels: the 1 x 1 convolution is four times cheaper on the coarse grid.
        x = layers.UpSampling2D()(layers.Conv2D(width, 1)(x))
        x = _convolutions(layers.Concatenate()([x, fine]), width)
    outputs = {name: layers.Conv2D(1, 1, dtype="float32", name=name)(x) for name in heads}
    return keras.Model(inputs, outputs, name="unet")


def _convolutions(x: Tensor, width: int, count: int = 2) -> Tensor:
    for _ in range(count):
        x = layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
        # Runs are a few hundred steps long: the default momentum of .99 forgets the first weights too slowly.
        x = layers.BatchNormalization(momentum=0.97)(x)
        x = layers.ReLU()(x)
    return x
