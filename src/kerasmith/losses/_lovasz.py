"""Lovasz loss: softmax and hinge."""

from typing import Any, Literal

from keras import ops

from kerasmith._types import Function, Scope, Tensor
from kerasmith.base import PerSample, make_functional, register
from kerasmith.base.arguments import check_choice
from kerasmith.base.weights import Weights
from kerasmith.labels.class_reduction import mean_over_classes
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._segmentation import SegmentationLoss
from kerasmith.numerics import safe, sorting


@register
class Lovasz(SegmentationLoss):
    """Lovasz loss: the convex extension of the Jaccard loss, 1 - IoU, evaluated at the errors of the pixels.

    softmax: e = |y - p|        hinge: e = max(0, 1 - (2 y - 1) * logit)
    loss = sum_k e_k (J_k - J_{k-1}), errors sorted to fall, J_k = 1 - IoU if the first k pixels are wrong

    for each class, then the mean over the classes. Decisions that are sure (p = 0 or 1) cost exactly 1 - IoU. Pixel weights
    generalise the Jaccard index, sum(w y p) / sum(w max(y, p)): a pixel of weight 0 counts as deleted. Equal errors have
    many right gradients; which one comes depends on the backend.

    Args:
        kind: "softmax": errors of probabilities, by sigmoid for binary channels; "hinge": errors of the logits of binary
            channels, needs `from_logits=True`; "auto": "hinge" for binary channels given as logits, else "softmax".
        scope: "image": one value per image; "batch": one for all pixels of the batch, with the sample weights inside; every
            sample then carries the same value. Several replicas take the batch of each replica, as pixels must be sorted.
        absent: a class absent from y_true counts with its largest error ("score"), or is left out of the mean ("skip", or
            "skip_both" if it has no error at all (since 0.2)); "auto": "skip" for competing classes, "score" for binary ones,
            as in the paper.
        include_background: if False, class 0 is left out of the mean (unless there is only one channel).
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: ids (B, *spatial) or (B, *spatial, 1), or labels in the shape of y_pred.
        y_pred: probabilities (or logits) (B, *spatial, C); C = 1 for one binary mask.
        sample_weight: (B,), applied after the loss, or (B, *spatial[, 1]), applied inside the Jaccard index.

    Returns:
        A scalar >= 0; at most 1 for "softmax" and weights of 1; (B,) for `reduction="none"`.

    Raises:
        ValueError: for shapes that would broadcast, "hinge" on probabilities or competing classes, or an unknown option.

    Example:

    >>> y_true = [[[1.0], [1.0], [0.0]]]
    >>> y_pred = [[[0.9], [0.4], [0.3]]]
    >>> round(float(Lovasz()(y_true, y_pred)), 4)
    0.3833

    Reference: Berman, Triki and Blaschko, "The Lovasz-Softmax loss", 2018.
    """

    def __init__(
        self,
        kind: str = "auto",
        *,
        scope: Scope = "image",
        absent: Literal["auto", "score", "skip", "skip_both"] = "auto",
        include_background: bool = True,
        **kwargs: Any,
    ) -> None:
        check_choice("kind", kind, ("auto", "softmax", "hinge"))
        check_choice("scope", scope, ("image", "batch"))
        check_choice("absent", absent, ("auto", "score", "skip", "skip_both"))
        super().__init__(**kwargs)
        if kind == "hinge" and not self.from_logits:
            raise ValueError(
                "kind='hinge' measures logits. Received: from_logits=False. Write `from_logits=True` and remove the last "
                "sigmoid of the model, or `kind='softmax'` to measure probabilities."
            )
        self.kind = kind
        self.scope = scope
        self.absent = absent
        self.include_background = include_background

    def per_sample(self, pixels: Pixels, weights: Weights) -> PerSample:
        truth = _rows(pixels.truth, pixels)
        weight = None
        if pixels.weight is not None:
            weight = _rows(pixels.per_class(pixels.weight) + ops.zeros_like(pixels.truth), pixels)
        errors = _rows(self._errors(pixels), pixels)
        if self.scope == "image":
            return PerSample(self._image_losses(errors, truth, weight, pixels, pixels.known_classes))
        for sample in (weights.sample, weights.valid_sample):
            if sample is not None:
                sample = ops.reshape(ops.cast(sample, truth.dtype), (-1, 1, 1))
                weight = sample * (ops.ones_like(truth) if weight is None else weight)
        errors, truth, weight = (None if x is None else _one_row(x) for x in (errors, truth, weight))
        known = pixels.known_classes
        known = known if known is None else ops.max(known, axis=0, keepdims=True)
        value = self._image_losses(errors, truth, weight, pixels, known)
        return PerSample(ops.broadcast_to(value, (ops.shape(pixels.scores)[0],)))

    def _errors(self, pixels):
        if self.kind == "hinge" and not pixels.binary:
            raise ValueError(
                f"kind='hinge' is for binary channels. Received: {pixels.channels} competing classes. "
                "Write `kind='softmax'`, or `multi_label=True` if the channels are independent masks."
            )
        if self.kind != "softmax" and pixels.binary and pixels.from_logits:
            return ops.relu(1.0 - (2.0 * pixels.truth - 1.0) * pixels.scores)
        return ops.abs(pixels.truth - pixels.probabilities)

    def _image_losses(self, errors, truth, weight, pixels, known):
        values = lovasz_jaccard(errors, truth, weight)
        absent = self.absent if self.absent != "auto" else ("score" if pixels.binary else "skip")
        return mean_over_classes(
            values,
            ops.sum(truth if weight is None else truth * weight, axis=-1),
            class_weights=self.class_weights,
            include_background=self.include_background,
            absent=absent,
            predicted=ops.sum(errors if weight is None else errors * weight, axis=-1),
            known=known,
        )


