"""What a generator minimises."""

import dataclasses

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.weights import Weights
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import LabelDomain
from kerasmith.losses._adversarial import JUDGED, AdversarialLoss, label_of_each
from kerasmith.numerics.tensors import accumulation_dtype, static_shape

_WHOLE = dataclasses.replace(
    JUDGED,
    fractions="y_true must hold 1 (real) or 0 (generated) for a GeneratorLoss. Received: fractions. Smoothed labels belong to "
    "the discriminator: `DiscriminatorLoss(label_smoothing=...)`.",
)
_SOME_GENERATED = LabelDomain(
    "A GeneratorLoss needs generated samples, which have y_true = 0.",
    "All are 1, real. Write `ops.zeros_like(y_pred)`: unlike with a cross-entropy, the labels are not turned round to deceive "
    "the discriminator, the loss does that.",
    0,
    0.5,
)


@register
class GeneratorLoss(AdversarialLoss):
    """What a generator minimises: that the discriminator takes its samples for real ones (since 0.2).

    With d the raw output of the discriminator for a generated sample:

        bce             log(1 + e^-d), the form that does not saturate
        hinge           -d
        least_squares   (d - 1)^2
        wgan            -d

    Real samples, y = 1, do not count: they leave the sum and the number, as if they were masked.

    Args:
        kind: "bce", "hinge", "least_squares" or "wgan"; the same as that of the `DiscriminatorLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: 1 = real, 0 = generated: (B,), (B, 1), or one for each output, in the shape of y_pred.
        y_pred: the raw outputs of the discriminator, (B,) or (B, ...), without a sigmoid; of each sample the mean is taken.
        sample_weight: (B,), or one for each output.

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError: for an unknown kind, labels other than 0 and 1, a batch without a generated sample, or shapes that would
            broadcast.

    Example:

    >>> loss = GeneratorLoss("least_squares", reduction="none")
    >>> [round(float(v), 4) for v in loss([0, 0], [[1.0], [-0.5]])]
    [0.0, 2.25]
    >>> round(float(GeneratorLoss("hinge")([0, 0, 1], [1.0, 0.5, 9.0])), 4)
    -0.75

    References: see `losses.DiscriminatorLoss`.
    """

    domain: LabelDomain = _WHOLE

    def read(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
        labels, y_pred = super().read(y_true, y_pred, weights)
        if 0 not in static_shape(labels, "y_true"):
            check_labels(ops.zeros_like(labels) + ops.min(labels), _SOME_GENERATED)
        return labels, y_pred

    def without_missing(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> Weights:
        dtype = accumulation_dtype(self.dtype)
        labels = label_of_each(y_true, y_pred)
        # Labels that are neither 1 nor 0 stay, so that `read` refuses them, as do all where none is generated.
        generated = ops.not_equal(ops.cast(labels, dtype), 1.0)
        generated = ops.logical_or(generated, ops.logical_not(ops.any(generated)))
        rank, one_a_sample = len(generated.shape), all(size == 1 for size in static_shape(labels, "y_true")[1:])
        # Not `ops.any`, which in Keras 3.12 on PyTorch takes one axis only.
        number = ops.sum(ops.cast(generated, dtype), axis=tuple(range(1, rank)))
        sample = ops.cast(ops.greater(number, 0), dtype)
        if weights.valid_sample is not None:
            sample = sample * ops.cast(weights.valid_sample, dtype)
        if one_a_sample:
            return dataclasses.replace(weights, valid_sample=sample)
        counts = ops.cast(generated, dtype)
        if weights.valid_pixel is not None:
            valid = ops.cast(weights.valid_pixel, dtype)
            counts = counts * ops.reshape(valid, (*ops.shape(valid), *(1,) * (rank - len(valid.shape))))
        return dataclasses.replace(weights, valid_sample=sample, valid_pixel=counts)

    def output_losses(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if self.kind == "bce":
            return ops.softplus(-y_pred)
        return ops.square(y_pred - 1.0) if self.kind == "least_squares" else -y_pred


generator_loss: Function = make_functional(GeneratorLoss, "generator_loss")
