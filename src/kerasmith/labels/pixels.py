"""Labels and predictions of a batch of images, brought to one layout.

Whatever comes in - one-hot or integer labels, channels first or last, 1-D to 3-D, with pixel weights, masks and ignored
classes - leaves as a `Pixels` record. Losses and metrics start from it, so they cannot disagree about what a label means.
"""

import dataclasses
import functools
import math
from typing import Any

import keras
from keras import ops

from kerasmith._types import ClassIds, Labels, Tensor
from kerasmith.keras_internals.tensors import is_concrete
from kerasmith.numerics.softmax import softmax
from kerasmith.numerics.tensors import accumulation_dtype, compatible, is_float, static_shape


@dataclasses.dataclass(frozen=True)
class Pixels:
    """One batch: N pixels an image, C channels.

    Attributes:
        scores: predictions, (B, N) for one channel, else (B, N, C) or (B, C, N); logits or probabilities.
        ids: class ids, (B, N) int32, 0 on ignored pixels; None if the labels came dense.
        dense: labels in the layout of `scores`, or None if they came as ids.
        weight: (B, N) pixel weights, 0 on pixels that do not count, or None for all ones.
        valid: (B, N), 1 on pixels that count and 0 on ignored and masked ones, or None if all count.
        channels: C.
        class_axis: axis of `scores` that holds the classes, 1 or 2, None for one channel: where the backend computes fastest,
            not where `axis=` said that they come in.
        from_logits: True if `scores` are logits.
        multi_label: True if the channels are independent binary masks.
        spatial: the sizes of the image, N = their product; numbers, or tensors where TensorFlow does not know them.
    """

    scores: Any
    ids: Any
    dense: Any
    weight: Any
    valid: Any
    channels: int
    class_axis: int | None
    from_logits: bool
    multi_label: bool
    spatial: tuple[Any, ...] = ()

    @property
    def binary(self) -> bool:
        """True if each channel is a yes/no question of its own (sigmoid), False if the classes compete (softmax)."""
        return self.class_axis is None or self.multi_label

    @functools.cached_property
    def probabilities(self) -> Tensor:
        if not self.from_logits:
            return self.scores
        return ops.sigmoid(self.scores) if self.binary else softmax(self.scores, self.class_axis)

    @functools.cached_property
    def truth(self) -> Tensor:
        """Dense labels in the layout of `scores`."""
        if self.dense is not None:
            return self.dense
        classes = ops.arange(self.channels, dtype="int32")
        if self.class_axis == 1:
            classes = ops.expand_dims(classes, -1)
        return ops.cast(ops.equal(ops.expand_dims(self.ids, self.class_axis), classes), self.scores.dtype)

    def per_class(self, x: Tensor) -> Tensor:
        """A (B, N) tensor in a shape that multiplies `scores`."""
        return x if self.class_axis is None else ops.expand_dims(x, self.class_axis)

    def images(self, x: Tensor) -> Tensor:
        """Values in the layout of `scores` as images of one class each, (B, C, *spatial)."""
        x = ops.transpose(x, (0, 2, 1)) if self.class_axis == 2 else x
        return ops.reshape(x, (-1, self.channels, *self.spatial))

    def flat(self, images: Tensor) -> Tensor:
        """The inverse of `images`."""
        pixels = -1 if any(not isinstance(size, int) for size in self.spatial) else math.prod(self.spatial)
        if self.class_axis is None:
            return ops.reshape(images, (-1, pixels))
        x = ops.reshape(images, (-1, self.channels, pixels))
        return ops.transpose(x, (0, 2, 1)) if self.class_axis == 2 else x


