"""Distance of images in pixels and in the features of a frozen network."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import LossTerm, PerSample, Weights, make_functional, register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.base.elements import per_sample_mean
from kerasmith.losses._feature_loss import FeatureLoss
from kerasmith.numerics import safe


@register
class Perceptual(FeatureLoss):
    """Perceptual loss: a mixture of the distance of pixels and the distance of a frozen network's features (since 0.2).

    loss = (1 - alpha) mean(d(y_true, y_pred)) + alpha sum over layers l of w_l mean(d(F_l(y_true), F_l(y_pred)))

    d(a, b) = |a - b| for "l1" and (a - b)^2 for "l2"; F_l(y) is the output of layer l for the image y; the means are over all
    pixels and channels of an image, and over all elements of an output; w_l = 1 / (number of layers) by default. So alpha = 0
    is the loss of pixels alone, alpha = 1 that of features alone. Pixels are compared as they come, in their `value_range`.

    The features of y_true are computed once a step and without gradient. `callbacks.LossTerms` shows `pixel` and `features`.

    Args:
        backbone: a built `keras.Model` with one input, of any kind, or a name of `keras.applications`, such as "vgg16". Its
            weights are copied when the loss is made: what becomes of the model afterwards changes nothing. In the loss it
            runs in inference mode; its weights get no gradient and are in no model and no optimizer.
        layers: names of layers of the backbone whose outputs are compared, "block/conv" for a layer in a nested model; a
            layer that is called several times counts with its first call. None for the outputs of the backbone itself.
        alpha: share of the features, from 0 to 1.
        distance: "l1" or "l2", of pixels and of features.
        layer_weights: one factor >= 0 for each layer; 1 / (number of layers) by default.
        value_range: (low, high), the range of the images' values: true images beyond it are refused. By default (0, 1) for
            a named backbone or where `preprocess` is given, and whatever comes otherwise.
        preprocess: what images go through before the backbone: a name of `keras.applications` or its `preprocess_input`; the
            range (low, high) that the backbone wants; None for nothing. "auto" is that of a named backbone, and nothing for a
            model.
        weights: for a named backbone: "imagenet" (a download by Keras), the path of a file of weights without the network's
            head, or None for random ones.
        axis: the channel axis of the images, -1 or 1; that of the backbone may be the other one.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: images in the shape of y_pred (one channel may lack its axis), of any dtype.
        y_pred: (B, H, W, C) or (B, D, H, W, C).
        sample_weight: (B,).

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError: for a layer that the backbone lacks (says which are near), images whose number of channels, size or range
            it does not take, shapes that would broadcast, and weights of single pixels.
        RuntimeError: for weights that cannot be downloaded or read.

    A saved model holds the backbone and its weights, so that it gives the same numbers in another process; of weights that
    `keras.applications` downloads, their name and fingerprint.

    Example:

    >>> import keras, numpy as np
    >>> first = keras.layers.Conv2D(2, 3, kernel_initializer="ones", name="first")
    >>> backbone = keras.Sequential([keras.Input((None, None, 1)), first])
    >>> loss = Perceptual(backbone, ["first"], alpha=0.25)
    >>> image = np.zeros((1, 4, 4, 1), "float32")
    >>> float(loss(image, image + 0.5))
    1.5

    0.75 * 0.5 of the pixels, and 0.25 * 4.5 of the sums over 3 x 3 pixels.

    Reference: Johnson, Alahi and Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution", 2016.
    """

    def __init__(
        self,
        backbone: Any,
        layers: Sequence[str] | str | None,
        alpha: float = 0.5,
        distance: str = "l1",
        **kwargs: Any,
    ) -> None:
        check_number("alpha", alpha, minimum=0, maximum=1)
        check_choice("distance", distance, ("l1", "l2"))
        super().__init__(backbone, layers, **kwargs)
        self.alpha = alpha
        self.distance = distance

    @property
    def term_names(self) -> tuple[str, ...]:
        return tuple(name for name, factor in self._factors())

    def _factors(self):
        """(name, factor) of what is computed."""
        both = (("pixel", 1.0 - self.alpha), ("features", float(self.alpha)))
        return [(name, factor) for name, factor in both if factor > 0]

    def terms(self, prediction: Tensor, truth: Tensor, weights: Weights) -> list[LossTerm]:
        values = {"pixel": self._pixel_distance, "features": self._feature_distance}
        return [LossTerm(name, factor, PerSample(values[name](prediction, truth))) for name, factor in self._factors()]

    def _pixel_distance(self, prediction, truth):
        return self._mean_distance(truth, prediction)

    def _feature_distance(self, prediction, truth):
        pairs = zip(self.features(truth), self.features(prediction), strict=True)
        return self.weighted_sum([self._mean_distance(ops.stop_gradient(true), predicted) for true, predicted in pairs])

    def _mean_distance(self, a, b):
        difference = b - a
        values = safe.absolute(difference) if self.distance == "l1" else ops.square(difference)
        return per_sample_mean(values, Weights())[0]


perceptual: Function = make_functional(Perceptual, "perceptual")
