"""Canny's edges as a smooth function: thin and connected, with a gradient."""

from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics.axis_filters import neighbours, sum_of
from kerasmith.numerics.safe import root

FAVOUR = 1.2
"""Log-odds of a pixel beside one as high: it counts .77, so that both pixels of an edge between them stay."""
STEEPNESS = 4
"""Exponent of the thresholds: a tenth above or below one, .59 or .40; twice or half of it, .94 or .06."""


def soft_canny(slopes: list[Tensor], axes: tuple[int, ...], scale: float, low: float, high: float, reach: int) -> Tensor:
    """Edges between 0 and 1 from the smoothed gradient of an image.

    m = |g|; ridge = higher(m, m ahead) * higher(m, m behind), one pixel along g, interpolated linearly;
    weak = ridge * share(m, low), strong = ridge * share(m, high);
    then `reach` times: strong <- max(strong, min(weak, the largest strong of the neighbours)),
    where share(a, b) = a^4 / (a^4 + b^4) and higher(a, b) = sigmoid(1.2 + n log(a / b)), n = 7 (scale^2 + 3/4): the wider the
    blur, the less the neighbours of an edge are below it.

    Args:
        slopes: the derivative along each axis, of one shape.
        axes: the spatial axes.
        scale: standard deviation of the Gaussian.
        low, high: thresholds of m, 0 < low < high.
        reach: how many pixels far weak edges follow from a strong one.

    Returns:
        The shape of one slope; 0 where it is flat.
    """
    magnitude = root(sum_of([ops.square(slope) for slope in slopes]))
    # Far below the lower threshold nothing has a direction or a ridge: noise of the arithmetic stays without a say.
    floor = 1e-3 * low
    ridge = _ridge(slopes, magnitude, axes, 7 * (scale**2 + 0.75), floor)
    weak, strong = (ridge * share(magnitude, threshold) for threshold in (low, high))
    for _ in range(reach):
        reached = _largest_near(strong, axes)
        strong = _larger(strong, ops.where(reached < weak, reached, weak))
    return strong


def share(a: Tensor, b: float) -> Tensor:
    """a^n / (a^n + b^n) for a >= 0, b > 0, n = `STEEPNESS`, without large powers.

    >>> from keras import ops
    >>> [round(float(v), 3) for v in share(ops.array([0.0, 1.0, 2.0]), 1.0)]
    [0.0, 0.5, 0.941]
    """
    part = a / (a + b)
    first, second = part**STEEPNESS, (1 - part) ** STEEPNESS
    return first / (first + second)


def _ridge(slopes, magnitude, axes, sharpness, floor):
    """Near 1 where the magnitude is larger than one pixel ahead and behind along the gradient, near 0 beside one."""
    length = root(ops.square(magnitude) + floor**2)
    direction = [slope / length for slope in slopes]
    near = neighbours(magnitude, axes)
    # How far each of the pixels -1, 0 and 1 along an axis counts at the place `direction`.
    hats = [{-1: ops.relu(-d), 0: 1 - ops.relu(d) - ops.relu(-d), 1: ops.relu(d)} for d in direction]
    ahead, behind = [], []
    for offset, there in near.items():
        weight = hats[0][offset[0]]
        for hat, step in zip(hats[1:], offset[1:]):
            weight = weight * hat[step]
        ahead.append(weight * there)
        behind.append(weight * near[tuple(-step for step in offset)])
    own = ops.log(magnitude + floor)
    shares = [ops.sigmoid(FAVOUR + sharpness * (own - ops.log(sum_of(beside) + floor))) for beside in (ahead, behind)]
    return shares[0] * shares[1]


def _largest_near(x, axes):
    for axis in axes:
        steps = list(neighbours(x, (axis,)).values())
        x = _larger(_larger(steps[0], steps[1]), steps[2])
    return x


def _larger(a, b):
    # `ops.maximum` rounds float64 to float32 on PyTorch.
    return ops.where(a > b, a, b)
