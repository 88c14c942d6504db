"""Structural similarity of images and volumes, as maps."""

from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics.gaussian_filter import filter_valid


def dissimilarity_maps(x: Tensor, y: Tensor, windows: Any, c1: float, c2: float) -> Tensor:
    """What is missing to 1 in the two factors of SSIM, at each place where the whole window fits, for each channel.

        luminance l = (2 m_x m_y + c1) / (m_x^2 + m_y^2 + c1),  1 - l = (m_x - m_y)^2 / (m_x^2 + m_y^2 + c1)
        contrast c = (2 cov_xy + c2) / (var_x + var_y + c2),    1 - c = var(x - y) / (var_x + var_y + c2)

    with means, variances and covariance under the window. SSIM is l c. Written as differences, nearly equal images lose no
    digits.

    Args:
        x, y: (B, *spatial, C), float32 at least.
        windows: one 1-D window of sum 1 per spatial axis, NumPy arrays.
        c1, c2: > 0.

    Returns:
        1 - l and 1 - c, (B, *smaller, C) each.

    Reference: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004.
    """
    # Second moments around the mean of the image: E[x^2] - E[x]^2 would lose the variance of a bright, even image.
    centre = ops.stop_gradient(spatial_mean(y, keepdims=True))
    x, y = x - centre, y - centre
    # Only the sum of the variances is needed: four maps instead of five, filtered in one go.
    difference = x - y
    maps = ops.concatenate([x, difference, ops.square(x) + ops.square(y), ops.square(difference)], axis=0)
    x, difference, squares, squared_difference = ops.split(filter_valid(maps, windows), 4, axis=0)
    y = x - difference
    variances = ops.relu(squares - ops.square(x) - ops.square(y))
    moved = ops.square(difference)
    contrast = (squared_difference - moved) / (variances + c2)
    luminance = moved / (ops.square(x + centre) + ops.square(y + centre) + c1)
    return luminance, contrast


def half_size(x: Tensor) -> Tensor:
    """Mean of 2 x 2 (x 2) neighbours of (B, *spatial, C); the last row of an odd axis counts twice, so 5 becomes 3."""
    for axis in range(1, len(x.shape) - 1):
        pairs = x
        if not isinstance(x.shape[axis], int) or x.shape[axis] % 2:
            last = x[(slice(None),) * axis + (slice(-1, None),)]
            pairs = ops.concatenate([x, last], axis=axis)
        x = 0.5 * (_every_other(x, axis, 0) + _every_other(pairs, axis, 1))
    return x


def spatial_mean(x: Tensor, keepdims: bool = False) -> Tensor:
    """(B, *spatial, C) -> (B, C)."""
    count = 1.0
    for size in ops.shape(x)[1:-1]:
        count = count * ops.cast(size, x.dtype)
    # `ops.mean` rounds float64 to float32 on JAX and PyTorch.
    return ops.sum(x, axis=tuple(range(1, len(x.shape) - 1)), keepdims=keepdims) / count


def _every_other(x, axis, start):
    return x[(slice(None),) * axis + (slice(start, None, 2),)]
