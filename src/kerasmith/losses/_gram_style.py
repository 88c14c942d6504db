"""Distance of images in the correlations of a frozen network's features."""

import math
from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import PerSample, Weights, make_functional, register
from kerasmith.losses._feature_loss import FeatureLoss
from kerasmith.numerics.tensors import static_shape


@register
class GramStyle(FeatureLoss):
    """Style loss of Gatys et al.: squared difference of Gram matrices of a frozen network's features (since 0.2).

    loss = sum over layers l of w_l / (4 N^2 M^2) sum over i, j of (G_ij(y_true) - G_ij(y_pred))^2,
    G_ij(y) = sum over places k of F_ik(y) F_jk(y)

    F_ik(y) is channel i of the output of layer l at place k for the image y, N its number of channels, M of places;
    w_l = 1 / (number of layers) by default. The matrices of y_true are computed without gradient. For the content beside the
    style: `Perceptual(backbone, ["block4_conv2"], alpha=1.0, distance="l2") + 1e3 * GramStyle(backbone, [...])`.

    Args:
        backbone: a built `keras.Model` with one input, of any kind, or a name of `keras.applications`; frozen, see
            `losses.Perceptual`.
        layers: names of layers of the backbone; None for its own outputs.
        layer_weights: one factor >= 0 for each layer; 1 / (number of layers) by default.
        value_range, preprocess, weights: see `losses.Perceptual`.
        axis: the channel axis of the images, -1 or 1.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: images in the shape of y_pred (one channel may lack its axis), of any dtype.
        y_pred: (B, H, W, C) or (B, D, H, W, C).
        sample_weight: (B,).

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError, RuntimeError: as `losses.Perceptual`.

    Example:

    >>> import keras, numpy as np
    >>> first = keras.layers.Conv2D(2, 1, kernel_initializer="ones", name="first")
    >>> backbone = keras.Sequential([keras.Input((None, None, 1)), first])
    >>> image = np.ones((1, 4, 4, 1), "float32")
    >>> round(float(GramStyle(backbone, ["first"])(image, 2 * image)), 4)
    2.25

    Reference: Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks", 2016.
    """

    def __init__(self, backbone: Any, layers: Any, **kwargs: Any) -> None:
        super().__init__(backbone, layers, **kwargs)

    def per_sample(self, prediction: Tensor, truth: Tensor, weights: Weights) -> PerSample:
        pairs = zip(self.features(truth), self.features(prediction), strict=True)
        values = []
        for true, predicted in pairs:
            difference = _gram(predicted) - ops.stop_gradient(_gram(true))
            values.append(ops.sum(ops.square(difference), axis=(1, 2)) / 4.0)
        return PerSample(self.weighted_sum(values))


def _gram(feature):
    """(B, *places, N) -> (B, N, N): G / (N M), which float32 holds for any size of image."""
    shape = static_shape(feature, "features")
    channels, places = shape[-1], shape[1:-1]
    count = ops.prod(ops.shape(feature)[1:-1]) if None in places else math.prod(places)
    # Each factor by itself: the sum of large features alone may leave float32's digits, or those of half precision.
    feature = feature / ops.sqrt(ops.cast(channels * count, feature.dtype))
    axes = "klm"[: len(places)]
    return ops.einsum(f"b{axes}i,b{axes}j->bij", feature, feature)


gram_style: Function = make_functional(GramStyle, "gram_style")