def encode(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    from_logits: bool = False,
    axis: int = -1,
    labels: Labels = "auto",
    ignore_class: ClassIds = None,
    multi_label: bool = False,
    pixel_weight: Tensor | None = None,
    mask: Tensor | None = None,
    strict: bool = True,
) -> Pixels:
    """Brings labels and predictions to one layout; see `Pixels`.

    Args:
        y_true: integer ids (B, *spatial) or (B, *spatial, 1), or dense labels in the shape of `y_pred`.
        y_pred: (B, *spatial, C), or with the channels at `axis`.
        from_logits: whether `y_pred` are logits.
        axis: the channel axis of `y_pred`: -1 or 1.
        labels: "auto", "one_hot" or "sparse".
        ignore_class: pixels with this id count for nothing; or several ids.
        multi_label: the channels are independent binary masks.
        pixel_weight: None or (B, *spatial).
        mask: None or a boolean (B, *spatial); False pixels count for nothing.
        strict: refuse ids out of range (where values can be read), or let them pass.

    Raises:
        ValueError: if shapes would broadcast, ids are out of range (where values can be read), or the labels do not fit.
    """
    shape_true, shape_pred = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    channel_axis, channels = _channels(shape_pred, axis)
    sparse = _is_sparse(labels, shape_true, shape_pred, channel_axis, channels, multi_label)
    dtype = accumulation_dtype(y_pred.dtype)
    given_axis = None if channels == 1 else (1 if channel_axis == 1 and len(shape_pred) > 2 else 2)
    class_axis = _fastest_axis(given_axis, from_logits and not multi_label)

    scores = _moved(flatten(_cast(y_pred, dtype), shape_pred, given_axis, channels), given_axis, class_axis)
    flat = flatten(y_true, shape_true, None if sparse else given_axis, channels)
    ids = dense = None
    if sparse:
        ids, ignored = _class_ids(flat, ids_to_ignore(ignore_class), channels, strict)
    else:
        dense, ignored = _dense_labels(flat, ids_to_ignore(ignore_class), given_axis, channels, multi_label, strict)
        dense = _moved(_cast(dense, dtype), given_axis, class_axis)
    weight, valid = _pixel_weights(ignored, mask, pixel_weight, dtype)
    sizes = ops.shape(y_pred)
    spatial = tuple(sizes[1:channel_axis]) + tuple(sizes[channel_axis + 1 :])
    return Pixels(scores, ids, dense, weight, valid, channels, class_axis, from_logits, multi_label, spatial)


def _fastest_axis(given_axis, takes_softmax):
    """Where the classes are kept: as they came in, but for a softmax over a short last axis on PyTorch.

    It is 14 times slower there than over an axis in the middle, more than a copy costs.
    """
    return 1 if given_axis == 2 and takes_softmax and keras.backend.backend() == "torch" else given_axis


def _moved(x, given_axis, class_axis):
    """(B, N, C) as (B, C, N) if that is asked for."""
    return x if given_axis == class_axis else x.transpose(1, 2).contiguous()


def _class_ids(flat, ignore, channels, strict):
    """(B, N) int32 ids, 0 on ignored pixels, and where a pixel is ignored, or None."""
    ids = ops.cast(flat, "int32")
    ignored = _any([ops.equal(ids, c) for c in ignore])
    if ignored is not None:
        ids = ops.where(ignored, ops.zeros_like(ids), ids)
    _check_ids(flat, ids, ignored, channels, strict)
    return ids, ignored


def _dense_labels(flat, ignore, class_axis, channels, multi_label, strict):
    """Labels with 0 on ignored pixels, and where a pixel is ignored, (B, N), or None."""
    ignored = _any([_ignored_dense(flat, c, class_axis, channels, multi_label) for c in ignore])
    everywhere = ignored if ignored is None or class_axis is None else ops.expand_dims(ignored, class_axis)
    if strict and (class_axis is None or multi_label):
        _check_binary(flat, everywhere)
    # An id such as 255 must not enter a sum, not even multiplied by a weight of 0.
    return (flat if ignored is None else ops.where(everywhere, ops.zeros_like(flat), flat)), ignored


