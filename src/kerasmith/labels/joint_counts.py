"""How often each true class was predicted as each class: the one statistic behind every confusion-type metric."""

import math

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.keras_internals.tensors import is_concrete
from kerasmith.numerics.bincount import bincount


def joint_counts(
    truth: Tensor,
    prediction: Tensor,
    classes: int,
    *,
    valid: Tensor | None = None,
    weight: Tensor | None = None,
    per_sample: bool = True,
) -> Tensor:
    """Counts of (true class, predicted class) pairs.

    One class more than there is stands for ids out of range: row and column `classes` of the result. Nothing is ever written
    outside of it.

    Args:
        truth, prediction: integer ids, (B, N), any values.
        classes: C.
        valid: None or (B, N), 0 on elements that do not count.
        weight: None or (B, N) float weights of the elements.
        per_sample: one table for each sample, or one in all.

    Returns:
        (B, C + 1, C + 1), or (C + 1, C + 1) for `per_sample=False`; int32, float32 if there are weights.

    Example:

    >>> counts = joint_counts(ops.array([[0, 1, 1, 7]]), ops.array([[0, 1, 0, 0]]), 2, per_sample=False)
    >>> ops.convert_to_numpy(counts).tolist()
    [[1, 0, 0], [1, 1, 0], [1, 0, 0]]
    """
    size = classes + 1
    cells = size * size + (valid is not None)  # what does not count goes to a cell of its own
    index = clip_ids(truth, classes) * size + clip_ids(prediction, classes)
    if valid is not None:
        index = ops.where(valid > 0, index, size * size)
    samples = ops.shape(index)[0]
    if per_sample:
        index = index + ops.expand_dims(ops.arange(samples, dtype="int32") * cells, 1)
    else:
        samples = 1
    flat = None if weight is None else ops.reshape(weight, (-1,))
    counts = ops.reshape(bincount(ops.reshape(index, (-1,)), flat, samples * cells), (samples, cells))
    if valid is not None:
        counts = counts[:, :-1]
    return ops.reshape(counts, (samples, size, size) if per_sample else (size, size))


def clip_ids(ids: Tensor, classes: int) -> Tensor:
    """Ids below 0 or from `classes` on become `classes`, and NaN too; int32."""
    backend = keras.backend.backend()
    if backend == "torch" and is_concrete(ids) and ids.device.type == "cpu" and math.prod(ids.shape) and ids.dtype != bool:
        low, high = ids.aminmax()  # one pass over memory instead of four
        if low >= 0 and high < classes:
            return ops.cast(ids, "int32")
    kind = keras.backend.standardize_dtype(ids.dtype)
    if backend == "torch" or kind in ("int64", "uint64", "uint32") or "float" in kind:
        # Before the cast, which would wrap; in PyTorch, where an unsigned type knows few operations, it is int64.
        ids = ops.cast(ids, "int64") if kind.startswith("uint") and backend == "torch" else ids
        known = ops.logical_and(ids >= 0, ids < classes)
        return ops.where(known, ops.cast(ops.where(known, ids, ops.zeros_like(ids)), "int32"), classes)
    ids = ops.cast(ids, "int32")
    # As unsigned numbers the negative ones are the largest: one comparison instead of two.
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.bitcast(tf.minimum(tf.bitcast(ids, tf.uint32), tf.constant(classes, tf.uint32)), tf.int32)
    import jax

    unsigned = jax.lax.bitcast_convert_type(ids, "uint32")
    return jax.lax.bitcast_convert_type(jax.numpy.minimum(unsigned, jax.numpy.uint32(classes)), "int32")
