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
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import BINARY, ONE_HOT, WEIGHTS, class_id_domain
from kerasmith.labels.label_watch import Doubt, doubt_about
from kerasmith.numerics.softmax import softmax
from kerasmith.numerics.tensors import accumulation_dtype, compatible, is_float, static_shape


@dataclasses.dataclass(frozen=True)
class Pixels:
    """One batch: N pixels an image, C channels.

    Attributes:
        scores: predictions, (B, N) for one channel, else (B, N, C) or (B, C, N); logits or probabilities.
        ids: class ids, (B, N), 0 on ignored pixels; None if the labels came dense. int32, unless they were not checked.
        dense: labels in the layout of `scores`, or None if they came as ids.
        weight: (B, N) pixel weights, 0 on pixels that do not count, or None for all ones. In the layout of `scores` if single
            channels of `multi_label` are missing or have weights of their own.
        valid: in the shape of `weight`, 1 on what counts and 0 on what is ignored, missing or masked, or None if all counts.
        channels: C.
        class_axis: axis of `scores` that holds the classes, 1 or 2, None for one channel: where the backend computes fastest,
            not where `axis=` said that they come in.
        from_logits: True if `scores` are logits.
        multi_label: True if the channels are independent binary masks.
        spatial: the sizes of the image, N = their product; numbers, or tensors where TensorFlow does not know them.
        doubt: what a compiled program does not know of the labels, see `labels.label_watch`; None if there is none.
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
    doubt: Doubt | None = None

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

    def marked(self, values: Tensor) -> Tensor:
        """Values in the layout of `scores`, NaN where there is doubt about the labels and they are outside of their domain."""
        if self.doubt is None or not self.doubt.is_open:
            return values
        return self.doubt.marked(values, self.per_class(self.ids) if self.dense is None else self.dense)

    def per_class(self, x: Tensor) -> Tensor:
        """A (B, N) tensor, or one in the layout of `scores`, in a shape that multiplies `scores`."""
        return x if self.class_axis is None or len(x.shape) == 3 else ops.expand_dims(x, self.class_axis)

    @property
    def known_classes(self) -> Tensor | None:
        """(B, C), 0 for a channel of which an image has no label that counts; None where channels are not told apart."""
        if self.weight is None or len(self.weight.shape) != 3:
            return None
        return ops.cast(ops.any(self.weight > 0, axis=3 - self.class_axis), self.weight.dtype)

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
    missing: str | None = None,
    pixel_weight: Tensor | None = None,
    target_weight: Tensor | None = None,
    mask: Tensor | None = None,
    strict: bool | str = True,
) -> Pixels:
    """Brings labels and predictions to one layout; see `Pixels`.

    Args:
        y_true: integer ids (B, *spatial) or (B, *spatial, 1), or dense labels in the shape of `y_pred`.
        y_pred: (B, *spatial, C), or with the channels at `axis`.
        from_logits: whether `y_pred` are logits.
        axis: the channel axis of `y_pred`: -1 or 1.
        labels: "auto", "one_hot" or "sparse".
        ignore_class: pixels with this id count for nothing; or several ids. With `multi_label` single channels are meant.
        multi_label: the channels are independent binary masks.
        missing: "nan": what is labelled NaN counts for nothing, as `ignore_class`.
        pixel_weight: None or (B, *spatial).
        target_weight: None or, for `multi_label`, weights in the shape of y_pred.
        mask: None or a boolean (B, *spatial); False pixels count for nothing.
        strict: check that labels are what they can be, see `labels.label_check`; "masks": ids out of range pass, as they are;
            False: labels may be any numbers.

    Raises:
        ValueError: if shapes would broadcast, or labels do not fit or are out of range (where values can be read).
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
    label_axis = None if sparse else given_axis
    ignored = _ignored(flat, ids_to_ignore(ignore_class), missing, label_axis, channels, multi_label)
    if ignored is not None:  # an id such as 255 must not enter a sum, not even multiplied by a weight of 0
        flat = ops.where(_beside(ignored, flat, label_axis), ops.zeros_like(flat), flat)
    if target_weight is not None:
        target_weight = flatten(
            ops.cast(target_weight, dtype), static_shape(target_weight, "sample_weight"), given_axis, channels
        )
    weight, valid = _weights(ignored, mask, pixel_weight, target_weight, dtype, label_axis)
    counts = None if weight is None else _beside(weight, flat, label_axis)
    if sparse:
        flat = _checked_ids(flat, channels, counts, strict is True)
        doubt = doubt_about(flat)
        ids = _as_int32(flat, doubt) if strict is True else flat
    else:
        if strict is True or (strict and (given_axis is None or multi_label)):
            flat = check_labels(flat, BINARY if given_axis is None or multi_label else ONE_HOT, counts)
        doubt = doubt_about(flat)
        dense = _moved(_cast(flat, dtype), given_axis, class_axis)
    sizes = ops.shape(y_pred)
    spatial = tuple(sizes[1:channel_axis]) + tuple(sizes[channel_axis + 1 :])
    return Pixels(scores, ids, dense, weight, valid, channels, class_axis, from_logits, multi_label, spatial, doubt)


