"""The core of the adversarial family: labels, raw outputs of a discriminator -> loss per output -> mean of each sample."""

import dataclasses
from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Loss, PerSample
from kerasmith.base.arguments import check_choice
from kerasmith.base.elements import per_sample_mean
from kerasmith.base.weights import Weights
from kerasmith.labels.alignment import align, check_batch
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import BINARY, LabelDomain
from kerasmith.numerics.tensors import accumulation_dtype, static_shape

KINDS = ("hinge", "least_squares", "bce", "wgan")

JUDGED = dataclasses.replace(
    BINARY,
    expected="y_true must hold 1 (real) and 0 (generated).",
    advice="Write `ops.ones_like(y_pred)` for real samples and `ops.zeros_like(y_pred)` for generated ones.",
)


class AdversarialLoss(Loss):
    """Base of losses of what a discriminator says of real and of generated samples (since 0.2).

    A subclass implements `output_losses`.

    loss = sum(w l) / (number of outputs) for each sample: a discriminator may give one number a sample, or one a patch.

    Args:
        kind: "bce", "hinge", "least_squares" or "wgan".
        reduction, name, dtype: see `kerasmith.base.Loss`.
    """

    _reads_one_array = True
    domain: LabelDomain = JUDGED

    def __init__(self, kind: str = "bce", **kwargs: Any) -> None:
        check_choice("kind", kind, KINDS)
        super().__init__(**kwargs)
        self.kind = kind

    def weight_shape(self, y_pred: Tensor) -> tuple[int | None, ...]:
        shape = static_shape(y_pred, "y_pred")
        if not shape:
            raise ValueError("y_pred must be what a discriminator says of a batch, (batch, ...). Received: a scalar")
        return shape[:-1] if len(shape) > 1 else shape

    def target_shape(self, y_pred: Tensor) -> tuple[int | None, ...] | None:
        return static_shape(y_pred, "y_pred")

    def read(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
        """Labels, one for each output or one a sample with trailing 1s, and outputs, in the dtype of sums."""
        dtype = accumulation_dtype(self.dtype)
        labels = ops.cast(check_labels(label_of_each(y_true, y_pred), self.domain), dtype)
        return labels, ops.cast(y_pred, dtype)

    def per_sample(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> PerSample:
        return PerSample(*per_sample_mean(self.output_losses(y_true, y_pred), weights))

    def output_losses(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The loss of each output of the discriminator, in the shape of `y_pred`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `output_losses`.")


def label_of_each(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Labels with the rank of `y_pred`: one for each output, or one a sample followed by 1s.

    Raises:
        ValueError: for any other shape.
    """
    given, rank = static_shape(y_true, "y_true"), len(static_shape(y_pred, "y_pred"))
    if not given:
        raise ValueError("y_true must hold one label a sample, (batch,), or one for each output. Received: a scalar")
    check_batch(y_true, y_pred)
    if all(size == 1 for size in given[1:]):
        return ops.reshape(y_true, (-1,) + (1,) * (rank - 1))
    return align(y_true, y_pred)
