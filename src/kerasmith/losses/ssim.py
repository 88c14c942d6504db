"""Structural similarity as a loss."""

from keras import ops

from kerasmith.base import PerSample, Weights, functional_twin, register
from kerasmith.base.arguments import check_integer, check_number
from kerasmith.base.elements import per_sample_mean
from kerasmith.losses.image import ImageLoss
from kerasmith.numerics.alignment import align
from kerasmith.numerics.gaussian_filter import filter_valid, gaussian_window
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

    def __init__(self, max_val=1.0, window=11, sigma=1.5, k1=0.01, k2=0.03, **kwargs):
        check_number("max_val", max_val, above=0)
        for i, size in enumerate(_listed(window)):
            check_integer("window" if size is window else f"window[{i}]", size, minimum=1)
            if size % 2 == 0:
                raise ValueError(f"`window` must be odd, so that it has a middle. Received: window={window!r}")
        for i, deviation in enumerate(_listed(sigma)):
            check_number("sigma" if deviation is sigma else f"sigma[{i}]", deviation, above=0)
        check_number("k1", k1, above=0)
        check_number("k2", k2, above=0)
        super().__init__(**kwargs)
        self.max_val = max_val
        self.window = window
        self.sigma = sigma
        self.k1 = k1
        self.k2 = k2

    def per_sample(self, y_true, y_pred, weights):
        x, y = self.pair(y_true, y_pred, weights.valid_pixel)
        windows = self.windows(x, y_pred)
        luminance, contrast = self.maps(x, y, windows)
        missing = luminance + contrast - luminance * contrast
        return PerSample(*per_sample_mean(missing, _of_places(weights, windows)))

    def pair(self, y_true, y_pred, valid=None):
        """Predicted and true images, (B, *spatial, C)."""
        y_pred = self.channels_last(y_pred, valid)
        y_true = align(ops.moveaxis(y_true, 1, -1) if self.axis == 1 and len(y_true.shape) > 1 else y_true, y_pred)
        y_true = ops.cast(y_true, y_pred.dtype)
        return y_pred, y_true if valid is None else ops.where(ops.expand_dims(valid, -1) > 0, y_true, ops.zeros_like(y_true))

    def maps(self, x, y, windows):
        """1 - luminance and 1 - contrast."""
        return dissimilarity_maps(x, y, windows, (self.k1 * self.max_val) ** 2, (self.k2 * self.max_val) ** 2)

    def windows(self, x, y_pred, scales=1):
        """One window for each spatial axis of `x`, (B, *spatial, C); checks that they fit after halving `scales` - 1 times."""
        spatial = tuple(x.shape)[1:-1]
        sizes, sigmas = _listed(self.window, len(spatial)), _listed(self.sigma, len(spatial))
        for name, value in (("window", sizes), ("sigma", sigmas)):
            if len(value) != len(spatial):
                raise ValueError(
                    f"`{name}` needs one number for each of the {len(spatial)} spatial axes of y_pred. "
                    f"Received: {name}={value}, y_pred of shape {tuple(y_pred.shape)}"
                )
        needed = [(size - 1) * 2 ** (scales - 1) + 1 for size in sizes]
        if any(have is not None and have < need for have, need in zip(spatial, needed)):
            raise ValueError(
                f"Images must be at least {' x '.join(map(str, needed))} pixels large for window={self.window}"
                f"{f' and {scales} scales' if scales > 1 else ''}. Received: y_pred of shape {tuple(y_pred.shape)}. "
                f"Pass a smaller `window`{' or fewer `scale_weights`' if scales > 1 else ''}."
            )
        return [gaussian_window(size, float(sigma)) for size, sigma in zip(sizes, sigmas)]


def _listed(value, count=1):
    return list(value) if hasattr(value, "__len__") else [value] * count


def _of_places(weights, windows):
    """Pixel weights at the middle of each window; a place is valid if all pixels that its window reads are."""
    pixel, valid = weights.pixel, weights.valid_pixel
    if pixel is not None:
        middles = [slice(len(window) // 2, -(len(window) // 2) or None) for window in windows]
        pixel = pixel[(slice(None), *middles)]
    if valid is not None:
        invalid = filter_valid(ops.expand_dims(ops.cast(valid == 0, "float32"), -1), windows)
        valid = ops.cast(ops.squeeze(invalid, -1) == 0, valid.dtype)
    return Weights(pixel=pixel, valid_pixel=valid)


ssim = functional_twin(SSIM, "ssim")
