"""Distances and similarities between all vectors of a batch: one matrix product, finite gradients everywhere."""

import keras
from keras import ops

from kerasmith._types import Tensor

KINDS = ("euclidean", "squared", "cosine")
_NOTHING = 1e-24  # squared distances below count as 0: the slope of the square root is infinite there
_NO_LENGTH = 1e-30  # vectors below have no direction: the slope of x / |x| overflows there


def product(a: Tensor, b: Tensor) -> Tensor:
    """a @ b in the precision of its factors; `ops.matmul` of Keras 3.15.1 rounds float64 to float32 on PyTorch.

    JAX would round float32 factors to 10 bits or fewer on recent accelerators: a distance of a tenth of the vectors' length
    would be off by a percent. TensorFlow does so too; there a user can only switch it off for a whole program, with
    `tf.config.experimental.enable_tensor_float_32_execution(False)`.
    """
    if keras.backend.backend() == "jax":
        import jax.numpy as jnp

        return jnp.matmul(a, b, precision="highest")
    return a @ b


def unit_length(x: Tensor) -> Tensor:
    """Vectors divided by their length; a zero vector stays 0, with gradient 0.

    Args:
        x: (..., D); no length overflows or underflows.
    """
    # The direction does not depend on the scale, so the scale needs no gradient.
    scale = ops.stop_gradient(ops.max(ops.abs(x), axis=-1, keepdims=True))
    empty = scale < _NO_LENGTH
    x = x / ops.where(empty, ops.ones_like(scale), scale)
    square = ops.sum(x * x, axis=-1, keepdims=True)
    return ops.where(empty, ops.zeros_like(x), x * ops.rsqrt(ops.where(empty, ops.ones_like(square), square)))


def cosine_similarity(x: Tensor, y: Tensor | None = None) -> Tensor:
    """(B, D) and (R, D), x itself by default -> (B, R), within rounding of [-1, 1]; 0 for zero vectors."""
    x = unit_length(x)
    return product(x, ops.transpose(x if y is None else unit_length(y)))


def squared_distance(x: Tensor, y: Tensor | None = None) -> Tensor:
    """(B, D) and (R, D), x itself by default -> (B, R), |x_i - y_j|^2 >= 0."""
    # Distances do not change when all points move; near the origin |x|^2 + |y|^2 - 2 xy loses the fewest digits.
    batch = ops.cast(ops.maximum(ops.shape(x)[0], 1), x.dtype)
    centre = ops.stop_gradient(ops.sum(x, axis=0, keepdims=True) / batch)
    x = x - centre
    square = ops.sum(x * x, axis=-1)
    y, other = (x, square) if y is None else (y - centre, ops.sum(ops.square(y - centre), axis=-1))
    return ops.relu(square[:, None] + other[None, :] - product(2.0 * x, ops.transpose(y)))


def euclidean_distance(x: Tensor, y: Tensor | None = None) -> Tensor:
    """(B, D) and (R, D), x itself by default -> (B, R), |x_i - y_j|; gradient 0 at distance 0."""
    square = squared_distance(x, y)
    apart = square > _NOTHING
    return ops.where(apart, ops.sqrt(ops.where(apart, square, ops.ones_like(square))), ops.zeros_like(square))


def pairwise_distances(x: Tensor, kind: str, y: Tensor | None = None) -> Tensor:
    """(B, D) and (R, D) -> (B, R) distances.

    Args:
        x: vectors.
        y: the others; `x` itself by default.
        kind: "euclidean", "squared" (Euclidean squared) or "cosine" (1 - cosine similarity).
    """
    if kind == "cosine":
        return 1.0 - cosine_similarity(x, y)
    return euclidean_distance(x, y) if kind == "euclidean" else squared_distance(x, y)


def paired_distances(x: Tensor, y: Tensor, kind: str) -> Tensor:
    """(B, D) and (B, D) -> (B,) distances between vectors of one row; `kind` as in `pairwise_distances`."""
    if kind == "cosine":
        return 1.0 - ops.sum(unit_length(x) * unit_length(y), axis=-1)
    square = ops.sum(ops.square(x - y), axis=-1)
    if kind == "squared":
        return square
    apart = square > _NOTHING
    return ops.where(apart, ops.sqrt(ops.where(apart, square, ops.ones_like(square))), ops.zeros_like(square))
