"""How strong the edges at each pixel are, from filters along the axes."""

import functools

from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics.axis_filters import filter_axis, part, sum_of
from kerasmith.numerics.safe import root
from kerasmith.numerics.soft_canny import soft_canny

SIGNED = ("laplacian", "log")
"""The kinds whose response has a sign."""


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
