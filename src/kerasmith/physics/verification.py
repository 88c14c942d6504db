"""How far a trained model is from a solution that is known, or found in another way."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from kerasmith._types import Function
from kerasmith.base.arguments import check_integer
from kerasmith.base.keywords import explain_keywords
from kerasmith.physics.box import Box
from kerasmith.physics.box_conditions import face_conditions
from kerasmith.physics.domain import Domain
from kerasmith.physics.field import Field
from kerasmith.physics.finite_differences import solve
from kerasmith.physics.linear_equation import REFUSED, LinearEquation
from kerasmith.physics.points import Points, axis_names, coordinates
from kerasmith.physics.residual_values import inputs_of, residual_terms, residual_values

_GRID = {1: 1001, 2: 101}
_DRAWN = 10_000


class Verification(dict[str, Any]):
    """What `verify` found: a dict of numbers, and the arrays behind it (since 0.2).

    Keys:
        relative_l2: ||prediction - reference|| / ||reference|| over the points; NaN where the reference is 0 everywhere.
        rmse: sqrt(mean((prediction - reference)^2)).
        max_error: the largest |prediction - reference|.
        max_error_at: {name of an axis: coordinate} of the point where that is.
        residual_there: what the model's equations leave at this point, sqrt(sum_k w_k r_k^2) with their weights; None for a
            model without an equation.
        points: number of points.
        reference: "function", "array" or "finite differences".
        reference_error: of finite differences, the relative L2 difference from a grid twice as coarse; otherwise None.

    Attributes:
        x: (N, D) points.
        names: of the axes.
        prediction, reference_values, error: (N,); the error is prediction - reference.
        shape: that of the grid which the points are, or None; `error.reshape(shape)` then is a picture.
    """

    x: np.ndarray
    names: tuple[str, ...]
    prediction: np.ndarray
    reference_values: np.ndarray
    error: np.ndarray
    shape: tuple[int, ...] | None

    def __str__(self) -> str:
        where = ", ".join(f"{name}={value:.4g}" for name, value in self["max_error_at"].items())
        residual = self["residual_there"]
        lines = [
            f"relative L2 error {self['relative_l2']:.3g} at {self['points']} points, against {self['reference']}",
            f"largest error {self['max_error']:.3g} at {where}"
            + (f", residual {residual:.3g}" if residual is not None else ""),
        ]
        if self["reference_error"] is not None:
            lines.append(f"the reference itself is known to about {self['reference_error']:.2g}")
        return "\n".join(lines)


@explain_keywords
def verify(
    model: Any,
    field: Any,
    reference: Function | Any | None = None,
    *,
    output: str | int | None = None,
    names: str | Sequence[str] | None = None,
    points: int | None = None,
    batch_size: int = 4096,
) -> Verification:
    """Compares a model with a solution: "small loss, wrong answer" shows here (since 0.2).

    Args:
        model: a Keras model of the coordinates, (B, D) or one input for each axis; or such a function.
        field: where to compare. A domain, such as `Box`: on a grid with one or two axes, at uniform points with more. Or
            `Points`, coordinates (N, D), or a `Field`, whose points are taken.
        reference: a function of (N, D) float64 coordinates that returns the solution, (N,), a manufactured one maybe; or an
            array of (N,) values at the points. Without one, the model's own equation is solved by finite differences, on a
            `Box` and by SciPy.
        output: name or position of the output, if the model has several; also of the reference, where it has as many.
        names: of the axes; by default those of `field`, or of the model's equation.
        points: points along each axis of a grid, or drawn in all: 1001 with one axis, 101 with two, 10,000 with more.
        batch_size: points at a time.

    Without a reference. The equation is read from its function: it must be linear, of order two at most, with the present
    values of an `Unknown`. With one or two axes of space it may be elliptic, with an axis "t" beside them parabolic. Each face
    of the box needs one "dirichlet", "neumann" or "robin" condition, the first time an "initial" one, whose value is a number
    or a function. The grid is the finite differences' own, and `reference_error` says how far they can be trusted. All else is
    refused.

    Raises:
        ValueError: for points with other axes than the model's, values that are not finite, shapes that do not fit, and what
            cannot be solved; says why.
        ImportError: for finite differences without SciPy.

    Example:

    >>> from kerasmith.physics import Box
    >>> result = verify(lambda x: x[:, 0] ** 2, Box(0, 1), lambda x: x[:, 0])
    >>> round(result["relative_l2"], 3), round(result["max_error"], 3), result["max_error_at"]
    (0.316, 0.25, {'x': 0.5})
    """
    check_integer("points", 1 if points is None else points, minimum=1)
    check_integer("batch_size", batch_size, minimum=1)
    known = _known_names(model, field, names)
    reference_error = None
    if reference is None:
        x, shape, values, reference_error = _finite_differences(model, field, known, points)
        kind = "finite differences"
    else:
        x, shape = _places(field, points)
        kind = "function" if callable(reference) else "array"
    known = axis_names(known, x.shape[1]) or _default_names(x.shape[1])
    # What the model sees is float32; the reference is asked at the same place.
    x = x.astype(keras.config.floatx()).astype("float64")
    if reference is not None:
        values = _reference_values(reference, field, x, output)
    prediction = _predictions(model, x, known, output, batch_size)
    error = prediction - values
    worst = int(np.argmax(np.abs(error)))
    size = float(np.linalg.norm(values))
    residual = residual_values(model, x[worst : worst + 1], names=known)[0] if _has_equation(model) else None
    result = Verification(
        relative_l2=float(np.linalg.norm(error)) / size if size > 0 else math.nan,
        rmse=float(np.sqrt(np.mean(error**2))),
        max_error=float(np.abs(error[worst])),
        max_error_at={name: float(value) for name, value in zip(known, x[worst], strict=True)},
        residual_there=None if residual is None else float(residual),
        points=len(x),
        reference=kind,
        reference_error=reference_error,
    )
    result.x, result.names, result.shape = x, known, shape
    result.prediction, result.reference_values, result.error = prediction, values, error
    return result


def _known_names(model, field, names):
    of_equation = next((t.names for t in residual_terms(model) if t.names is not None), None) if _has_equation(model) else None
    of_field = getattr(field, "names", None)
    given = [tuple(candidate) for candidate in (names, of_field, of_equation) if candidate is not None]
    if len(set(given)) > 1:
        raise ValueError(f"The axes have different names: {' and '.join(map(str, dict.fromkeys(given)))}. Give them the same.")
    return given[0] if given else None


def _default_names(dimension):
    return ("x",) if dimension == 1 else ("x", "t") if dimension == 2 else tuple(f"x{i}" for i in range(dimension))


def _has_equation(model):
    try:
        return bool(residual_terms(model))
    except ValueError:
        return False


def _places(field, points):
    """(N, D) points, and the shape of the grid that they are."""
    if isinstance(field, Domain):
        dimension = field.dimension
        if dimension not in _GRID:
            return np.asarray(field.uniform(points or _DRAWN).x, "float64"), None
        count = points or _GRID[dimension]
        axes = [
            np.linspace(low, high, count) if count > 1 else [(low + high) / 2]
            for low, high in zip(field.low, field.high, strict=True)
        ]
        x = np.stack([axis.reshape(-1) for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
        inside = field.contains(x)
        if not inside.any():
            raise ValueError(f"No point of a grid of {count} along each axis lies in {field!r}. Write points=... with more.")
        return (x, (count,) * dimension) if inside.all() else (x[inside], None)
    if points is not None:
        raise ValueError("`points` is the number of those that a domain gives. Received: points of your own, and `points`")
    if isinstance(field, Field):
        columns = [ops.convert_to_numpy(ops.stop_gradient(field[name])) for name in field.names]
        return np.stack(columns, axis=1).astype("float64"), None
    if isinstance(field, Points):
        return field.x.astype("float64"), None
    array = np.asarray(field) if not isinstance(field, (str, dict)) else None
    if array is None or array.dtype.kind not in "fiu":
        raise TypeError(
            "`field` must be where to compare: a domain such as Box([0, 0], [1, 1]), Points, an array (N, D), or a Field. "
            f"Received: {type(field).__name__}"
        )
    return coordinates(array[:, None] if array.ndim == 1 else array, name="field"), None


def _reference_values(reference, field, x, output):
    if not callable(reference) and isinstance(field, Domain):
        raise ValueError(
            "An array of reference values belongs to points: verify(model, x, values), with x of shape (N, D). For a domain "
            f"give a function of the coordinates. Received: reference of type {type(reference).__name__} and {field!r}"
        )
    values = reference(x) if callable(reference) else reference
    found = _one_output(values, len(x), output, "`reference`", scalar=callable(reference))
    return _finite(found, x, "The reference")


def _predictions(model, x, names, output, batch_size):
    batch_size = min(batch_size, len(x))
    parts = []
    for start in range(0, len(x), batch_size):
        part = x[start : start + batch_size]
        padded = np.concatenate([part, np.repeat(part[-1:], batch_size - len(part), axis=0)]).astype(keras.config.floatx())
        inputs = inputs_of(model, padded, names)
        values = model.predict_on_batch(inputs) if isinstance(model, keras.Model) else model(inputs)
        parts.append(_one_output(values, batch_size, output, "the model")[: len(part)])
    return _finite(np.concatenate(parts), x, "The prediction")


def _one_output(values, count, output, what, scalar=False):
    """(count,) float64 of the one output, or of the one that is asked for."""
    values = tree.map_structure(_as_array, values)
    if isinstance(values, dict):
        if len(values) > 1 and output not in values:
            raise ValueError(
                f"There are several outputs of {what}. Write output=... with one of {', '.join(map(repr, values))}."
            )
        values = values[output] if output in values else next(iter(values.values()))
        output = None
    elif isinstance(values, (list, tuple)) and len(values) and all(np.ndim(v) > 0 and len(v) == count for v in values):
        values = np.concatenate([np.reshape(v, (count, -1)) for v in values], axis=1)
    values = np.asarray(values, "float64")
    if scalar and values.ndim == 0:
        return np.full(count, float(values))
    if values.shape == (count,):
        return values
    if values.ndim != 2 or values.shape[0] != count:
        raise ValueError(f"{what} must give one number a point, ({count},). Received: shape {values.shape}")
    if values.shape[1] == 1:
        return values[:, 0]
    position = output
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < values.shape[1]:
        raise ValueError(
            f"There are {values.shape[1]} outputs of {what}. Write output=... with a number from 0 to {values.shape[1] - 1}. "
            f"Received: output={output!r}"
        )
    return values[:, position]


def _as_array(value):
    return ops.convert_to_numpy(ops.stop_gradient(value)) if ops.is_tensor(value) else np.asarray(value)


def _finite(values, x, what):
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise ValueError(
            f"{what} is not finite at {bad.size} of {len(values)} points, the first is {x[bad[0]].tolist()}: {values[bad[0]]}"
        )
    return values


def _finite_differences(model, field, names, points):
    if not isinstance(field, Box):
        raise ValueError(f"{REFUSED} Received: field={field!r}")
    if points is not None:
        raise ValueError("The grid of finite differences is their own. Leave out `points`, or give `reference`.")
    if not _has_equation(model):
        residual_terms(model)  # says what is missing
    names = axis_names(names, field.dimension) or _default_names(field.dimension)
    time = names.index("t") if "t" in names else None
    equation = LinearEquation(model)
    box = Box(field.low, field.high, names)
    return solve(lambda x: equation.at(x, names), face_conditions(model, box), box, time)
