"""Centerline Dice loss."""

from typing import Any

from keras import ops

from kerasmith._types import Function
from kerasmith.base import PerSample, make_functional, register
from kerasmith.base.arguments import check_integer, check_number
from kerasmith.base.weights import Weights
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._shape import ShapeLoss, one_channel, sum_over_pixels, valid_images
from kerasmith.numerics import safe
from kerasmith.numerics.skeleton import soft_skeleton


@register
class CenterlineDice(ShapeLoss):
    """Centerline Dice loss (clDice): whether the centre lines of vessels, roads or fibres lie inside each other's masks.

    precision = (sum(S(p) y) + s) / (sum(S(p)) + s)
    sensitivity = (sum(S(y) p) + s) / (sum(S(y)) + s)
    loss = 1 - 2 precision sensitivity / (precision + sensitivity), S the soft skeleton

    The authors mix it with Dice: `0.5 * Dice() + 0.5 * CenterlineDice()`. Pixel weights go into the four sums; skeletons are
    those of all valid pixels, ignored and masked ones are background.

    Args:
        iterations: erosions of the soft skeleton; at least half the width of the widest structure, in pixels.
        smooth: s >= 0, in pixels of a skeleton.
        include_background: see `losses.ShapeLoss`.
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: labels as for `losses.Dice`.
        y_pred: probabilities (or logits) (B, *spatial, C), 1-D to 3-D images.
        sample_weight: (B,), or (B, *spatial[, 1]) inside the sums.

    Returns:
        A scalar in [0, 1] for weights of 1; (B,) for `reduction="none"`.

    Raises:
        ValueError: for shapes that would broadcast, predictions that are no images of 1 to 3 dimensions, or an unknown option.

    Example:

    >>> y_true = [[[0.0], [0.0], [0.0]], [[1.0], [1.0], [1.0]], [[0.0], [0.0], [0.0]]]
    >>> broken = [[[0.0], [0.0], [0.0]], [[1.0], [0.0], [1.0]], [[0.0], [0.0], [0.0]]]
    >>> round(float(CenterlineDice(2, smooth=0)([y_true], [broken])), 4)  # precision 1, sensitivity 2 / 3
    0.2

    Reference: Shit et al., "clDice - a novel topology-preserving loss function for tubular structure segmentation", 2021.
    """

    def __init__(self, iterations: int = 10, *, smooth: float = 1.0, **kwargs: Any) -> None:
        check_integer("iterations", iterations, minimum=0)
        check_number("smooth", smooth, minimum=0)
        super().__init__(**kwargs)
        self.iterations = iterations
        self.smooth = smooth

    def per_sample(self, pixels: Pixels, weights: Weights) -> PerSample:
        dimensions = len(pixels.spatial)
        if dimensions > 3:
            raise ValueError(f"CenterlineDice needs 1-D, 2-D or 3-D images. Received: y_pred with {dimensions} spatial axes")
        truth, predicted = valid_images(pixels.truth, pixels), valid_images(pixels.probabilities, pixels)
        weight = None if pixels.weight is None else one_channel(pixels.weight, pixels)
        precision = self._share(self._skeleton(predicted), truth, weight)
        sensitivity = self._share(self._skeleton(truth), predicted, weight)
        harmonic = safe.ratio(2.0 * precision * sensitivity, precision + sensitivity, when_empty=0.0)
        return PerSample(self.mean_over_classes(1.0 - harmonic, pixels))

    def _skeleton(self, images):
        sizes = ops.shape(images)
        return ops.reshape(soft_skeleton(ops.reshape(images, (-1, *sizes[2:])), self.iterations), sizes)

    def _share(self, skeleton, mask, weight):
        """How much of a skeleton lies inside a mask, (B, C)."""
        skeleton = skeleton if weight is None else skeleton * weight
        inside, length = sum_over_pixels(skeleton * mask), sum_over_pixels(skeleton)
        return safe.ratio(inside + self.smooth, length + self.smooth, when_empty=1.0)


centerline_dice: Function = make_functional(CenterlineDice, "centerline_dice")