def _pixel_weights(ignored, mask, pixel_weight, dtype):
    """`weight` and `valid` of a `Pixels` record."""
    valid = None if ignored is None else ops.cast(ops.logical_not(ignored), dtype)
    if mask is not None:
        flat_mask = ops.cast(flatten(mask, static_shape(mask, "mask"), None, 1), dtype)
        valid = flat_mask if valid is None else valid * flat_mask
    if pixel_weight is None:
        return valid, valid
    weight = ops.cast(flatten(pixel_weight, static_shape(pixel_weight, "sample_weight"), None, 1), dtype)
    return (weight if valid is None else weight * valid), valid


def spatial_shape(y_pred: Tensor, axis: int) -> tuple[int | None, ...]:
    """The static (batch, *spatial) shape of predictions whose channels are at `axis`."""
    shape = static_shape(y_pred, "y_pred")
    channel_axis, _ = _channels(shape, axis)
    return shape[:channel_axis] + shape[channel_axis + 1 :]


def _channels(shape_pred, axis):
    rank = len(shape_pred)
    if rank < 2:
        raise ValueError(
            "y_pred needs a batch axis and a channel axis, (B, ..., C). "
            f"Received: y_pred of shape {shape_pred}. Write `y_pred[..., None]` for a single channel."
        )
    channel_axis = axis % rank if -rank <= axis < rank else None
    if channel_axis not in (1, rank - 1):
        raise ValueError(
            f"`axis` must be -1 (channels last) or 1 (channels first). Received: axis={axis} for y_pred of shape {shape_pred}"
        )
    channels = shape_pred[channel_axis]
    if channels is None:
        raise ValueError(
            f"The number of channels must be known. Received: y_pred of shape {shape_pred} with axis={axis}. "
            "Give the last layer a fixed number of filters or units."
        )
    return channel_axis, channels


def _is_sparse(labels, shape_true, shape_pred, channel_axis, channels, multi_label):
    """Whether `y_true` holds ids; raises if it fits neither form."""
    without_channels = shape_pred[:channel_axis] + shape_pred[channel_axis + 1 :]
    one_channel = (*shape_pred[:channel_axis], 1, *shape_pred[channel_axis + 1 :])
    fits_dense = compatible(shape_true, shape_pred)
    fits_ids = compatible(shape_true, without_channels) or (
        compatible(shape_true, one_channel) and (shape_true[channel_axis] == 1 or channels == 1 or labels == "sparse")
    )
    if channels == 1:  # a mask is a mask, with its channel axis or without
        ok, sparse = fits_dense or fits_ids, False
    elif labels == "one_hot" or multi_label:
        ok, sparse = fits_dense, False
    elif labels == "sparse":
        ok, sparse = fits_ids, True
    else:
        ok, sparse = fits_dense or fits_ids, fits_ids
    if not ok:
        expected = []
        if labels != "sparse" or channels == 1:
            expected.append(f"{shape_pred} (one value a channel)")
        if (labels != "one_hot" and not multi_label) or channels == 1:
            expected.append(f"{without_channels} or {one_channel} (class ids)")
        raise ValueError(
            f"y_true of shape {shape_true} does not fit y_pred of shape {shape_pred}: they would broadcast. "
            f"Expected y_true of shape {' or '.join(expected)} with labels={labels!r}. "
            "Write `y_true[..., None]` or `keras.ops.squeeze(y_true, -1)` if only the channel axis differs; "
            "set `axis=1` if channels come first."
        )
    return sparse


def flatten(x: Tensor, shape: tuple[int | None, ...], class_axis: int | None, channels: int) -> Tensor:
    """(B, *spatial[, C]) -> (B, N), (B, N, C) or (B, C, N), keeping an unknown batch size unknown."""
    sizes = shape[1:] if class_axis is None else (shape[1:-1] if class_axis == 2 else shape[2:])
    if None in sizes:
        batch, pixels = ops.shape(x)[0], -1
    else:
        batch, pixels = (-1 if shape[0] is None else shape[0]), math.prod(sizes)
    target = {None: (batch, pixels), 1: (batch, channels, pixels), 2: (batch, pixels, channels)}[class_axis]
    return x if len(shape) == len(target) else ops.reshape(x, target)


