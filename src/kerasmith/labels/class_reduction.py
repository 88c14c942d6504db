"""From one value per class to one value per image."""

from collections.abc import Sequence

from keras import ops

from kerasmith._types import Absent, Tensor


def mean_over_classes(
    values: Tensor,
    actual: Tensor,
    *,
    class_weights: Sequence[float] | None = None,
    include_background: bool = True,
    absent: Absent = "score",
    predicted: Tensor | None = None,
    known: Tensor | None = None,
) -> Tensor:
    """Weighted mean over the classes, (B, C) -> (B,).

    Args:
        values: one value per image and class.
        actual: sum of y per image and class; a class with 0 is absent.
        class_weights: C numbers or None; the mean is sum(weight * value) / sum(weight).
        include_background: if False, class 0 is left out (unless it is the only one).
        absent: "score" keeps absent classes in the mean, "skip" leaves them out, "skip_both" those that are not predicted
            either; an image without any class gives 0.
        predicted: sum of p per image and class, for "skip_both".
        known: None, or (B, C): a class of 0, which has no label in this image, is left out of the mean.
    """
    weights = class_weight_row(values.shape[-1], class_weights, include_background)
    if absent != "score" or known is not None:
        present = ops.ones_like(values) if known is None else ops.cast(known, values.dtype)
        if absent != "score":
            present = present * ops.cast((actual if absent == "skip" else actual + predicted) > 0, values.dtype)
        share = present if weights is None else present * ops.convert_to_tensor(weights, values.dtype)
        total = ops.sum(share, axis=-1)
        # `where` instead of multiplying: an absent class must not contribute, whatever its value.
        present_values = ops.where(share > 0, values, ops.zeros_like(values))
        return ops.sum(present_values * share, axis=-1) / ops.where(total > 0, total, ops.ones_like(total))
    if values.shape[-1] == 1:
        return values[:, 0]
    if weights is None:
        return ops.sum(values, axis=-1) / values.shape[-1]  # `ops.mean` rounds float64 to float32 on JAX and PyTorch
    total = sum(weights)
    return ops.sum(values * ops.convert_to_tensor([w / total for w in weights], values.dtype), axis=-1)


def class_weight_row(channels: int, class_weights: Sequence[float] | None, include_background: bool) -> list[float] | None:
    """The weight of each class as a list, None if all are equal.

    Raises:
        ValueError: if the number of weights is not that of the channels, if one channel gets another weight than 1, or if
            nothing is left to average.
    """
    if channels == 1 and class_weights is not None and [float(w) for w in class_weights] != [1.0]:
        raise ValueError(
            "`class_weights` weighs the classes in a mean over several, and y_pred has one channel: it would have no effect. "
            f"Received: class_weights={class_weights}. Leave it out; to weigh foreground pixels, pass "
            "`sample_weight=keras.ops.where(y_true > 0.5, 3.0, 1.0)`."
        )
    if channels == 1 or (class_weights is None and include_background):
        return None  # the mean of one class is that class
    row = [1.0] * channels if class_weights is None else [float(w) for w in class_weights]
    if len(row) != channels:
        raise ValueError(
            f"`class_weights` needs one number per channel of y_pred. Received: {len(row)} weights for {channels} channels."
        )
    if not include_background:
        row[0] = 0.0
    if sum(row) <= 0:
        raise ValueError(
            f"No class is left to average. Received: class_weights={class_weights}, include_background={include_background}"
        )
    return row
