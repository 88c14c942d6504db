"""Which labels count, and how much: ignored classes, missing labels, masks and weights."""

import functools
from collections.abc import Sequence

import keras
from keras import ops

from kerasmith._types import ClassIds, DType, Tensor
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import WEIGHTS
from kerasmith.labels.layout import flatten
from kerasmith.numerics.tensors import is_float, static_shape


def ids_to_ignore(ignore_class: ClassIds) -> tuple[int, ...]:
    """`ignore_class`, None, an id or a list of them, as a tuple."""
    return () if ignore_class is None else tuple(ignore_class) if isinstance(ignore_class, (list, tuple)) else (ignore_class,)


def ignored_labels(
    flat: Tensor, ignore: Sequence[int], missing: str | None, class_axis: int | None, channels: int, multi_label: bool
) -> Tensor | None:
    """Where a pixel is ignored, (B, N), or for independent channels where one of them is, in the layout of scores; or None."""
    given = [_labelled(flat, c, class_axis, channels, multi_label) for c in ignore]
    if missing is not None and is_float(flat):
        unknown = ops.isnan(flat)
        given.append(unknown if class_axis is None or multi_label else ops.any(unknown, axis=class_axis))
    return _any(given)


def weight_and_valid(
    ignored: Tensor | None,
    mask: Tensor | None,
    pixel_weight: Tensor | None,
    target_weight: Tensor | None,
    dtype: DType,
    class_axis: int | None,
) -> tuple[Tensor | None, Tensor | None]:
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
    return beside(x, longest, class_axis) * beside(y, longest, class_axis)


def beside(x: Tensor, labels: Tensor, class_axis: int | None) -> Tensor:
    """(B, N) values in a shape that goes with labels in the layout of scores."""
    return x if class_axis is None or len(x.shape) == len(labels.shape) else ops.expand_dims(x, class_axis)


def _labelled(flat, ignore_class, class_axis, channels, multi_label):
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


def _any(conditions):
    """The logical or of boolean tensors, some of which may be None for False; None if all are."""
    conditions = [c for c in conditions if c is not None]
    return functools.reduce(ops.logical_or, conditions) if conditions else None
