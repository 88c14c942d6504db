"""How strong the edges at each pixel are, from filters along the axes."""

import functools

from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics.axis_filters import convolves, filter_axis, part, replicated, sum_of
from kerasmith.numerics.safe import root
from kerasmith.numerics.soft_canny import soft_canny

SIGNED = ("laplacian", "log")
"""The kinds whose response has a sign."""
_SMALL = 5
"""Taps up to which one filter of two dimensions costs less than two of one."""


def edge_strength(
    kind: str,
    x: Tensor,
    axes: tuple[int, ...],
    edge: Tensor,
    smooth: Tensor,
    *,
    scale: float,
    thresholds: tuple[float, float],
    reach: int,
) -> Tensor:
    """The response of one scale.

    g_a filters with `edge` along axis a and with `smooth` along the others. "sobel" and "scharr": sqrt(mean_a g_a^2);
    "laplacian" and "log": sum_a g_a; "canny": `soft_canny` of the g_a; "wavelet": the root of the squares of all products
    with at least one `edge`.

    Args:
        kind: see `edge_taps.edge_taps`.
        x: an image or volume.
        axes: its spatial axes.
        edge, smooth: (k, ...), each row broadcasts to `x`.
        scale, thresholds, reach: of "canny".

    Returns:
        The shape of `x`.
    """
    if kind != "wavelet" and edge.shape[0] <= _SMALL and convolves(x, edge):
        responses = _responses_at_once(x, edge, smooth, summed=kind in SIGNED)
    else:
        responses = _responses(x, axes, edge, smooth, several=kind == "wavelet")
    if kind in SIGNED:
        return sum_of(responses)
    if kind == "canny":
        return soft_canny(responses, axes, scale, *thresholds, reach)
    squares = sum_of([ops.square(response) for response in responses])
    return root(squares if kind == "wavelet" else squares / len(axes))


def without_offset(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """`x` minus its first pixel, which no filter of sum 0 sees: constant images give exactly 0, bright ones lose no digits."""
    first = functools.reduce(lambda values, axis: part(values, slice(None, 1), axis), axes, x)
    # One bad pixel must not spread over the image.
    return x - ops.stop_gradient(ops.where(ops.isfinite(first), first, ops.zeros_like(first)))


def _responses(x, axes, edge, smooth, several):
    found = [(x, 0)]
    for axis in axes:
        wider = []
        for values, edges in found:
            if edges or axis != axes[-1]:  # Smooth along all axes, it says nothing of edges.
                wider.append((filter_axis(values, smooth, axis), edges))
            if several or not edges:
                wider.append((filter_axis(values, edge, axis), edges + 1))
        found = wider
    return [values for values, _ in found]


def _responses_at_once(x, edge, smooth, summed):
    """The responses to an image (B, H, W, C), each by one convolution of two dimensions; their sum alone with `summed`."""
    count = int(edge.shape[0])
    missing = (count - int(smooth.shape[0])) // 2
    smooth = ops.pad(smooth, [(missing, missing), (0, 0)])
    down, right = edge[:, None] * smooth[None], smooth[:, None] * edge[None]
    for axis in (1, 2):
        x = replicated(x, count // 2, count // 2, axis)
    # Not one convolution with two results a channel: to take them apart again costs more, and its gradient even more.
    kernels = [down + right] if summed else [down, right]
    return [ops.depthwise_conv(x, kernel[..., None], padding="valid", data_format="channels_last") for kernel in kernels]
