"""Which samples of a batch belong together: masks over all pairs, and the choice of the informative ones."""

from typing import Any, NamedTuple

from keras import ops

from kerasmith._types import DType, Tensor

_FAR = 1e30  # beyond any similarity or distance, and still finite: infinities make NaN gradients


class Pairs(NamedTuple):
    """Two boolean (B, B) masks, (B, B + R) with references; anchors in rows, and no sample is paired with itself."""

    positive: Any
    negative: Any


def pairs(ids: Tensor, valid: Tensor | None = None) -> "Pairs":
    """All pairs of one class and of two classes.

    Args:
        ids: (B,) class ids of any dtype; equal ids are one class. NaN equals nothing.
        valid: (B,) booleans; a sample that is not valid is in no pair. None for all valid.
    """
    same = ops.equal(ids[:, None], ids[None, :])
    number = ops.arange(ops.shape(ids)[0])
    allowed = ops.not_equal(number[:, None], number[None, :])
    if valid is not None:
        allowed = ops.logical_and(allowed, ops.logical_and(valid[:, None], valid[None, :]))
    return Pairs(ops.logical_and(same, allowed), ops.logical_and(ops.logical_not(same), allowed))


def with_references(own: "Pairs", ids: Tensor, valid: Tensor | None, other_ids: Tensor, other_valid: Tensor) -> "Pairs":
    """The pairs of a batch, (B, B), and behind them those with R references, (B, B + R).

    Args:
        own: the pairs of the batch.
        ids, valid: of the batch, as in `pairs`.
        other_ids, other_valid: (R,) ids of the references and whether each is one.
    """
    same = ops.equal(ids[:, None], other_ids[None, :])
    allowed = ops.broadcast_to(other_valid[None, :], ops.shape(same))
    if valid is not None:
        allowed = ops.logical_and(allowed, valid[:, None])
    behind = ops.logical_and(same, allowed), ops.logical_and(allowed, ops.logical_not(same))
    return Pairs(*(ops.concatenate(parts, axis=1) for parts in zip(own, behind)))


def hard_pairs(similarity: Tensor, chosen: Tensor, epsilon: float) -> Any:
    """The pairs that violate a margin: positives less similar than the most similar negative plus `epsilon`, and negatives
    more similar than the least similar positive minus `epsilon`. An anchor without both kinds keeps none.

    Args:
        similarity: (B, B).
        chosen: `Pairs` to choose from.
        epsilon: the margin.
    """
    positive, negative = chosen
    weakest = ops.min(ops.where(positive, similarity, _FAR), axis=-1, keepdims=True)
    strongest = ops.max(ops.where(negative, similarity, -_FAR), axis=-1, keepdims=True)
    return Pairs(
        ops.logical_and(positive, similarity - epsilon < strongest),
        ops.logical_and(negative, similarity + epsilon > weakest),
    )


def counts(mask: Tensor, dtype: DType) -> Tensor:
    """How many entries of each row of a (B, B) mask are set, (B,)."""
    return ops.sum(ops.cast(mask, dtype), axis=-1)


def row_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the set entries of each row, (B,); 0 for a row without one."""
    total = ops.sum(ops.where(mask, values, ops.zeros_like(values)), axis=-1)
    return total / ops.maximum(counts(mask, values.dtype), 1.0)


def row_logsumexp(values: Tensor, mask: Tensor) -> Tensor:
    """log(sum(exp)) over the set entries of each row, (B,); about -1e30, with gradient 0, for a row without one."""
    return ops.logsumexp(ops.where(mask, values, -_FAR), axis=-1)
