"""A small U-Net with one or more heads, for images and volumes."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers

from kerasmith._types import Tensor


def unet(
    widths: Sequence[int],
    heads: Sequence[str] | Mapping[str, int],
    *,
    channels: int = 1,
    dimensions: int = 2,
    outputs: int = 1,
) -> keras.Model:
    """A fully convolutional U-Net for images (B, H, W, channels) or volumes (B, D, H, W, channels).

    Args:
        widths: channels on each level, finest first; each spatial size must be a multiple of 2 ** (len(widths) - 1).
        heads: names of the outputs, or {name: its channels}.
        channels: of the input (since 0.2).
        dimensions: spatial axes, 2 or 3 (since 0.2).
        outputs: channels of each head that is given by its name only (since 0.2).

    Returns:
        A `keras.Model` whose output is {name: logits (B, *spatial, outputs)}.

    Raises:
        ValueError: for numbers that are not whole or below 1, no heads, or heads of one name.

    Example:

    >>> model = unet((4, 8), ["mask"])
    >>> tuple(model(keras.ops.zeros((2, 16, 24, 1)))["mask"].shape)
    (2, 16, 24, 1)
    >>> unet((4, 8), {"organs": 3}, channels=2, dimensions=3).output["organs"].shape
    (None, None, None, None, 3)

    Reference: Ronneberger et al., "U-Net: convolutional networks for biomedical image segmentation", 2015.
    """
    heads = _checked(widths, heads, channels, dimensions, outputs)
    pool, enlarge = _layer("MaxPooling", dimensions), _layer("UpSampling", dimensions)
    convolve = _layer("Conv", dimensions)
    *outer, deepest = widths
    x = inputs = keras.Input((*[None] * dimensions, channels), name="image")
    skipped = []
    for width in outer:
        x = _convolutions(x, width, convolve)
        skipped.append(x)
        x = pool()(x)
    x = _convolutions(x, deepest, convolve)
    for width, fine in zip(reversed(outer), reversed(skipped), strict=True):
        # Channels first, then pixels: the 1 x 1 convolution is four times cheaper on the coarse grid.
        x = enlarge()(convolve(width, 1)(x))
        x = _convolutions(layers.Concatenate()([x, fine]), width, convolve)
    results = {name: convolve(count, 1, dtype="float32", name=name)(x) for name, count in heads.items()}
    return keras.Model(inputs, results, name="unet")


def _convolutions(x: Tensor, width: int, convolve: Any, count: int = 2) -> Tensor:
    for _ in range(count):
        x = convolve(width, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
        # Runs are a few hundred steps long: the default momentum of .99 forgets the first weights too slowly.
        x = layers.BatchNormalization(momentum=0.97)(x)
        x = layers.ReLU()(x)
    return x


def _layer(kind: str, dimensions: int) -> Any:
    return getattr(layers, f"{kind}{dimensions}D")


def _checked(
    widths: Sequence[int], heads: Sequence[str] | Mapping[str, int], channels: int, dimensions: int, outputs: int
) -> dict[str, int]:
    """{name: channels} of the heads."""
    if dimensions not in (2, 3):
        raise ValueError(f"`dimensions` must be 2 or 3. Received: dimensions={dimensions}")
    if isinstance(heads, str) or not heads:
        raise ValueError(f'`heads` must be a list of names, such as ["mask"], or {{"mask": 1}}. Received: heads={heads!r}')
    names = list(heads)
    if len(set(names)) < len(names):
        raise ValueError(f"Each head needs a name of its own. Received: heads={names}")
    counts = dict(heads) if isinstance(heads, Mapping) else dict.fromkeys(names, outputs)
    numbers = [("widths", list(widths)), ("channels", [channels]), ("outputs", list(counts.values()))]
    for name, values in numbers:
        if not values or any(isinstance(n, bool) or int(n) != n or n < 1 for n in values):
            raise ValueError(f"`{name}` must be whole numbers >= 1. Received: {name}={values}")
    return counts
