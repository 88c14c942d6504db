"""Structural similarity as a loss."""

from collections.abc import Sequence
from typing import Any

from kerasmith._types import Function, Tensor
from kerasmith.base import PerSample, Weights, make_functional, register
from kerasmith.base.arguments import check_number, check_window
from kerasmith.base.elements import per_sample_mean
from kerasmith.labels.image_pairs import image_pair
from kerasmith.losses._image import ImageLoss
from kerasmith.numerics.similarity_windows import similarity_windows, weights_of_places
from kerasmith.numerics.structural_similarity import dissimilarity_maps


# A metric of this name would take "kerasmith>SSIM".
@register(name="SSIMLoss")
class SSIM(ImageLoss):
    """1 - structural similarity, of images and of volumes.

    loss = 1 - mean(SSIM), over channels and over all places where the Gaussian window lies inside the image;
    SSIM = (2 m_x m_y + c1)(2 cov_xy + c2) / ((m_x^2 + m_y^2 + c1)(var_x + var_y + c2)), c1 = (k1 max_val)^2,
    c2 = (k2 max_val)^2. 0 for equal images, up to 2.

    A place stands for the pixel in the middle of its window and takes the weight of that pixel. A place counts only if no
    masked pixel lies in its window.

    Args:
        max_val: the range of the values, such as 1.0 or 255.
        window: length of the window, an odd number, or a list with one for each spatial axis (thin volumes).
        sigma: standard deviation of the window in pixels, or a list.
        k1, k2: > 0, the stabilising constants.
        axis: the channel axis, -1 or 1.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: images in the shape of y_pred (one channel may lack its axis).
        y_pred: (B, H, W, C) or (B, D, H, W, C).
        sample_weight: (B,), or (B, *spatial[, 1]): sum(w l) / (number of places).

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError: for images smaller than the window, or shapes that would broadcast.

    Example:

    >>> import numpy as np
    >>> image = np.linspace(0, 1, 144, dtype="float32").reshape(1, 12, 12, 1)
    >>> round(abs(float(SSIM()(image, image))), 4), round(float(SSIM()(image, 1 - image)), 2)
    (0.0, 1.93)

    Reference: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004.
    """

    def __init__(
        self,
        max_val: float = 1.0,
        window: int | Sequence[int] = 11,
        sigma: float | Sequence[float] = 1.5,
        k1: float = 0.01,
        k2: float = 0.03,
        **kwargs: Any,
    ) -> None:
        check_number("max_val", max_val, above=0)
        check_window(window, sigma)
        check_number("k1", k1, above=0)
        check_number("k2", k2, above=0)
        super().__init__(**kwargs)
        self.max_val = max_val
        self.window = window
        self.sigma = sigma
        self.k1 = k1
        self.k2 = k2

    def per_sample(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> PerSample:
        x, y = image_pair(y_true, y_pred, self.axis, weights.valid_pixel)
        windows = similarity_windows(x.shape, self.window, self.sigma)
        luminance, contrast = self.maps(x, y, windows)
        missing = luminance + contrast - luminance * contrast
        pixel, valid = weights_of_places(weights.pixel, weights.valid_pixel, windows)
        return PerSample(*per_sample_mean(missing, Weights(pixel=pixel, valid_pixel=valid)))

    def maps(self, x: Tensor, y: Tensor, windows: Any) -> Any:
        """1 - luminance and 1 - contrast."""
        return dissimilarity_maps(x, y, windows, (self.k1 * self.max_val) ** 2, (self.k2 * self.max_val) ** 2)


ssim: Function = make_functional(SSIM, "ssim")
