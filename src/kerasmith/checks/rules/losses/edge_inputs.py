"""Inputs at the edges of their domain: probabilities 0 and 1, far values, empty masks, perfect predictions."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.spec import Spec
from kerasmith.checks.rules.losses.case import LossCase

# Stands for "far away" where a domain has no ends.
FAR = 100.0


class Point(NamedTuple):
    """Inputs at an edge.

    Attributes:
        text: in words, to stand after "at".
        y_true, y_pred: arrays, nested as the loss takes them.
        lines: Python that makes them of `y_true` and `y_pred`.
    """

    text: str
    y_true: Any
    y_pred: Any
    lines: tuple[str, ...]


def limits(spec: Spec, far: float = FAR) -> tuple[float, float]:
    """(lowest, highest) value that an input may have: the ends of a bounded domain, else -far and far."""
    if spec.domain is None or spec.domain[0] not in ("interval", "integers"):
        return (0.0, 1.0) if spec.domain is not None else (-far, far)
    low, high = float(spec.domain[1]), float(spec.domain[2])
    bounded = low >= 0 or (low >= -1 and high <= 1) or spec.domain[0] == "integers"
    return (low, high) if bounded else (-far, far)


def edges(case: LossCase, far: float = FAR) -> list[Point]:
    """The `Point`s of a loss, on arrays of the size of its inputs.

    Args:
        case: a `LossCase`.
        far: stands for "far away" where a domain has no ends.
    """
    inputs, points = case.inputs, []
    true_spec, pred_spec = case.specs["y_true"], case.specs["y_pred"]
    extremes = [_filled(pred_spec, inputs["y_pred"], end, far) for end in (0, 1)]
    trues = [("the given labels", inputs["y_true"], ())]
    if isinstance(true_spec, Spec) and true_spec.domain is not None:
        kind, *ends = true_spec.domain
        if kind == "integers":
            trues += [_constant("y_true", inputs["y_true"], value) for value in ends]
        elif kind == "interval" and ends[0] <= 0 <= ends[1]:
            trues.append(_constant("y_true", inputs["y_true"], 0))
    for true_text, true, true_lines in trues:
        for pred_text, pred, pred_lines in extremes:
            points.append(Point(f"{true_text} and {pred_text}", true, pred, (*true_lines, *pred_lines)))
    if len(trues) == 2:
        points.append(Point(trues[1][0], trues[1][1], inputs["y_pred"], trues[1][2]))
    single = _single_ends(pred_spec, inputs["y_pred"])
    if single is not None:
        points += [Point(f"{text} and {single[0]}", true, single[1], (*lines, single[2])) for text, true, lines in trues]
    same = perfect(case)
    return points if same is None else [*points, same]


def _single_ends(spec: Any, array: Any) -> tuple[str, np.ndarray, str] | None:
    """(text, array, line): predictions inside of their domain but for one of each sample, which is exactly 0 or 1."""
    if not isinstance(spec, Spec) or limits(spec) != (0.0, 1.0) or spec.domain is None or spec.domain[0] != "interval":
        return None
    changed = array.copy()
    changed.reshape(len(array), -1)[:, 0] = np.arange(len(array)) % 2
    line = "y_pred.reshape(len(y_pred), -1)[:, 0] = np.arange(len(y_pred)) % 2"
    return "one of y_pred in each sample exactly 0 or 1", changed, line


def perfect(case: LossCase, rows: Any = None) -> Any:
    """The `Point` where `y_pred` equals `y_true`, in all rows or the first ones; None where it cannot."""
    true_spec, pred_spec = case.specs["y_true"], case.specs["y_pred"]
    if not isinstance(true_spec, Spec) or not isinstance(pred_spec, Spec) or true_spec.shape != pred_spec.shape:
        return None
    inputs = case.inputs
    true, pred = inputs["y_true"], inputs["y_pred"].copy()
    low, high = limits(pred_spec)
    if true.min() < low or true.max() > high:
        return None
    pred[:rows] = true[:rows]
    text, where = ("all rows", "[:]") if rows is None else (f"the first {rows} rows", f"[:{rows}]")
    return Point(f"y_pred equal to y_true in {text}", true, pred, (f"y_pred{where} = y_true{where}",))


def _filled(specs, arrays, end, far):
    """(text, arrays, lines) with each array of the predictions at one end of its domain."""
    if isinstance(specs, (dict, list)):
        keys = specs if isinstance(specs, dict) else range(len(specs))
        parts = {key: _filled(specs[key], arrays[key], end, far) for key in keys}
        lines = tuple(line.replace("y_pred", f"y_pred[{key!r}]") for key, part in parts.items() for line in part[2])
        filled = {key: part[1] for key, part in parts.items()}
        text = ", ".join(f"{key}: {part[0]}" for key, part in parts.items())
        return text, filled if isinstance(specs, dict) else list(filled.values()), lines
    if specs.domain is not None and specs.domain[0] in ("simplex", "onehot"):
        array = np.zeros_like(arrays)
        array[..., 0 if end == 0 else -1] = 1
        lines = (f"y_pred = np.zeros_like(y_pred); y_pred[..., {0 if end == 0 else -1}] = 1",)
        return "all of y_pred one class with probability 1", array, lines
    return _constant("y_pred", arrays, limits(specs, far)[end])


def _constant(name, array, value):
    """(text, array, lines) of an array that holds one value."""
    return f"{name} = {value:g} everywhere", np.full_like(array, value), (f"{name} = np.full_like({name}, {value:g})",)


def fail_at(point: Point, expected: str, actual: str, lines: Iterable[str]) -> Any:
    """The `Failed` of a check at a `Point`."""
    return Failed(expected=f"{expected}, at {point.text}", actual=actual, lines=[*point.lines, *lines])
