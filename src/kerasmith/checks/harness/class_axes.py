"""What a component asks of argmax, softmax and sums while it runs: along which axis, of arrays of which shape."""

import contextlib
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from kerasmith.checks.engine.lazy_keras import backend

_NAMES = ("argmax", "argmin", "softmax", "log_softmax")
# What makes one number of many; TensorFlow's names, too.
REDUCTIONS = ("sum", "mean", "count_nonzero", "any", "all", "max", "min", "reduce_sum", "reduce_mean")


class AxisUse(NamedTuple):
    """One call.

    Attributes:
        name: of the operation.
        shape: of its argument.
        axis: as it was given; None for none.
        line: of the component's file, None if it was called from elsewhere.
    """

    name: str
    shape: tuple[int, ...]
    axis: Any
    line: int | None


@contextlib.contextmanager
def noted_axes(file: str | None, names: tuple[str, ...] = _NAMES) -> Iterator[list[AxisUse]]:
    """Notes calls of argmax and softmax, or of other `names`, that code in `file` makes through Keras or TensorFlow."""
    # The modules themselves: what is set on a lazy one reaches nobody.
    import keras.activations
    import keras.ops

    uses: list[AxisUse] = []
    places = [(owner, name) for owner in (keras.ops, keras.activations) for name in names if hasattr(owner, name)]
    if backend() == "tensorflow":
        import tensorflow as tf

        places += [(owner, name) for owner in (tf, tf.math, tf.nn) for name in names if hasattr(owner, name)]
    before = [(owner, name, getattr(owner, name)) for owner, name in places]
    for owner, name, original in before:
        setattr(owner, name, _noting(original, name, _default(owner, name), file, uses))
    try:
        yield uses
    finally:
        for owner, name, original in before:
            setattr(owner, name, original)


def _default(owner: Any, name: str) -> Any:
    """The axis where none is given: the last of a softmax, none of `ops.argmax`, the first of TensorFlow's."""
    if "softmax" in name:
        return -1
    return None if owner.__name__ == "keras.ops" else 0


def _noting(
    original: Callable[..., Any], name: str, default: Any, file: str | None, uses: list[AxisUse]
) -> Callable[..., Any]:
    def function(*arguments: Any, **options: Any) -> Any:
        caller = traceback.extract_stack(limit=2)[0]
        if file is not None and caller.filename == file and arguments:
            axis = options.get("axis", arguments[1] if len(arguments) > 1 else default)
            shape = tuple(getattr(arguments[0], "shape", ()))
            uses.append(AxisUse(name, shape, axis, caller.lineno))
        return original(*arguments, **options)

    return function


def beside_the_classes(uses: list[AxisUse], classes: tuple[int, ...]) -> AxisUse | None:
    """The first call on an array of labels or predictions of shape `classes` along another axis than the last one."""
    for use in uses:
        if use.shape != classes or isinstance(use.axis, (tuple, list)):
            continue
        if use.axis is None or int(use.axis) % len(classes) != len(classes) - 1:
            return use
    return None


def class_shape(y_true: Any, y_pred: Any) -> tuple[int, ...] | None:
    """The shape of predictions of classes (..., C) whose labels are one-hot or ids; None where they are something else."""
    from kerasmith.checks.engine.spec import Spec

    if not isinstance(y_true, Spec) or not isinstance(y_pred, Spec) or len(y_pred.shape) < 2 or y_pred.shape[-1] < 2:
        return None
    onehot = y_true.domain == ("onehot",) and y_true.shape == y_pred.shape
    ids = y_true.dtype.startswith("int") and y_true.shape in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1))
    return y_pred.shape if (onehot or ids) and y_pred.dtype.startswith("float") else None
