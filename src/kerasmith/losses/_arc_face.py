"""Additive angular margin loss."""

import math
from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import Loss, PerSample, make_functional, register
from kerasmith.base.arguments import check_number
from kerasmith.base.weights import Weights
from kerasmith.keras_internals.tensors import is_concrete
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import LabelDomain, class_id_domain
from kerasmith.losses._embedding import batch_axis, per_sample_labels
from kerasmith.numerics.pairs import row_logsumexp
from kerasmith.numerics.tensors import accumulation_dtype, compatible, static_shape

_ONE_CLASS = LabelDomain(
    "One-hot labels must hold 0 and 1: a margin belongs to one class.",
    "Write `y_true > 0` for labels stored as 0 and {high}, or `keras.ops.argmax(y_true, axis=-1)` for soft ones.",
    0,
    1,
    "One-hot labels must hold 0 and 1: a margin belongs to one class. Received: fractions. "
    "Write `keras.ops.argmax(y_true, axis=-1)` for soft labels.",
)
_FLAT = 1e-7  # sin^2 below counts as this: the slope of the sine is infinite at cos = +-1


@register
class ArcFace(Loss):
    """ArcFace: softmax cross-entropy on cosines, with a margin added to the angle of the true class.

    loss = -log(e_t / (e_t + sum over the other classes j of exp(scale cos_j))), with e_t = exp(scale phi(cos_t)) and
    phi(cos theta) = cos(theta + margin) for theta <= pi - margin, else cos theta - margin sin(margin)

    Past pi - margin the cosine of the sum would rise again and reward the worst predictions; the second form of phi keeps
    falling (with a step of margin sin(margin) - 1 + cos(margin), the authors' choice). End the model with
    `layers.ArcFaceLogits(num_classes)`. For prediction the largest cosine decides; the margin plays no part.

    Args:
        margin: angle in radians, 0 <= margin < pi / 2. Libraries that want degrees: 28.6 is .5 here.
        scale: number > 0, the inverse temperature of the softmax.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: class ids (B,) or (B, 1), or one-hot labels (B, C).
        y_pred: cosines (B, C) in [-1, 1], C >= 2: not scaled, no softmax.
        sample_weight: a scalar, (B,) or (B, 1).

    Returns:
        A scalar >= 0; (B,) for `reduction="none"`. The gradient is finite at cosines of 1 and -1.

    Raises:
        ValueError: for other shapes, ids outside 0..C-1, predictions that are not cosines (in eager calls only), or
            numbers out of range.

    Example:

    >>> y_true = [0, 1]
    >>> y_pred = [[0.9, 0.1, -0.3], [0.5, 0.6, 0.0]]
    >>> [round(float(v), 4) for v in ArcFace(margin=0.5, scale=10.0, reduction="none")(y_true, y_pred)]
    [0.0083, 3.6042]

    Reference: Deng, Guo, Xue and Zafeiriou, "ArcFace: additive angular margin loss for deep face recognition", 2019.
    """

    _reads_one_array = True

    def __init__(self, margin: float = 0.5, scale: float = 64.0, **kwargs: Any) -> None:
        check_number("margin", margin, minimum=0)
        if margin >= math.pi / 2:
            raise ValueError(
                f"`margin` is an angle in radians below pi / 2. Received: margin={margin}. "
                f"Write `margin=math.radians({margin})` for degrees."
            )
        check_number("scale", scale, above=0)
        super().__init__(**kwargs)
        self.margin = margin
        self.scale = scale

    def weight_shape(self, y_pred: Tensor) -> tuple[int | None, ...]:
        return batch_axis(y_pred, "cosines of shape (batch, classes)", 2)

    def per_sample(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> PerSample:
        self.weight_shape(y_pred)
        if static_shape(y_pred, "y_pred")[1] == 1:
            raise ValueError(f"y_pred must hold the cosines of at least 2 classes. Received: y_pred of shape {y_pred.shape}")
        truth = _truth(y_true, y_pred, weights.valid_sample)
        _check_cosines(y_pred)
        cosine = ops.cast(y_pred, accumulation_dtype(y_pred.dtype))
        true_cosine = ops.sum(ops.where(truth, cosine, ops.zeros_like(cosine)), axis=-1)
        others = row_logsumexp(self.scale * cosine, ops.logical_not(truth))
        return PerSample(ops.softplus(others - self.scale * self._with_margin(true_cosine)))

    def _with_margin(self, cosine):
        square = 1.0 - cosine * cosine
        sine = ops.sqrt(ops.where(square > _FLAT, square, _FLAT))
        sharper = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        beyond = cosine - self.margin * math.sin(self.margin)
        return ops.where(cosine >= -math.cos(self.margin), sharper, beyond)


def _truth(y_true, y_pred, valid):
    """Which entry of y_pred belongs to the true class, (B, C) booleans."""
    labels, predictions = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    if len(labels) != 2 or labels[1] == 1:
        ids = per_sample_labels(y_true, y_pred, "class ids")
        ids = check_labels(ids, class_id_domain(predictions[1]), valid)
        ids = ops.cast(ids, "int32")
        return ops.equal(ids[:, None], ops.arange(ops.shape(y_pred)[1], dtype="int32")[None, :])
    if not compatible(labels, predictions):
        raise ValueError(
            f"y_true of shape {labels} and y_pred of shape {predictions} would broadcast. Expected class ids "
            f"({predictions[0]},) or ({predictions[0]}, 1), or one-hot labels {predictions}."
        )
    y_true = check_labels(y_true, _ONE_CLASS, None if valid is None else valid[:, None])
    return ops.cast(y_true, "float32") > 0.5


def _check_cosines(y_pred):
    if not is_concrete(y_pred) or 0 in tuple(y_pred.shape):
        return
    largest = float(ops.max(ops.abs(y_pred)))
    if largest > 1.01:  # half precision rounds beyond 1
        raise ValueError(
            f"y_pred must be cosines in [-1, 1]. Received: an absolute value of {largest:.4g}. End the model with "
            "`kerasmith.layers.ArcFaceLogits(num_classes)`, without activation; the loss does the scaling."
        )


arc_face: Function = make_functional(ArcFace, "arc_face")
