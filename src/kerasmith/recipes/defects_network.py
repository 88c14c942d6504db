"""The network of `kerasmith demo defects`: edges, the first stages of a ResNet50, and a decoder of its features."""

import os

import keras
from keras import layers

from kerasmith._types import Tensor
from kerasmith.layers import EdgeEnhancement

STAGES = ("conv1_relu", "conv2_block3_out")
"""Where the features are taken, at 1/2 and 1/4 of the size. A fault is a few pixels and shows in what is beside it: of the
stages of ResNet50 the first two are used, and what it does at 1/8 to 1/32 left out."""
WIDTHS = (16, 24, 32)
"""Channels of the decoder at full size, 1/2 and 1/4."""
MOMENTUM = 0.9
"""Of batch normalisation. Runs are a few hundred steps long. By then the default of .99 has not forgotten the first weights,
and with ten layers one after the other the network that is evaluated is another than the one that was trained."""


def network(kinds: int, *, edges: bool = True, weights: str | os.PathLike[str] | None = None) -> keras.Model:
    """Images (B, H, W, 1), H and W multiples of 4, to logits {"fault": (B, H, W, 1), "kind": (B, H, W, kinds)}.

    Args:
        kinds: number of kinds of faults.
        edges: whether the three channels that ResNet50 sees are the image and its edges at two scales, or three times the
            image.
        weights: a file of weights of `keras.applications.ResNet50(include_top=False)`; random weights by default.

    Raises:
        ValueError: for a file that is missing, or holds no such weights.
    """
    inputs = keras.Input((None, None, 1), name="board")
    x = EdgeEnhancement("sobel", scales=(1, 2), data_format="channels_last", name="edges")(inputs) if edges else None
    x = layers.Concatenate(name="three_channels")([inputs] * 3) if x is None else x
    fine = _convolution(x, WIDTHS[0])
    features = [fine, *_backbone(weights)(x)]
    x = _convolution(features[-1], WIDTHS[-1])
    for feature, width in zip(reversed(features[:-1]), reversed(WIDTHS[:-1]), strict=True):
        x = layers.UpSampling2D(interpolation="bilinear")(layers.Conv2D(width, 1)(x))
        x = _convolution(layers.Concatenate()([x, layers.Conv2D(width, 1)(feature)]), width)
    x = _convolution(x, WIDTHS[0])
    # Few pixels are faults: with the share of one half, the first hundreds of steps would go into the background alone.
    rare = keras.initializers.Constant(-4.0)
    return keras.Model(
        inputs,
        {
            "fault": layers.Conv2D(1, 1, dtype="float32", name="fault", bias_initializer=rare)(x),
            "kind": layers.Conv2D(kinds, 1, dtype="float32", name="kind")(x),
        },
        name="defects",
    )


def _backbone(weights):
    if weights is not None and not os.path.isfile(weights):
        raise ValueError(
            f"`weights` must be a file of weights of ResNet50. Received: {os.fspath(weights)!r}, which is no file"
        )
    whole = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(None, None, 3), name="resnet50")
    if weights is not None:
        _load(whole, os.fspath(weights))
    for layer in whole.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = MOMENTUM
    outputs = [whole.get_layer(name).output for name in STAGES]
    return keras.Model(whole.input, outputs, name="resnet50_stages")


def _load(model, path):
    try:
        model.load_weights(path)
    except Exception as error:
        raise ValueError(
            f"`weights` must be a file of weights of `keras.applications.ResNet50(include_top=False)`. Received: {path!r}, "
            f"which Keras cannot load into it: {error}"
        ) from error


def _convolution(x: Tensor, width: int) -> Tensor:
    x = layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(x))
