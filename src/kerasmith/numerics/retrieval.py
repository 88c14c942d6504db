"""Nearest neighbours of all vectors seen so far, kept up to date batch by batch.

All state has one row for each of `capacity` vectors, and zeros are the empty state, so Keras' own reset works. Similarities
nearer to each other than rounding count as equal, and equal ones are ranked against the metric: vectors of another class come
first. So the result depends on neither order nor batch size, and a network that maps everything to one point scores 0.
"""

import math
from typing import Any, NamedTuple

import keras
from keras import ops

from kerasmith._types import Tensor

MISS, HIT = 1, 2  # 0 is an empty place
_TIE = 1e-6


class Neighbours(NamedTuple):
    """One row for each vector.

    Attributes:
        vectors: (capacity, D).
        labels: (capacity,) int64; int32 on JAX without 64-bit types.
        weights: (capacity,); 0 is a vector that does not exist.
        scores: (capacity, K) similarities of the nearest vectors, falling.
        codes: (capacity, K) int32: HIT for a vector of the same class, MISS for another, 0 for none.
        relevant: (capacity,) int32, how many vectors of the same class there are.
    """

    vectors: Any
    labels: Any
    weights: Any
    scores: Any
    codes: Any
    relevant: Any


def include(known: Any, seen: Tensor, vectors: Tensor, labels: Tensor, weights: Any) -> Any:
    """`Neighbours` after one more batch.

    Args:
        known: `Neighbours`.
        seen: number of rows in use, int32 scalar.
        vectors: (B, D), with the similarity -|x - y|^2.
        labels: (B,), as `known.labels`.
        weights: (B,).
    """
    capacity, nearest = known.scores.shape
    batch = ops.shape(vectors)[0]
    row = ops.arange(capacity, dtype="int32")
    offset = row - seen  # place in the batch
    new = ops.logical_and(offset >= 0, offset < batch)
    source = ops.where(new, offset, batch)

    def inserted(batch_rows, old):
        """`old` with the rows of the batch at their places; the row behind the batch is never shown."""
        padded = ops.concatenate([batch_rows, ops.zeros((1, *old.shape[1:]), old.dtype)], axis=0)
        return ops.where(ops.reshape(new, (-1,) + (1,) * (len(old.shape) - 1)), ops.take(padded, source, axis=0), old)

    all_vectors, all_labels = inserted(vectors, known.vectors), inserted(labels, known.labels)
    all_weights = inserted(weights, known.weights)
    square, squares = ops.sum(ops.square(vectors), axis=-1), ops.sum(ops.square(all_vectors), axis=-1)
    lengths = squares[:, None] + square[None, :]
    same = ops.equal(all_labels[:, None], labels[None, :])
    score = 2.0 * _product(all_vectors, ops.transpose(vectors)) - lengths
    score = score - ops.where(same, _TIE * lengths, 0.0)
    code = ops.where(same, HIT, MISS)

    # What the new vectors find among the old ones, then what all of them find in the batch.
    exists = ops.logical_and(row < seen, known.weights > 0)
    among_old = ops.transpose(ops.where(exists[:, None], code, 0))
    first_scores, first_codes = _nearest(ops.transpose(score), among_old, nearest)
    in_batch = ops.arange(batch, dtype="int32")[None, :]
    usable = ops.logical_and(weights[None, :] > 0, row[:, None] < seen + batch)
    in_batch = ops.where(ops.logical_and(usable, offset[:, None] != in_batch), code, 0)
    scores, codes = _nearest(
        ops.concatenate([inserted(first_scores, known.scores), score], axis=1),
        ops.concatenate([inserted(first_codes, known.codes), in_batch], axis=1),
        nearest,
    )
    relevant = inserted(_hits(among_old), known.relevant) + _hits(in_batch)
    return Neighbours(all_vectors, all_labels, all_weights, scores, codes, relevant)


def _product(x, y):
    if keras.backend.backend() == "jax":
        import jax.numpy as jnp

        return jnp.matmul(x, y, precision="highest")  # some accelerators would round the factors first
    return ops.matmul(x, y)


def _nearest(scores, codes, count):
    best, place = ops.top_k(ops.where(codes > 0, scores, -math.inf), count)
    codes = ops.take_along_axis(codes, place, axis=-1)
    return ops.where(codes > 0, best, 0.0), codes


def _hits(codes):
    return ops.sum(ops.cast(ops.equal(codes, HIT), "int32"), axis=-1)


def hit_at_k(codes: Tensor, relevant: Tensor, k: int) -> Tensor:
    """(rows,) 1.0 where one of the `k` nearest is of the same class."""
    return ops.cast(ops.any(ops.equal(codes[:, :k], HIT), axis=-1), "float32")


def recall_at_k(codes: Tensor, relevant: Tensor, k: int) -> Tensor:
    """(rows,) shares of the vectors of the same class that are among the `k` nearest."""
    return ops.cast(_hits(codes[:, :k]), "float32") / ops.cast(ops.maximum(relevant, 1), "float32")


def r_precision(codes: Tensor, relevant: Tensor) -> Tensor:
    """(rows,) shares of the same class among the R nearest, R the number of vectors of that class."""
    among = ops.arange(codes.shape[1], dtype="int32")[None, :] < relevant[:, None]
    hits = ops.sum(ops.cast(ops.logical_and(among, ops.equal(codes, HIT)), "float32"), axis=-1)
    return hits / ops.cast(ops.maximum(relevant, 1), "float32")
