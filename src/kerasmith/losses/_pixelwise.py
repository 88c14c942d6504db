"""The core of the pixel family: labels -> loss per pixel -> weighted mean over the valid pixels of each image."""

from collections.abc import Sequence

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import PerSample
from kerasmith.base.weights import Weights
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._segmentation import SegmentationLoss
from kerasmith.numerics.safe import probability_floor
from kerasmith.numerics.softmax import log_softmax


class PixelLoss(SegmentationLoss):
    """Base of losses that are a sum over pixels. A subclass implements `pixel_losses`.

    loss = sum(w l) / (number of valid pixels) for each image. Pixel weights follow this rule, which U-Net weight maps rely
    on; under `reduction="mean_with_sample_weight"` the loss is sum(w l) / sum(w). Class weights act as pixel weights chosen
    by the label. Ignored and masked pixels leave both the sum and the number.

    Args:
        class_weights: one number >= 0 per channel; for a single channel two, background and foreground.
        from_logits, axis, labels, ignore_class, multi_label: see `SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.
    """

    def per_sample(self, pixels: Pixels, weights: Weights) -> PerSample:
        losses = self.pixel_losses(pixels)
        doubt = pixels.doubt
        if doubt is None or not doubt.is_open or not self.sums_all_pixels:
            return self._weighted(losses, pixels)
        labels = pixels.ids if pixels.dense is None else pixels.dense
        if not doubt.is_marked and len(losses.shape) == len(labels.shape):
            losses = doubt.marked(losses, labels)
        result = self._weighted(losses, pixels)
        if doubt.is_marked:
            doubt.settle_by_sum(result.values)
        return result

    @property
    def sums_all_pixels(self) -> bool:
        """Whether a loss that is NaN for one pixel is NaN for its image."""
        return type(self).over_pixels is PixelLoss.over_pixels and type(self).over_channels is PixelLoss.over_channels

    def _weighted(self, losses, pixels):
        weight = pixels.weight
        if self.class_weights is not None:
            by_class = label_values(pixels, self.class_weights, "class_weights")
            if len(losses.shape) == 3:
                losses = losses * by_class
            else:
                weight = by_class if weight is None else weight * by_class
        valid = pixels.valid
        if weight is not None and len(weight.shape) == 3:
            return PerSample(*self.over_channels(losses, weight, valid, pixels.class_axis))
        if len(losses.shape) == 3:
            losses = ops.sum(losses, axis=pixels.class_axis) / pixels.channels
        return PerSample(*self.over_pixels(losses, weight, valid))

    def over_pixels(self, losses: Tensor, weight: Tensor, valid: Tensor) -> tuple[Tensor, Tensor | None]:
        """From (B, N) losses and weights (or None) to (B,) values and mean weights (or None)."""
        if weight is None:
            return _pixel_mean(losses), None
        if valid is None:
            return _pixel_mean(losses * weight), _pixel_mean(weight)
        count = ops.maximum(ops.sum(valid, axis=-1), 1.0)
        weight_mean = None if weight is valid else ops.sum(weight, axis=-1) / count
        return ops.sum(losses * weight, axis=-1) / count, weight_mean

    def over_channels(
        self, losses: Tensor, weight: Tensor, valid: Tensor | None, class_axis: int
    ) -> tuple[Tensor, Tensor | None]:
        """`over_pixels` where each channel of a pixel has a weight: all are in the layout of `pixels.scores`."""
        flat = (None if x is None else ops.reshape(x, (ops.shape(x)[0], -1)) for x in (losses, weight, valid))
        return PixelLoss.over_pixels(self, *flat)

    def pixel_losses(self, pixels: Pixels) -> Tensor:
        """The loss of each pixel, (B, N); of each pixel and channel, in the layout of `scores`, for independent channels."""
        raise NotImplementedError(f"{type(self).__name__} must implement `pixel_losses`.")


def _pixel_mean(x):
    # `ops.mean` rounds float64 to float32 on JAX and PyTorch.
    return ops.sum(x, axis=-1) / ops.cast(ops.shape(x)[1], x.dtype)


def label_values(pixels: Pixels, values: Sequence[float], what: str) -> Tensor:
    """The value that belongs to the label of each pixel, (B, N); for independent channels one per channel, (1, 1, C)."""
    if pixels.class_axis is None:
        background, foreground = two_values(values, what)
        return background + (foreground - background) * pixels.truth
    row = channel_row(pixels, values, what)
    if pixels.ids is not None:
        return ops.take(ops.reshape(row, (-1,)), pixels.ids, axis=0)
    return row if pixels.multi_label else ops.sum(pixels.truth * row, axis=pixels.class_axis)


def two_values(values: Sequence[float], what: str) -> tuple[float, float]:
    """The values of background and foreground of one channel."""
    if len(values) != 2:
        raise ValueError(
            f"`{what}` needs two numbers (background, foreground) for y_pred with one channel. Received: {len(values)}"
        )
    return float(values[0]), float(values[1])


def channel_row(pixels: Pixels, values: Sequence[float], what: str) -> Tensor:
    """One number per channel, in a shape that multiplies `scores`."""
    if len(values) != pixels.channels:
        raise ValueError(
            f"`{what}` needs one number per channel of y_pred. Received: {len(values)} for {pixels.channels} channels"
        )
    row = ops.convert_to_tensor([float(v) for v in values], pixels.scores.dtype)
    return ops.reshape(row, (1, -1, 1) if pixels.class_axis == 1 else (1, 1, -1))


def log_probabilities(pixels: Pixels) -> Tensor:
    """log(softmax) of each pixel and class, in the layout of `scores`."""
    if pixels.from_logits:
        return log_softmax(pixels.scores, pixels.class_axis)
    return ops.log(_floored(pixels))


def _floored(pixels):
    return probability_floor(pixels.scores)


def binary_cross_entropy(pixels: Pixels, truth: Tensor) -> Tensor:
    """-(y log p + (1 - y) log(1 - p)) of each pixel and channel."""
    if pixels.from_logits and keras.backend.backend() == "torch":
        # One kernel each way; XLA fuses the line below, with one logarithm where Keras takes two.
        return ops.binary_crossentropy(truth, pixels.scores, from_logits=True)
    if pixels.from_logits:
        return ops.softplus(pixels.scores) - pixels.scores * truth
    p = _floored(pixels)
    return -(truth * ops.log(p) + (1.0 - truth) * ops.log(1.0 - p))


def at_truth(values: Tensor, pixels: Pixels) -> Tensor:
    """The sum over classes of dense labels times `values`, in the layout of `scores`, of each pixel, (B, N)."""
    return ops.sum(pixels.marked(pixels.truth * values), axis=pixels.class_axis)


def at_label(values: Tensor, pixels: Pixels) -> Tensor:
    """The entry of `values`, in the layout of `scores`, at the class id of each pixel, (B, N)."""
    axis = pixels.class_axis
    if keras.backend.backend() == "torch":
        return values.gather(axis, pixels.ids.long().unsqueeze(axis)).squeeze(axis)
    if pixels.channels > 16:
        return ops.squeeze(ops.take_along_axis(values, ops.expand_dims(pixels.ids, axis), axis=axis), axis)
    # XLA fuses a choice among few classes with what comes before and after; a gather, and its scatter, it runs one by one.
    parts = ops.unstack(values, axis=axis)
    chosen = parts[0]
    for number, part in enumerate(parts[1:], start=1):
        chosen = ops.where(ops.equal(pixels.ids, number), part, chosen)
    return chosen
