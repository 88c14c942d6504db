"""Losses in half and in double precision."""

import time

import numpy as np

from kerasmith.checks.engine.comparison import format_numbers, gap
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.engine.spec import Spec
from kerasmith.checks.rules.losses.case import LossCase
from kerasmith.checks.rules.losses.edge_inputs import Point, edges, fail_at
from kerasmith.keras_internals.reproducers import IMPORT_LOSS_WRAPPER

# A full mask of this side and predictions of a half on average sum to more than the largest number of float16, 65504.
_LARGE = 232
# Seconds of the processor after which no further inputs are tried: half precision is slow on a processor.
_PATIENCE = 2.0


@check("L113", "loss", "warning", requires=("base", "L108", "L112", "L114", "L129"), since="0.1.0")
def half_precision(case: LossCase) -> None:
    """The loss is wrong in float16 where it is right in float32.

    Sums of a mask pass 65504, the largest number of float16; 1e-8 is 0 there, so a clip or an epsilon of that size
    protects nothing. With `dtype="float16"` or the float16 outputs of a mixed-precision model the loss becomes NaN, or
    silently constant.

    Fix: `y_pred = ops.cast(y_pred, "float32")` at the beginning of `call`, and `epsilon=1e-7` only after that; cast back
    in the end.
    """
    inputs = case.inputs
    points = [Point("the inputs of this check", inputs["y_true"], inputs["y_pred"], ()), *_large(case), *edges(case, far=10.0)]
    end = time.process_time() + _PATIENCE
    for point in points:
        if time.process_time() > end:
            return
        right = case.unreduced(case.loss(), point.y_true, point.y_pred)
        half = case.unreduced(_in(case, "float16"), point.y_true, point.y_pred)
        if not np.all(np.isfinite(right)) or np.max(np.abs(right)) > 3e4 or right.shape != half.shape:
            continue
        if not np.all(np.isfinite(half)) or (gap(half, right) > 0.1 and np.max(np.abs(half - right)) > 0.02):
            place = np.unravel_index(np.argmax(np.where(np.isfinite(half), np.abs(half - right), np.inf)), half.shape)
            raise fail_at(
                point,
                f"{format_numbers(right[place])} as in float32",
                f"{format_numbers(half[place])} in float16",
                _lines(case, "float16"),
            )


@check("L114", "loss", "warning", requires=("base", "L108", "L110"), since="0.1.0")
def other_dtypes(case: LossCase) -> None:
    """The loss fails in float16 or float64.

    A cast to a fixed type of only one of the arguments, or constants of a fixed type, meet predictions of another type:
    TensorFlow refuses to mix them. It breaks with mixed precision and `keras.config.set_floatx`.

    Fix: cast to the type of the predictions, `ops.cast(y_true, y_pred.dtype)`, or both to float32.
    """
    inputs = case.inputs
    # Keras cannot do float64 on JAX unless it is switched on before the start.
    for dtype in ("float16", "float64") if backend() != "jax" else ("float16",):
        try:
            case.unreduced(_in(case, dtype), inputs["y_true"], inputs["y_pred"])
        except Inconclusive:
            raise
        except Exception as error:
            raise Failed(f"a value in {dtype}", describe_error(error), _lines(case, dtype)) from None


def _in(case, dtype):
    """A fresh loss that computes in `dtype`."""
    try:
        return case.loss(dtype=dtype)
    except NotApplicable:
        raise
    except Exception as error:
        raise Inconclusive(f"dtype={dtype!r} cannot be given: {type(error).__name__}: {error}") from None


def _large(case):
    """[Point] with images so large that sums over them do not fit into float16; [] if the inputs are no images."""
    specs = [case.specs["y_true"], case.specs["y_pred"]]
    if not all(isinstance(spec, Spec) for spec in specs) or len(specs[1].shape) not in (4, 5) or len(specs[0].shape) < 3:
        return []
    dimensions = len(specs[1].shape) - 2
    side = _LARGE if dimensions == 2 else 38
    if min(specs[1].shape[1:-1]) >= side * 0.8:
        return []
    shapes = [(1, *(side,) * dimensions, *spec.shape[1 + dimensions :]) for spec in specs]
    arrays = [spec._replace(shape=shape).draw(case.seed + place) for place, (spec, shape) in enumerate(zip(specs, shapes))]
    codes = [spec._replace(shape=shape).code(case.seed + place) for place, (spec, shape) in enumerate(zip(specs, shapes))]
    full = "y_true = np.maximum(y_true, y_true.max())" if specs[0].domain == ("integers", 0, 1) else ""
    lines = tuple(line for line in (f"y_true = {codes[0]}", f"y_pred = {codes[1]}", full) if line)
    if full:
        arrays[0] = np.maximum(arrays[0], arrays[0].max())
    return [Point(f"images of {' x '.join([str(side)] * dimensions)} pixels", *arrays, lines)]


def _lines(case, dtype):
    if case.subject.is_function:
        return [
            f"{IMPORT_LOSS_WRAPPER} as W",
            f'print(W(loss, reduction="none")(y_true, y_pred), W(loss, reduction="none", dtype="{dtype}")(y_true, y_pred))',
        ]
    again = f'half = type(loss).from_config({{**loss.get_config(), "dtype": "{dtype}"}})'
    return [again, 'loss.reduction = half.reduction = "none"', "print(loss(y_true, y_pred), half(y_true, y_pred))"]
