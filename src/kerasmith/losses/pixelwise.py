"""The core of the pixel family: labels -> loss per pixel -> weighted mean over the valid pixels of each image."""

from keras import ops

from kerasmith.base import PerSample
from kerasmith.losses.segmentation import SegmentationLoss


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

    def of_pixels(self, pixels, weights):
        losses = self.pixel_losses(pixels)
        weight = pixels.weight
        if self.class_weights is not None:
            by_class = label_values(pixels, self.class_weights, "class_weights")
            if len(losses.shape) == 3:
                losses = losses * by_class
            else:
                weight = by_class if weight is None else weight * by_class
        if len(losses.shape) == 3:
            losses = ops.mean(losses, axis=pixels.class_axis)
        if weight is None:
            return PerSample(ops.mean(losses, axis=-1))
        if pixels.valid is None:
            return PerSample(ops.mean(losses * weight, axis=-1), ops.mean(weight, axis=-1))
        count = ops.maximum(ops.sum(pixels.valid, axis=-1), 1.0)
        mass = None if weight is pixels.valid else ops.sum(weight, axis=-1) / count
        return PerSample(ops.sum(losses * weight, axis=-1) / count, mass)

    def pixel_losses(self, pixels):
        """The loss of each pixel, (B, N); of each pixel and channel, in the layout of `scores`, for independent channels."""
        raise NotImplementedError(f"{type(self).__name__} must implement `pixel_losses`.")


def label_values(pixels, values, what):
    """The value that belongs to the label of each pixel, (B, N); for independent channels one per channel, (1, 1, C)."""
    if pixels.class_axis is None:
        if len(values) != 2:
            raise ValueError(
                f"`{what}` needs two numbers (background, foreground) for y_pred with one channel. Received: {len(values)}"
            )
        background, foreground = (float(v) for v in values)
        return background + (foreground - background) * pixels.truth
    row = channel_row(pixels, values, what)
    if pixels.ids is not None:
        return ops.take(ops.reshape(row, (-1,)), pixels.ids, axis=0)
    return row if pixels.multi_label else ops.sum(pixels.truth * row, axis=pixels.class_axis)


def channel_row(pixels, values, what):
    """One number per channel, in a shape that multiplies `scores`."""
    if len(values) != pixels.channels:
        raise ValueError(
            f"`{what}` needs one number per channel of y_pred. Received: {len(values)} for {pixels.channels} channels"
        )
    row = ops.convert_to_tensor([float(v) for v in values], pixels.scores.dtype)
    return ops.reshape(row, (1, -1, 1) if pixels.class_axis == 1 else (1, 1, -1))


def log_probabilities(pixels):
    """log(softmax) of each pixel and class, in the layout of `scores`."""
    if pixels.from_logits:
        return ops.log_softmax(pixels.scores, axis=pixels.class_axis)
    return ops.log(_floored(pixels))


def _floored(pixels):
    # Keras' own bound, so that values agree with its cross-entropies.
    return ops.clip(pixels.scores, 1e-7, 1.0 - 1e-7)


def binary_cross_entropy(pixels, truth):
    """-(y log p + (1 - y) log(1 - p)) of each pixel and channel."""
    if pixels.from_logits:
        return ops.softplus(pixels.scores) - pixels.scores * truth
    p = _floored(pixels)
    return -(truth * ops.log(p) + (1.0 - truth) * ops.log(1.0 - p))


def at_label(values, pixels):
    """The entry of `values`, in the layout of `scores`, at the class id of each pixel, (B, N)."""
    index = ops.expand_dims(pixels.ids, pixels.class_axis)
    return ops.squeeze(ops.take_along_axis(values, index, axis=pixels.class_axis), pixels.class_axis)