def _fastest_axis(given_axis, takes_softmax):
    """Where the classes are kept: as they came in, but for a softmax over a short last axis on PyTorch.

    It is 14 times slower there than over an axis in the middle, more than a copy costs.
    """
    return 1 if given_axis == 2 and takes_softmax and keras.backend.backend() == "torch" else given_axis


def _moved(x, given_axis, class_axis):
    """(B, N, C) as (B, C, N) if that is asked for."""
    return x if given_axis == class_axis else x.transpose(1, 2).contiguous()


def _checked_ids(flat, channels, counts, strict):
    """Before ids become int32: what is beyond would wrap into the range of the classes."""
    domain = class_id_domain(channels)
    return check_labels(flat, domain if strict else dataclasses.replace(domain, low=-math.inf, high=math.inf), counts)


def _as_int32(flat, doubt):
    """Ids as int32; what would wrap into the range of the classes is no class."""
    kind = keras.backend.standardize_dtype(flat.dtype)
    if doubt is not None and ("float" in kind or kind in ("int64", "uint64", "uint32")):
        return ops.where(doubt.inside(flat), ops.cast(flat, "int32"), ops.cast(-1, "int32"))
    return ops.cast(flat, "int32")


def _beside(x, labels, class_axis):
    """(B, N) values in a shape that goes with labels in the layout of scores."""
    return x if class_axis is None or len(x.shape) == len(labels.shape) else ops.expand_dims(x, class_axis)


def _ignored(flat, ignore, missing, class_axis, channels, multi_label):
    """Where a pixel is ignored, (B, N), or for independent channels where one of them is, in the layout of scores; or None."""
    given = [_ignored_labels(flat, c, class_axis, channels, multi_label) for c in ignore]
    if missing is not None and is_float(flat):
        unknown = ops.isnan(flat)
        given.append(unknown if class_axis is None or multi_label else ops.any(unknown, axis=class_axis))
    return _any(given)


def _weights(ignored, mask, pixel_weight, target_weight, dtype, class_axis):
    """`weight` and `valid` of a `Pixels` record."""
    valid = None if ignored is None else ops.cast(ops.logical_not(ignored), dtype)
    if mask is not None:
        valid = _product(valid, ops.cast(flatten(mask, static_shape(mask, "mask"), None, 1), dtype), class_axis)
    if pixel_weight is not None:
        check_labels(pixel_weight, WEIGHTS)
        weight = ops.cast(flatten(pixel_weight, static_shape(pixel_weight, "sample_weight"), None, 1), dtype)
    elif target_weight is not None:
        weight = check_labels(target_weight, WEIGHTS)
    else:
        return valid, valid
    weight = _product(valid, weight, class_axis)
    if valid is not None and len(valid.shape) < len(weight.shape):
        valid = _product(valid, ops.ones_like(weight), class_axis)
    return weight, valid


def _product(x, y, class_axis):
    """The product of weights of pixels or of single channels, either of which may be None for 1."""
    if x is None or y is None:
        return y if x is None else x
    longest = x if len(x.shape) > len(y.shape) else y
    return _beside(x, longest, class_axis) * _beside(y, longest, class_axis)


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


def _ignored_labels(flat, ignore_class, class_axis, channels, multi_label):
    if class_axis is None or multi_label:
        return ops.equal(flat, ops.cast(ignore_class, flat.dtype)) if _representable(flat, ignore_class) else None
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
    dtype = keras.backend.standardize_dtype(flat.dtype)
    if "int" not in dtype and dtype != "bool":
        return True
    signed, bits = dtype.startswith("int"), 1 if dtype == "bool" else int(dtype.strip("uint"))
    return -(2 ** (bits - 1)) * signed <= ignore_class < 2 ** (bits - signed)
