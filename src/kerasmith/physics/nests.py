"""Coordinates and outputs as lists of columns, whatever nest a model takes and returns."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.numerics.tensors import is_float, static_shape


class Coordinates(NamedTuple):
    """The inputs of a field.

    Attributes:
        leaves: tensors (B,) or (B, d).
        columns: for each axis, the leaf and the column in it; None for a leaf (B,).
        keys: of a dict, where each leaf is one axis; else None.
        pack: leaves -> what the function or model takes.
    """

    leaves: list[Tensor]
    columns: list[tuple[int, int | None]]
    keys: tuple[str, ...] | None
    pack: Function


def coordinates_of(x: Any) -> Coordinates:
    """Reads coordinates: one array (B, D) or (B,), an object with such an array as `x`, or a dict or list of them.

    Raises:
        TypeError: for anything but floating point numbers.
        ValueError: for other shapes, or parts of different lengths.
    """
    if isinstance(x, dict):
        keys = list(x)
        parts, pack = list(x.values()), lambda leaves: dict(zip(keys, leaves))
    elif isinstance(x, (list, tuple)) and x and all(hasattr(part, "shape") for part in x):
        keys, parts, pack = None, list(x), list
    else:
        keys, parts, pack = None, [x], lambda leaves: leaves[0]
    leaves = [_leaf(part) for part in parts]
    columns, sizes = [], set()
    for i, leaf in enumerate(leaves):
        shape = static_shape(leaf, "x")
        if len(shape) not in (1, 2) or (len(shape) == 2 and not shape[1]):
            raise ValueError(
                f"The coordinates of points must have shape (points, axes), one row a point. Received: x of shape {shape}"
            )
        sizes.add(shape[0])
        columns += [(i, None)] if len(shape) == 1 else [(i, c) for c in range(shape[1])]
    if len(sizes - {None}) > 1:
        shapes = ", ".join(str(static_shape(leaf, "x")) for leaf in leaves)
        raise ValueError(f"The parts of `x` must have one row for each point. Received: x of shapes {shapes}")
    named = tuple(map(str, keys)) if keys is not None and len(columns) == len(keys) else None
    return Coordinates(leaves, columns, named, pack)


def _leaf(part):
    part = getattr(part, "x", part) if not keras.ops.is_tensor(part) else part
    if isinstance(part, (list, tuple)) or (isinstance(part, np.ndarray) and part.dtype == np.float64):
        part = np.asarray(part, keras.config.floatx())
    leaf = ops.convert_to_tensor(part)
    if not is_float(leaf):
        raise TypeError(
            f"Coordinates must be floating point numbers: nothing has a derivative by integers. Received: dtype {leaf.dtype}. "
            "Write `x.astype('float32')`."
        )
    return leaf


def column(leaf: Tensor, index: int | None) -> Tensor:
    """(B,) of a leaf (B,) or (B, d)."""
    return leaf if index is None else leaf[:, index]


def output_columns(y: Any, batch: int | None, square: bool = True) -> tuple[list[Tensor], tuple[str, ...] | None]:
    """The outputs as columns (B,) in float32 at least, and their names where `y` is a dict of columns.

    Args:
        y: what a function or model returned.
        batch: the number of points, or None.
        square: whether there may be as many outputs as points, more than one.

    Raises:
        ValueError: unless each part has shape (B,) or (B, K).
    """
    keys = tuple(map(str, y)) if isinstance(y, dict) else None
    parts = list(y.values()) if keys is not None else list(y) if isinstance(y, (list, tuple)) else [y]
    columns = []
    for part in parts:
        if part is None:
            raise ValueError("The function of a field must return its values at the points. It returned None.")
        part = ops.convert_to_tensor(part)
        shape = static_shape(part, "the values of the field")
        wrong_batch = len(shape) > 0 and None not in (shape[0], batch) and shape[0] != batch
        if len(shape) not in (1, 2) or wrong_batch:
            raise ValueError(
                f"A field has one value a point, ({batch or 'points'},), or a row of outputs, ({batch or 'points'}, outputs). "
                f"Its function returned shape {shape} for {batch or 'unknown many'} points: mind shapes that broadcast."
            )
        if not square and len(shape) == 2 and batch is not None and shape[1] == batch > 1:
            raise ValueError(
                f"The function of the field returned shape {shape} for {batch} points: a tensor of shape ({batch},) has met "
                f"one of shape ({batch}, 1). Write `other[:, 0]` for the latter; if there are {batch} outputs, name them: "
                "Field(..., outputs=[...])."
            )
        if keras.backend.standardize_dtype(part.dtype) in ("float16", "bfloat16"):
            part = ops.cast(part, "float32")
        columns += [part] if len(shape) == 1 else [part[:, k] for k in range(shape[1])]
    return columns, keys if keys is not None and len(columns) == len(keys) else None
