"""Points of a domain, with the normals of those on its boundary."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerasmith.base.keywords import KnowsKeywords


class Points(KnowsKeywords):
    """Coordinates of points, (N, D) float32, and what is known of them (since 0.2).

    An array to NumPy and Keras: `fit(points)`, `model.predict(points)`, `np.asarray(points)` read the coordinates.

    Args:
        x: (N, D) finite coordinates.
        normals: (N, D) unit vectors that point out of the domain, of points on its boundary.
        names: one name for each axis, as "xt" or ["x", "t"].
        domain: where the points were drawn, which `callbacks.RefinePoints` draws from again.

    Attributes:
        x, normals, names, domain: as given; arrays are float32 and not to be written to, `normals` may be None.

    Raises:
        ValueError: for coordinates that are not (N, D) or not finite, other normals or names.

    Example:

    >>> points = Points([[0.0, 0.5], [1.0, 0.5]], normals=[[-1, 0], [1, 0]], names="xt")
    >>> points.x.shape, points.names, points[1:].normals.tolist()
    ((2, 2), ('x', 't'), [[1.0, 0.0]])
    """

    x: np.ndarray
    normals: np.ndarray | None
    names: tuple[str, ...] | None
    domain: Any

    def __init__(self, x: Any, normals: Any = None, *, names: str | Sequence[str] | None = None, domain: Any = None) -> None:
        self.x = _read_only(coordinates(x).astype("float32"))
        self.names = axis_names(names, self.x.shape[1])
        self.domain = domain
        self.normals = None
        if normals is not None:
            normals = np.asarray(normals, "float32")
            if normals.shape != self.x.shape:
                raise ValueError(
                    f"`normals` must have one vector for each point, {self.x.shape}. "
                    f"Received: normals of shape {normals.shape}"
                )
            if not np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4):
                raise ValueError(
                    "`normals` must have length 1. Write normals / np.linalg.norm(normals, axis=1, keepdims=True)"
                )
            self.normals = _read_only(normals.copy())

    @classmethod
    def join(cls, parts: "Sequence[Points]") -> "Points":
        """The points of all parts, one after another; with normals if all parts have them.

        Raises:
            ValueError: for no parts, or points of other dimensions or names.

        Example:

        >>> len(Points.join([Points([[0.0]]), Points([[1.0], [2.0]])]))
        3
        """
        parts = list(parts)
        if not parts or not all(isinstance(part, Points) for part in parts):
            raise ValueError(f"`parts` must be a list of Points, at least one. Received: parts={parts!r}")
        first = parts[0]
        for part in parts:
            if part.shape[1] != first.shape[1] or part.names != first.names:
                raise ValueError(
                    "Points can be joined if they have the same axes. "
                    f"Received: {first.shape[1]} axes with names {first.names}, {part.shape[1]} with names {part.names}"
                )
        normals = [part.normals for part in parts]
        joined = None if any(n is None for n in normals) else np.concatenate(normals)
        domain = first.domain if all(part.domain is first.domain for part in parts) else None
        return cls(np.concatenate([part.x for part in parts]), joined, names=first.names, domain=domain)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D)."""
        return self.x.shape

    @property
    def ndim(self) -> int:
        """2."""
        return 2

    @property
    def dtype(self) -> np.dtype:
        """float32."""
        return self.x.dtype

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: Any) -> Any:
        """Points for a slice, a mask or a list of numbers; an array for anything else, as in NumPy."""
        if isinstance(index, (slice, list)) or (isinstance(index, np.ndarray) and index.ndim == 1):
            normals = None if self.normals is None else self.normals[index]
            return Points(self.x[index], normals, names=self.names, domain=self.domain)
        return self.x[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if dtype is None or np.dtype(dtype) == self.x.dtype:
            return self.x.copy() if copy else self.x
        return self.x.astype(dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Points":
        return self  # nothing of it changes

    def __repr__(self) -> str:
        names = "" if self.names is None else f", names={''.join(self.names) if _short(self.names) else self.names!r}"
        return f"Points({len(self)} of {self.shape[1]} axes{names}{'' if self.normals is None else ', with normals'})"


def coordinates(x: Any, dimension: int | None = None, name: str = "x") -> np.ndarray:
    """Coordinates as (N, D) float64, with D = `dimension` if that is given; (N,) becomes (N, 1) where D is 1.

    Raises:
        ValueError: for another shape, no points, or numbers that are not finite.
    """
    array = np.asarray(keras.ops.convert_to_numpy(x) if keras.ops.is_tensor(x) else x, "float64")
    if array.ndim == 1 and dimension == 1:
        array = array[:, None]
    if array.ndim != 2 or array.size == 0 or dimension not in (None, array.shape[1]):
        expected = "(N, D)" if dimension is None else f"(N, {dimension})"
        raise ValueError(f"`{name}` must hold points of shape {expected}, N >= 1. Received: shape {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if bad.size:
        raise ValueError(f"`{name}` must be finite. Received: {name}[{bad[0]}]={array[bad[0]].tolist()}")
    return array


def axis_names(names: str | Sequence[str] | None, dimension: int) -> tuple[str, ...] | None:
    """One name for each axis, as a tuple.

    Raises:
        ValueError: for another number of names, or one that comes twice.
    """
    if names is None:
        return None
    as_tuple = tuple(names)
    if not all(isinstance(name, str) and name for name in as_tuple):
        raise TypeError(f'`names` must be a text such as "xt", or a list of texts. Received: names={names!r}')
    if len(as_tuple) != dimension or len(set(as_tuple)) < dimension:
        raise ValueError(f"`names` must hold {dimension} different names, one for each axis. Received: names={names!r}")
    return as_tuple


def _short(names):
    return all(len(name) == 1 for name in names)


def _read_only(array):
    array.flags.writeable = False
    return array
