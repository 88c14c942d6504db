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
from kerasmith.labels.label_domain import BINARY, ONE_HOT, class_id_domain, last_exact
from kerasmith.labels.label_watch import Doubt, doubt_about
from kerasmith.labels.layout import channels_of, fastest_axis, flatten, holds_ids, moved
from kerasmith.labels.pixel_weights import beside, ids_to_ignore, ignored_labels, weight_and_valid
from kerasmith.numerics.softmax import softmax
from kerasmith.numerics.tensors import accumulation_dtype, static_shape


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
    channel_axis, channels = channels_of(shape_pred, axis)
    sparse = holds_ids(labels, shape_true, shape_pred, channel_axis, channels, multi_label)
    dtype = accumulation_dtype(y_pred.dtype)
    given_axis = None if channels == 1 else (1 if channel_axis == 1 and len(shape_pred) > 2 else 2)
    class_axis = fastest_axis(given_axis, from_logits and not multi_label)

    scores = moved(flatten(_cast(y_pred, dtype), shape_pred, given_axis, channels), given_axis, class_axis)
    flat = flatten(y_true, shape_true, None if sparse else given_axis, channels)
    ids = dense = None
    label_axis = None if sparse else given_axis
    ignored = ignored_labels(flat, ids_to_ignore(ignore_class), missing, label_axis, channels, multi_label)
    if ignored is not None:  # an id such as 255 must not enter a sum, not even multiplied by a weight of 0
        flat = ops.where(beside(ignored, flat, label_axis), ops.zeros_like(flat), flat)
    if target_weight is not None:
        target_weight = flatten(
            ops.cast(target_weight, dtype), static_shape(target_weight, "sample_weight"), given_axis, channels
        )
    weight, valid = weight_and_valid(ignored, mask, pixel_weight, target_weight, dtype, label_axis)
    counts = None if weight is None else beside(weight, flat, label_axis)
    if sparse:
        flat = _checked_ids(flat, channels, counts, strict is True)
        doubt = doubt_about(flat)
        ids = _as_int32(flat, doubt) if strict is True else flat
    else:
        if strict is True or (strict and (given_axis is None or multi_label)):
            flat = check_labels(flat, BINARY if given_axis is None or multi_label else ONE_HOT, counts)
        doubt = doubt_about(flat)
        dense = moved(_cast(flat, dtype), given_axis, class_axis)
    sizes = ops.shape(y_pred)
    spatial = tuple(sizes[1:channel_axis]) + tuple(sizes[channel_axis + 1 :])
    return Pixels(scores, ids, dense, weight, valid, channels, class_axis, from_logits, multi_label, spatial, doubt)


def _checked_ids(flat, channels, counts, strict):
    """Before ids become int32: what is beyond would wrap into the range of the classes."""
    kind = keras.backend.standardize_dtype(flat.dtype)
    last = last_exact(kind)
    if channels - 1 > last:
        raise ValueError(
            f"Class ids of {kind} cannot tell {channels} classes apart: from {last + 2} on, ids became others. Received: "
            f"y_true of {kind}. Pass integers."
        )
    domain = class_id_domain(channels)
    return check_labels(flat, domain if strict else dataclasses.replace(domain, low=-math.inf, high=math.inf), counts)


def _as_int32(flat, doubt):
    """Ids as int32; what would wrap into the range of the classes is no class."""
    kind = keras.backend.standardize_dtype(flat.dtype)
    if doubt is not None and ("float" in kind or kind in ("int64", "uint64", "uint32")):
        return ops.where(doubt.inside(flat), ops.cast(flat, "int32"), ops.cast(-1, "int32"))
    return ops.cast(flat, "int32")


def spatial_shape(y_pred: Tensor, axis: int) -> tuple[int | None, ...]:
    """The static (batch, *spatial) shape of predictions whose channels are at `axis`."""
    shape = static_shape(y_pred, "y_pred")
    channel_axis, _ = channels_of(shape, axis)
    return shape[:channel_axis] + shape[channel_axis + 1 :]


def _cast(x, dtype):
    return x if keras.backend.standardize_dtype(x.dtype) == dtype else ops.cast(x, dtype)
