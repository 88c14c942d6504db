"""What a caller asked to weigh or to leave out, sorted."""

import dataclasses
from typing import Any, NamedTuple

from keras import ops

from kerasmith._types import DType, Tensor
from kerasmith.numerics.inputs import as_tensor
from kerasmith.numerics.tensors import compatible, static_shape


@dataclasses.dataclass(frozen=True)
class Weights:
    """Everything a caller asked to weigh or to leave out; None where nothing.

    Attributes:
        sample: (B,) or scalar weights.
        pixel: (B, *spatial) weights.
        target: weights of single targets, in the shape of the targets: of each channel, or each of several regressions.
        valid_sample: (B,), 0 on masked samples.
        valid_pixel: (B, *spatial), 0 on masked pixels.
    """

    sample: Any = None
    pixel: Any = None
    valid_sample: Any = None
    valid_pixel: Any = None
    target: Any = None

    @property
    def effective_sample(self) -> Tensor | None:
        """`sample` without the masked ones: (B,), a scalar, or None."""
        given = [w for w in (self.sample, self.valid_sample) if w is not None]
        return given[0] * given[1] if len(given) == 2 else given[0] if given else None


def split_sample_weight(
    sample_weight: Tensor,
    mask: Tensor,
    shape: tuple[int | None, ...],
    dtype: DType = "float32",
    *,
    axis: int = -1,
    targets: tuple[int | None, ...] | None = None,
) -> Weights:
    """`Weights` of a `sample_weight` and a Keras mask, told apart by their shapes.

    Args:
        sample_weight: what the caller passed, or None.
        mask: the mask attached to y_pred, or None.
        shape: static (batch, *spatial) of the predictions.
        dtype: dtype of the weights.
        axis: channel axis of the predictions; with 1 a channel axis of size 1 may stand there in the weights too.
        targets: static shape of the targets, where each may have a weight of its own, else None.
    """
    if sample_weight is None and mask is None:
        return Weights()
    given = split(sample_weight, shape, dtype=dtype, axis=axis, targets=targets)
    valid = split(mask, shape, what="the mask of y_pred", dtype=dtype, axis=axis)
    return Weights(given.sample, given.pixel, valid.sample, valid.pixel, given.target)


class SampleWeights(NamedTuple):
    """What a caller asked to weigh: samples, (B,), pixels, (B, *spatial), or targets of these; None where nothing."""

    sample: Any = None
    pixel: Any = None
    target: Any = None


def split(
    sample_weight: Tensor,
    shape: tuple[int | None, ...],
    what: str = "sample_weight",
    dtype: DType = "float32",
    *,
    axis: int = -1,
    targets: tuple[int | None, ...] | None = None,
) -> "SampleWeights":
    """Sorts `sample_weight` (or a mask) into weights of samples, of pixels and of targets.

    Args:
        sample_weight: a scalar, (B,), (B, 1), (B, 1, ..., 1), (B, *spatial) or (B, *spatial, 1), with `axis=1`
            (B, 1, *spatial) too; None gives no weights.
        shape: static (batch, *spatial) of the predictions.
        what: name of the argument, for the error.
        dtype: dtype of the result.
        axis: channel axis of the predictions.
        targets: static shape of the targets, where each may have a weight of its own, else None.

    Raises:
        ValueError: if the shape is none of these; it would broadcast.
    """
    if sample_weight is None:
        return SampleWeights()
    weight = ops.cast(as_tensor(sample_weight, what), dtype)
    given = static_shape(weight, what)
    batch, spatial = shape[0], shape[1:]
    if given == ():
        return SampleWeights(sample=weight)
    whole_samples = (batch,) + (1,) * (len(given) - 1)
    if compatible(given, whole_samples) and all(size == 1 for size in given[1:]):
        return SampleWeights(sample=ops.reshape(weight, (-1,)))
    if spatial and (compatible(given, shape) or compatible(given, (*shape, 1))):
        return SampleWeights(pixel=weight if len(given) == len(shape) else ops.squeeze(weight, -1))
    if spatial and axis == 1 and compatible(given, (batch, 1, *spatial)):
        return SampleWeights(pixel=ops.squeeze(weight, 1))
    if targets is not None and len(targets) > 1 and compatible(given, targets):
        return SampleWeights(target=weight)
    choices = f"({batch},) for one weight a sample"
    if spatial:
        choices += f", {shape} or {(*shape, 1) if axis != 1 else (batch, 1, *spatial)} for one weight a pixel"
    if targets is not None and len(targets) > 1:
        choices += f", {targets} for one weight a target"
    raise ValueError(f"`{what}` of shape {given} does not fit predictions of shape {shape}. Expected {choices}.")
