"""Total variation of the predictions."""

from typing import Any

from kerasmith._types import Contract, Function, Tensor
from kerasmith.base import PerSample, make_functional, register
from kerasmith.base.arguments import check_choice
from kerasmith.base.elements import per_sample_mean
from kerasmith.base.weights import Weights
from kerasmith.labels.alignment import check_batch
from kerasmith.losses._image import ImageLoss
from kerasmith.numerics.total_variation import variation_map


@register
class TotalVariation(ImageLoss):
    """Total variation of the predicted images: how much neighbouring pixels differ. A term for sums, `MSE + 0.1 * TV`.

    anisotropic: loss = sum(|d_1| + |d_2| (+ |d_3|)) / (number of pixels and channels)
    isotropic:   loss = sum(sqrt(d_1^2 + d_2^2 (+ d_3^2))) / (number of pixels and channels)

    d_k is the difference to the next pixel along axis k, 0 behind the last one. It is a mean, so a factor suits images of any
    size; multiply by the number of pixels and channels for the sum that other libraries return. A pixel weight weighs the
    differences that start at its pixel; differences that touch a masked pixel do not count.

    Args:
        kind: "anisotropic" or "isotropic" (rotation counts less; gradient 0 where the image is constant).
        axis: the channel axis, -1 or 1.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: anything of B samples; not read.
        y_pred: (B, H, W, C) or (B, D, H, W, C).
        sample_weight: (B,), or (B, *spatial[, 1]): sum(w l) / (number of valid pixels).

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError: unless y_pred holds images or volumes.

    Example:

    >>> step = [[[[0.0], [1.0]], [[0.0], [1.0]]]]
    >>> float(TotalVariation()(step, step))
    0.5
    >>> from kerasmith import losses
    >>> smoothed = losses.PenalizedMSE(factor=0.0) + 0.1 * TotalVariation()

    Reference: Rudin, Osher and Fatemi, "Nonlinear total variation based noise removal algorithms", 1992.
    """

    kerasmith_contract: Contract = {"uses_y_true": False}

    def __init__(self, kind: str = "anisotropic", **kwargs: Any) -> None:
        check_choice("kind", kind, ("anisotropic", "isotropic"))
        super().__init__(**kwargs)
        self.kind = kind

    def per_sample(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> PerSample:
        check_batch(y_true, y_pred)
        x = self.channels_last(y_pred, weights.valid_pixel)
        return PerSample(*per_sample_mean(variation_map(x, self.kind == "isotropic", weights.valid_pixel), weights))


total_variation: Function = make_functional(TotalVariation, "total_variation")
