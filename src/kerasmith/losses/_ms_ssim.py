"""Multi-scale structural similarity as a loss."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import PerSample, make_functional, register
from kerasmith.base.arguments import check_weights
from kerasmith.base.weights import Weights
from kerasmith.labels.image_pairs import image_pair
from kerasmith.losses._ssim import SSIM
from kerasmith.numerics.safe import power
from kerasmith.numerics.similarity_windows import similarity_windows
from kerasmith.numerics.structural_similarity import half_size, spatial_mean

WANG_2003 = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@register(name="MSSSIMLoss")
class MSSSIM(SSIM):
    """1 - multi-scale structural similarity, of images and of volumes.

    loss = 1 - mean over channels of c_1^w_1 c_2^w_2 ... c_(M-1)^w_(M-1) SSIM_M^w_M

    c_j is the mean contrast term of SSIM after halving the images j - 1 times (mean of 2 x 2 pixels; the last row of an odd
    side counts twice), SSIM_M the full index at the smallest scale. Negative means are raised to 0: an image that is
    anti-correlated with its target at some scale has loss 1 and no gradient, so add another loss at the start,
    `MSSSIM() + Charbonnier()`.

    Args:
        max_val: the range of the values, such as 1.0 or 255.
        scale_weights: the exponents w, from the finest to the coarsest scale. The five defaults need sides of at least 161
            pixels with a window of 11; `window=7` needs 97, three weights need 41.
        window, sigma, k1, k2, axis: see `losses.SSIM`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: images in the shape of y_pred (one channel may lack its axis).
        y_pred: (B, H, W, C) or (B, D, H, W, C).
        sample_weight: (B,).

    Returns:
        A scalar; (B,) for `reduction="none"`.

    Raises:
        ValueError: for images too small for the number of scales, shapes that would broadcast, or weights of single pixels.

    Example:

    >>> import numpy as np
    >>> image = np.linspace(0, 1, 48 * 48, dtype="float32").reshape(1, 48, 48, 1)
    >>> loss = MSSSIM(scale_weights=(0.3, 0.3, 0.4))
    >>> round(float(loss(image, 0.5 * image)), 3)
    0.234

    Reference: Wang et al., "Multiscale structural similarity for image quality assessment", 2003.
    """

    def __init__(
        self, max_val: float = 1.0, scale_weights: Sequence[float] = WANG_2003, *, name: str | None = None, **kwargs: Any
    ) -> None:
        check_weights("scale_weights", scale_weights)
        super().__init__(max_val, name=name or "ms_ssim", **kwargs)
        self.scale_weights = scale_weights

    def per_sample(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> PerSample:
        if weights.pixel is not None or weights.valid_pixel is not None:
            raise ValueError(
                "MSSSIM compares images at several scales, where single pixels have no weight or mask of their own. "
                "Pass one weight per image, (B,), or use `losses.SSIM`."
            )
        x, y = image_pair(y_true, y_pred, self.axis)
        scales = len(self.scale_weights)
        windows = similarity_windows(x.shape, self.window, self.sigma, scales)
        product = 1.0
        for scale, exponent in enumerate(self.scale_weights, start=1):
            luminance, contrast = self.maps(x, y, windows)
            missing = contrast if scale < scales else luminance + contrast - luminance * contrast
            product = product * power(ops.relu(1.0 - spatial_mean(missing)), float(exponent))
            if scale < scales:
                x, y = half_size(x), half_size(y)
        return PerSample(1.0 - ops.sum(product, axis=-1) / product.shape[-1])


ms_ssim: Function = make_functional(MSSSIM, "ms_ssim")
