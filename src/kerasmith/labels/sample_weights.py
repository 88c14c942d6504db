"""Telling per-sample weights from pixel weights, by shape."""

from typing import Any, NamedTuple

from keras import ops

from kerasmith.numerics.tensors import compatible, static_shape


class SampleWeights(NamedTuple):
    """What a caller asked to weigh: whole samples, (B,), or single pixels, (B, *spatial); None where nothing."""

    sample: Any = None
    pixel: Any = None


def split(sample_weight, shape, what="sample_weight", dtype="float32"):
    """Sorts `sample_weight` (or a mask) into per-sample and per-pixel weights.

    Args:
        sample_weight: a scalar, (B,), (B, 1), (B, 1, ..., 1), (B, *spatial) or (B, *spatial, 1); None gives no weights.
        shape: static (batch, *spatial) of the predictions.
        what: name of the argument, for the error.
        dtype: dtype of the result.

    Raises:
        ValueError: if the shape is none of these; it would broadcast.
    """
    if sample_weight is None:
        return SampleWeights()
    weight = ops.cast(ops.convert_to_tensor(sample_weight), dtype)
    given = static_shape(weight, what)
    batch, spatial = shape[0], shape[1:]
    if given == ():
        return SampleWeights(sample=weight)
    whole_samples = (batch,) + (1,) * (len(given) - 1)
    if compatible(given, whole_samples) and all(size == 1 for size in given[1:]):
        return SampleWeights(sample=ops.reshape(weight, (-1,)))
    if spatial and (compatible(given, shape) or compatible(given, (*shape, 1))):
        return SampleWeights(pixel=weight if len(given) == len(shape) else ops.squeeze(weight, -1))
    choices = f"({batch},) for one weight a sample"
    if spatial:
        choices += f", {shape} or {(*shape, 1)} for one weight a pixel"
    raise ValueError(f"`{what}` of shape {given} does not fit predictions of shape {shape}. Expected {choices}.")
