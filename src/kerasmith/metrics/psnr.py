"""Peak signal-to-noise ratio."""

import math

from keras import ops

from kerasmith._types import DType, Tensor
from kerasmith.base import AdditiveMetric, Weights, register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.labels.image_pairs import image_pair, weighted_mean
from kerasmith.numerics import safe


@register
class PSNR(AdditiveMetric):
    """Peak signal-to-noise ratio in decibel, of each image, averaged over images.

    PSNR = 10 log10(max_val^2 / MSE), MSE over all pixels and channels of one image. It is infinite for equal images, so no
    image counts for more than `cap`; how many images were equal to the truth is part of the result.

    Args:
        max_val: the range of the values, such as 1.0 or 255.
        cap: the most that one image counts, in decibel; None: equal images are left out of the mean.
        axis: the channel axis, -1 or 1.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true: images in the shape of y_pred (one channel may lack its axis).
        y_pred: (B, H, W, C) or (B, D, H, W, C).
        sample_weight: (B,) weighs images; (B, *spatial[, 1]) weighs pixels, MSE = sum(w e) / sum(w).

    Returns:
        A dict `<name>`, `<name>_cases` (images in the mean) and `<name>_identical` (images without any error). NaN
        without data.

    Raises:
        ValueError: for arrays that are no images, or shapes that would broadcast.

    Example:

    >>> import numpy as np
    >>> image = np.zeros((1, 4, 4, 1), "float32")
    >>> metric = PSNR()
    >>> metric.update_state(image, image + 0.1)
    >>> round(float(metric.result()["psnr"]), 3)
    20.0
    """

    directions: dict[str, str | None] = {"cases": None, "identical": "max"}

    def __init__(
        self, max_val: float = 1.0, cap: float | None = 100.0, *, axis: int = -1, name: str = "psnr", dtype: DType = None
    ) -> None:
        check_number("max_val", max_val, above=0)
        if cap is not None:
            check_number("cap", cap, above=0)
        check_choice("axis", axis, (-1, 1))
        super().__init__(name=name, dtype=dtype)
        self.max_val = max_val
        self.cap = cap
        self.axis = axis
        self.create_totals({"decibel": (), "cases": (), "identical": ()})

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        x, y = image_pair(y_true, y_pred, self.axis, weights.valid_pixel)
        error, weight = weighted_mean(ops.square((x - y) / self.max_val), weights.pixel, weights.valid_pixel)
        equal = ops.logical_and(error == 0, weight > 0)
        decibel = ops.log(ops.where(equal, 1.0, error)) * (-10.0 / math.log(10.0))
        counts = weight > 0
        if self.cap is None:
            counts = ops.logical_and(counts, ops.logical_not(equal))
        else:
            # Not `minimum` alone: NaN must stay NaN.
            decibel = ops.where(ops.logical_or(equal, decibel > self.cap), self.cap, decibel)
        return {
            "decibel": ops.where(counts, decibel, 0.0),
            "cases": ops.cast(counts, "int32"),
            "identical": ops.cast(equal, "int32"),
        }

    def combine(self, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        return {
            self.key(): safe.ratio(totals["decibel"], totals["cases"], when_empty=math.nan),
            self.key("cases"): totals["cases"],
            self.key("identical"): totals["identical"],
        }
