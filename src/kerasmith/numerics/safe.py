"""Functions whose textbook form has an infinite or undefined gradient at the edge of its domain."""

from keras import ops

from kerasmith._types import Tensor

_CHORD = 1e-6


def power(x: Tensor, exponent: float) -> Tensor:
    """`x ** exponent` for x >= 0 with a finite gradient at 0.

    For exponents below 1 the slope of the power is infinite at 0. Below 1e-6 the curve is replaced by its chord
    through the origin, so the value stays continuous, increasing and exactly 0 at 0.
    """
    if exponent == 0:
        return ops.ones_like(x)
    if exponent == 1:
        return x
    if exponent == 2:
        return ops.square(x)
    # `**` and not `ops.power`: on PyTorch that makes a tensor of the exponent, in float32, and a slow loop.
    if exponent > 2:
        return x**exponent
    regular = x > _CHORD
    # The power never sees the small values: `where` alone would still multiply its infinite slope by 0.
    curve = ops.where(regular, x, ops.ones_like(x)) ** exponent
    return ops.where(regular, curve, x * _CHORD ** (exponent - 1.0))


def absolute(x: Tensor) -> Tensor:
    """`|x|` with gradient 0 at 0; JAX alone takes 1 there."""
    return x * ops.stop_gradient(ops.sign(x))


def root(x: Tensor) -> Tensor:
    """Square root with gradient 0 at 0, where the textbook slope is infinite."""
    flat = x <= 0
    return ops.where(flat, ops.zeros_like(x), ops.sqrt(ops.where(flat, ops.ones_like(x), x)))


def norm_of_rows(x: Tensor) -> Tensor:
    """The Euclidean norm of each sample of `x`, (B, ...) -> (B,), with gradient 0 at 0, where the textbook's is infinite."""
    squared = ops.sum(ops.square(x), axis=tuple(range(1, len(x.shape))))
    is_zero = squared == 0
    return ops.where(is_zero, 0.0, ops.sqrt(ops.where(is_zero, ops.ones_like(squared), squared)))


def ratio(numerator: Tensor, denominator: Tensor, when_empty: Tensor) -> Tensor:
    """`numerator / denominator`, and `when_empty`, a number or a tensor, where the denominator is 0 (gradient 0 there)."""
    empty = denominator == 0
    value = numerator / ops.where(empty, ops.ones_like(denominator), denominator)
    return ops.where(empty, when_empty, value)


def probability_floor(p: Tensor, epsilon: float = 1e-7) -> Tensor:
    """Clips probabilities to [epsilon, 1 - epsilon], where the logarithms of p and of 1 - p are finite; Keras' own bound."""
    return ops.clip(p, epsilon, 1.0 - epsilon)
