"""Points as an array: what a condition or a residual keeps of a set of points."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


def point_array(points: Any, what: str) -> np.ndarray:
    """Coordinates (N, D) in Keras' float type.

    Args:
        points: an array (N, D), or (N,) for one axis, or an object with such an array as its attribute `x`.
        what: name of the argument, for the errors.

    Raises:
        ValueError: for no points, another shape, or numbers that are not finite.
        TypeError: for anything but numbers.
    """
    try:
        x = np.asarray(getattr(points, "x", points), keras.config.floatx())
    except (TypeError, ValueError) as problem:
        raise TypeError(f"`{what}` must be an array of points, (N, axes). Received: {what}={points!r}") from problem
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(
            f"`{what}` must hold at least one point, in rows: shape (N, axes). Received: {what} of shape {x.shape}"
        )
    if not np.isfinite(x).all():
        raise ValueError(f"`{what}` must be finite. Received: {what} with NaN or infinity")
    return x


def require_same_axes(terms: Sequence[Any]) -> None:
    """Looks whether the points and names of the terms of one objective can be those of one model.

    Raises:
        ValueError: for points with other numbers of axes; for the same names in another order, which would take one axis for
            the other.
    """
    terms = [term for term in terms if hasattr(term, "points") and hasattr(term, "names")]
    axes = {term.name: term.points.shape[1] for term in terms if term.points is not None}
    if len(set(axes.values())) > 1:
        raise ValueError(f"The points of all terms must have the axes of the model, in its order. Received: {axes} of them")
    names = {term.name: tuple(term.names) for term in terms if term.names is not None}
    first = next(iter(names.values()), ())
    for own in names.values():
        if own != first and sorted(own) == sorted(first):
            raise ValueError(
                "The names of the axes must stand in the order of the model's inputs, the same in all terms. Received: "
                f"{ {name: ''.join(given) if max(map(len, given)) == 1 else given for name, given in names.items()} }"
            )


def normal_array(given: Any, x: np.ndarray) -> np.ndarray:
    """Normals (N, D) of points.

    Raises:
        ValueError: for none, another shape, or vectors that do not have length 1.
    """
    if given is None:
        raise ValueError(
            "A condition on the slope across the boundary needs normals. Take boundary points of a domain, which know theirs, "
            "or write normals=[...], one unit vector for each point, pointing outwards."
        )
    normals = np.asarray(given, x.dtype)
    normals = normals[:, None] if normals.ndim == 1 else normals
    if normals.shape != x.shape:
        raise ValueError(
            f"`normals` must have one vector for each point, {x.shape}. Received: normals of shape {normals.shape}"
        )
    if not np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4):
        raise ValueError("`normals` must have length 1. Write normals / np.linalg.norm(normals, axis=1, keepdims=True)")
    return normals


def value_array(value: Any, x: np.ndarray, what: str) -> np.ndarray:
    """The numbers (N,) that a value stands for at points.

    Args:
        value: a number, an array (N,) or (N, 1), or a function of the points (N, D) that returns one of these.
        x: (N, D).
        what: whose value it is, for the errors.

    Raises:
        ValueError: for another shape, or numbers that are not finite.
    """
    given = value(x) if callable(value) else value
    if keras.ops.is_tensor(given):
        given = keras.ops.convert_to_numpy(given)
    array = np.asarray(given, x.dtype)
    if array.shape not in ((), (len(x),), (len(x), 1)):
        raise ValueError(
            f"The value of {what} must be a number or one for each of its {len(x)} points, ({len(x)},). Received: shape "
            f"{array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"The value of {what} must be finite. Received: NaN or infinity among {len(x)} values")
    return np.broadcast_to(array.reshape(-1), (len(x),)).copy()
