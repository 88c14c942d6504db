"""Structural similarity as a metric."""

import math
from collections.abc import Sequence

from keras import ops

from kerasmith._types import DType, Tensor
from kerasmith.base import AdditiveMetric, Weights, register
from kerasmith.base.arguments import check_choice, check_number, check_window
from kerasmith.labels.image_pairs import image_pair, weighted_mean
from kerasmith.numerics import safe
from kerasmith.numerics.similarity_windows import similarity_windows, weights_of_places
from kerasmith.numerics.structural_similarity import dissimilarity_maps


@register
class SSIM(AdditiveMetric):
    """Structural similarity of images and volumes, of each image, averaged over images.

    The mean of SSIM over channels and over all places where the Gaussian window lies inside the image;
    SSIM = (2 m_x m_y + c1)(2 cov_xy + c2) / ((m_x^2 + m_y^2 + c1)(var_x + var_y + c2)), c1 = (k1 max_val)^2,
    c2 = (k2 max_val)^2. 1 for equal images. `losses.SSIM` is 1 - this.

    A place stands for the pixel in the middle of its window and takes the weight of that pixel. A place counts only if no
    masked pixel lies in its window.

    Args:
        max_val: the range of the values, such as 1.0 or 255.
        window: length of the window, an odd number, or a list with one for each spatial axis (thin volumes).
        sigma: standard deviation of the window in pixels, or a list.
        k1, k2: > 0, the stabilising constants.
        axis: the channel axis, -1 or 1.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true: images in the shape of y_pred (one channel may lack its axis).
        y_pred: (B, H, W, C) or (B, D, H, W, C).
        sample_weight: (B,) weighs images; (B, *spatial[, 1]) weighs pixels, sum(w s) / sum(w) in each image.

    Returns:
        A dict `<name>` and `<name>_cases`, the number of images in the mean. NaN without data.

    Raises:
        ValueError: for images smaller than the window, or shapes that would broadcast.

    Example:

    >>> import numpy as np
    >>> image = np.linspace(0, 1, 144, dtype="float32").reshape(1, 12, 12, 1)
    >>> metric = SSIM()
    >>> metric.update_state(image, image)
    >>> {key: float(value) for key, value in metric.result().items()}
    {'ssim': 1.0, 'ssim_cases': 1.0}

    Reference: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004.
    """

    directions: dict[str, str | None] = {"cases": None}

    def __init__(
        self,
        max_val: float = 1.0,
        window: int | Sequence[int] = 11,
        sigma: float | Sequence[float] = 1.5,
        k1: float = 0.01,
        k2: float = 0.03,
        *,
        axis: int = -1,
        name: str = "ssim",
        dtype: DType = None,
    ) -> None:
        for label, value in (("max_val", max_val), ("k1", k1), ("k2", k2)):
            check_number(label, value, above=0)
        check_window(window, sigma)
        check_choice("axis", axis, (-1, 1))
        super().__init__(name=name, dtype=dtype)
        self.max_val = max_val
        self.window = window
        self.sigma = sigma
        self.k1 = k1
        self.k2 = k2
        self.axis = axis
        self.create_totals({"missing": (), "cases": ()})

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        x, y = image_pair(y_true, y_pred, self.axis, weights.valid_pixel)
        windows = similarity_windows(x.shape, self.window, self.sigma)
        c1, c2 = (self.k1 * self.max_val) ** 2, (self.k2 * self.max_val) ** 2
        luminance, contrast = dissimilarity_maps(x, y, windows, c1, c2)
        pixel, valid = weights_of_places(weights.pixel, weights.valid_pixel, windows)
        missing, weight = weighted_mean(luminance + contrast - luminance * contrast, pixel, valid)
        return {"missing": missing, "cases": ops.cast(weight > 0, "int32")}

    def combine(self, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        missing = safe.ratio(totals["missing"], totals["cases"], when_empty=math.nan)
        return {self.key(): 1.0 - missing, self.key("cases"): totals["cases"]}