def _rows(x, pixels):
    """Values in the layout of `scores` as one row for each image and class, (B, C, N)."""
    if pixels.class_axis is None:
        return ops.expand_dims(x, 1)
    return ops.transpose(x, (0, 2, 1)) if pixels.class_axis == 2 else x


def _one_row(x):
    """(B, C, N) -> (1, C, B N)."""
    return ops.reshape(ops.transpose(x, (1, 0, 2)), (1, x.shape[1], -1))


def lovasz_jaccard(errors: Tensor, truth: Tensor, weight: Tensor | None = None) -> Tensor:
    """Lovasz extension of 1 - |intersection| / |union| along the last axis, (..., N) -> (...).

    value = sum_k e_k (J_k - J_{k-1}), errors sorted to fall, J_k the Jaccard loss if the first k pixels are wrong

    The differences are written as w ((1 - y) I_k + y U_k) / (U_{k-1} U_k): subtracting two numbers close to 1 would leave
    noise of float32 that is as large as the share of one pixel in a large image.

    Args:
        errors: >= 0, (..., N).
        truth: labels 0 to 1 in the shape of `errors`; without any label the value is the largest error.
        weight: None, or >= 0 in that shape; a pixel of weight 0 counts as deleted.
    """
    order = sorting.argsort(-errors)
    ones = sorting.take(truth if weight is None else truth * weight, order)
    total = ones if weight is None else sorting.take(weight, order)
    zeros = (1.0 - ones) if weight is None else total - ones
    positives = ops.sum(ones, axis=-1, keepdims=True)
    intersection = ops.relu(positives - ops.cumsum(ones, axis=-1))
    union = positives + ops.cumsum(zeros, axis=-1)
    before = union - zeros
    share = safe.ratio(zeros * intersection + ones * union, before * union, when_empty=0.0)
    # Where nothing is labelled, the first pixel that counts makes the union, and the loss, full.
    first = (before <= 0) & (zeros > 0)
    slope = ops.stop_gradient(ops.where(first, ops.ones_like(share), share))
    return ops.sum(sorting.take(errors, order) * slope, axis=-1)


lovasz: Function = make_functional(Lovasz, "lovasz")
