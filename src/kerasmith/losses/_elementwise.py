"""The core of the regression family: targets and predictions of one shape -> loss per element -> mean of each sample."""

import dataclasses
from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Loss, PerSample
from kerasmith.base.arguments import check_choice
from kerasmith.base.elements import per_sample_mean, without_unused
from kerasmith.base.weights import Weights
from kerasmith.labels.alignment import align
from kerasmith.numerics.tensors import accumulation_dtype, static_shape


class ElementwiseLoss(Loss):
    """Base of losses that are a mean over elements. A subclass implements `element_losses`.

    loss = sum(w l) / (number of valid elements) for each sample; weights may be those of places, (B, *spatial), or of single
    targets, in the shape of y_true (since 0.2). Under `reduction="mean_with_sample_weight"` it is
    sum(w l) / sum(w). Masked elements leave both the sum and the number. Where a weight is 0 the target may be missing (NaN).

    y_true and y_pred have one shape, (B,) or (B, *spatial, C); a trailing 1 may be missing on one side. Any other difference
    is an error, not a broadcast.

    Args:
        missing: "nan": targets that are NaN are missing: they leave the sum and the number, and the others of the sample
            count; None: they make the loss NaN (since 0.2).
        reduction, name, dtype: see `kerasmith.base.Loss`.
    """

    _reads_one_array = True
    reference_name = "y_pred"

    def __init__(self, *, missing: str | None = None, **kwargs: Any) -> None:
        check_choice("missing", missing, (None, "nan"))
        super().__init__(**kwargs)
        self.missing = missing

    def weight_shape(self, y_pred: Tensor) -> tuple[int | None, ...]:
        shape = static_shape(y_pred, "y_pred")
        return shape[:-1] if len(shape) > 1 else shape

    def target_shape(self, y_pred: Tensor) -> tuple[int | None, ...] | None:
        return static_shape(self.reference(y_pred), "y_pred")

    def without_missing(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> Weights:
        if self.missing is None:
            return weights
        dtype = accumulation_dtype(self.dtype)
        targets = align(ops.cast(y_true, dtype), self.reference(y_pred), self.reference_name)
        known = ops.cast(ops.logical_not(ops.isnan(targets)), dtype)
        if weights.valid_pixel is not None:
            valid = ops.cast(weights.valid_pixel, dtype)
            known = known * ops.reshape(valid, (*ops.shape(valid), *(1,) * (len(known.shape) - len(valid.shape))))
        return dataclasses.replace(weights, valid_pixel=known)

    def read(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
        """Targets in the shape of `reference(y_pred)` and predictions, both in the dtype of sums."""
        dtype = accumulation_dtype(self.dtype)
        y_true, y_pred = ops.cast(y_true, dtype), ops.cast(y_pred, dtype)
        y_true = align(y_true, self.reference(y_pred), self.reference_name)
        return without_unused(y_true, weights), y_pred

    def reference(self, y_pred: Tensor) -> Tensor:
        """The part of the predictions that has the shape of the targets."""
        return y_pred

    def per_sample(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> PerSample:
        return PerSample(*per_sample_mean(self.element_losses(y_true, y_pred), weights))

    def element_losses(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The loss of each element, (B, ...)."""
        raise NotImplementedError(f"{type(self).__name__} must implement `element_losses`.")