def _cast(x, dtype):
    return x if keras.backend.standardize_dtype(x.dtype) == dtype else ops.cast(x, dtype)


def ids_to_ignore(ignore_class: ClassIds) -> tuple[int, ...]:
    """`ignore_class`, None, an id or a list of them, as a tuple."""
    return () if ignore_class is None else tuple(ignore_class) if isinstance(ignore_class, (list, tuple)) else (ignore_class,)


def _any(conditions):
    """The logical or of boolean tensors, some of which may be None for False; None if all are."""
    conditions = [c for c in conditions if c is not None]
    return functools.reduce(ops.logical_or, conditions) if conditions else None


def _ignored_dense(flat, ignore_class, class_axis, channels, multi_label):
    if class_axis is None:
        return ops.equal(flat, ops.cast(ignore_class, flat.dtype)) if _representable(flat, ignore_class) else None
    if multi_label:
        if not _representable(flat, ignore_class):
            return None
        return ops.any(ops.equal(flat, ops.cast(ignore_class, flat.dtype)), axis=class_axis)
    if not 0 <= ignore_class < channels:
        raise ValueError(
            f"ignore_class={ignore_class} cannot occur in one-hot labels of {channels} channels. "
            f"Expected 0 to {channels - 1}; pass integer ids instead of one-hot labels to ignore another id."
        )
    return (
        ops.take(flat, ignore_class, axis=class_axis) > 0.5
        if is_float(flat)
        else ops.cast(ops.take(flat, ignore_class, axis=class_axis), "bool")
    )


def _representable(flat, ignore_class):
    """Whether `ignore_class` can occur at all: -1 never equals an unsigned label, and casting it would wrap."""
    dtype = str(flat.dtype)
    return not ((ignore_class < 0 and ("uint" in dtype or "bool" in dtype)) or ("bool" in dtype and ignore_class > 1))


def _check_ids(raw, ids, ignored, channels, strict):
    if not is_concrete(ids) or 0 in tuple(ids.shape) or not (strict or is_float(raw)):
        return
    low, high = int(ops.min(ids)), int(ops.max(ids))
    if strict and (low < 0 or high >= channels):
        raise ValueError(
            f"Class ids must lie in 0..{channels - 1} for y_pred with {channels} channels. "
            f"Received: ids from {low} to {high}. Pass `ignore_class={low if low < 0 else high}` "
            "if that id means 'do not count'."
        )
    if not is_float(raw):
        return
    whole = ops.equal(raw, ops.floor(raw))
    if not bool(ops.all(whole if ignored is None else ops.logical_or(whole, ignored))):
        raise ValueError(
            "y_true has one axis less than y_pred, so it was read as class ids, but it holds fractions. "
            "Pass one-hot (soft) labels in the shape of y_pred instead."
        )


def _check_binary(flat, ignored):
    """Integer masks must hold 0 and 1; float masks may be soft and are left to NumericsGuard."""
    if is_float(flat) or "bool" in str(flat.dtype) or not is_concrete(flat) or 0 in tuple(flat.shape):
        return
    values = ops.cast(flat, "int32")
    if ignored is not None:
        values = ops.where(ignored, ops.zeros_like(values), values)
    low, high = int(ops.min(values)), int(ops.max(values))
    if low < 0 or high > 1:
        raise ValueError(
            f"A binary mask must hold 0 and 1. Received: values from {low} to {high}. "
            f"Write `y_true > 0` for a mask stored as 0 and {high}, or pass "
            f"`ignore_class={low if low < 0 else high}` if that value means 'do not count'."
        )
