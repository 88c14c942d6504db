"""A loss per unit of exposure."""

from typing import Any

import keras
from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import KerasLoss, Loss, LossTerm, PerSample, make_functional, register
from kerasmith.base.arguments import check_choice
from kerasmith.base.weighted_sum import as_loss
from kerasmith.base.weights import Weights
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import LabelDomain
from kerasmith.numerics.tensors import accumulation_dtype, static_shape

_EXPOSURE = LabelDomain("The exposure, the last column of y_true, must be a number >= 0.", "Is it the first column?", 0)


@register
class ExposureWeighted(Loss):
    """Any loss of rates, weighed by the exposure behind each rate: insured years, watched hours, screened patients.

    loss_i = exposure_i * loss(target_i, y_pred_i)

    and under `reduction="mean_with_sample_weight"` the sum of loss_i is divided by the total exposure, times sample weights
    where both are given. Samples without exposure count for nothing and may have any target.

    Claim frequency: the target is n / e claims a year for a policy with n claims in e insured years. exposure * Poisson loss
    is then e m - n log m, up to a constant the negative log-likelihood of n under a Poisson distribution of mean e m, so one
    policy over two years weighs as much as two over one.

    Args:
        loss: the loss of one sample: an instance of a kerasmith or Keras loss, or a name such as "poisson". Its own reduction
            is not used.
        exposure: "y_true": the last column of y_true holds the exposure, the others the target. "sample_weight": y_true is
            the target and the exposure is passed as `sample_weight`; without it every exposure is 1.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: (B, K + 1), targets and exposure >= 0; with exposure="sample_weight" what `loss` takes.
        y_pred: (B, K), or (B,) for K = 1: what `loss` takes.
        sample_weight: (B,), on top of the exposure in y_true.

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        TypeError: if `loss` is no loss.
        ValueError: for shapes that would broadcast, no exposure column, or an exposure below 0 (where it can be read).

    Example:

    >>> claims_a_year_and_years = [[0.0, 3.0], [1.0, 1.0]]
    >>> loss = ExposureWeighted("mse", reduction="mean_with_sample_weight")
    >>> round(float(loss(claims_a_year_and_years, [[0.25], [0.25]])), 4)
    0.1875
    """

    def __init__(self, loss: keras.losses.Loss | str = "poisson", exposure: str = "y_true", **kwargs: Any) -> None:
        check_choice("exposure", exposure, ("y_true", "sample_weight"))
        if isinstance(loss, type):
            raise TypeError(f"`loss` must be a loss or a name, not a class. Write `loss={loss.__name__}()`.")
        super().__init__(**kwargs)
        self.loss = loss
        self.exposure = exposure
        self._each = KerasLoss(loss, dtype=accumulation_dtype(self.dtype)) if isinstance(loss, str) else as_loss(loss)

    @property
    def term_names(self) -> tuple[str, ...] | None:
        return self._each.term_names

    def weight_shape(self, y_pred: Tensor) -> tuple[int | None, ...]:
        return static_shape(y_pred, "y_pred")[:1]

    def terms(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> list[LossTerm]:
        exposure = None
        dtype = accumulation_dtype(self.dtype)
        y_pred = ops.cast(y_pred, dtype)
        if self.exposure == "y_true":
            y_true, exposure = _target_and_exposure(ops.cast(y_true, dtype), y_pred)
        return [
            LossTerm(term.name if self.term_names else self.name, term.factor, _weighted(term.per_sample.values, exposure))
            for term, _ in self._each.weighted_terms(y_true, y_pred)
        ]


def _target_and_exposure(y_true, y_pred):
    shape, predictions = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    if len(shape) != 2 or shape[1] is None or shape[1] < 2:
        raise ValueError(
            "y_true must hold the target and, in the last column, the exposure: (B, 2) for one target. "
            f"Received: y_true of shape {shape} for y_pred of shape {predictions}. "
            'Write `np.stack([rate, exposure], axis=1)`, or pass exposure="sample_weight".'
        )
    target, exposure = y_true[:, :-1], y_true[:, -1]
    exposure = check_labels(exposure, _EXPOSURE)
    # A rate without exposure is often 0 / 0.
    return ops.where(ops.expand_dims(exposure > 0, -1), target, ops.zeros_like(target)), exposure


def _weighted(values, exposure):
    return PerSample(values) if exposure is None else PerSample(values * ops.cast(exposure, values.dtype), exposure)


exposure_weighted: Function = make_functional(ExposureWeighted, "exposure_weighted")
