"""Fields that an equation is asked with: of a small network, derived by the backend or by finite differences in NumPy."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from kerasmith.checks.engine.lazy_keras import ops

HIDDEN = 6
# Of the values: logarithms and roots of the field have a meaning.
SHIFT = 1.5
_STEPS = {1: 0.02, 2: 0.02, 3: 0.05, 4: 0.05}


class Weights(NamedTuple):
    """u(x) = tanh(x w + b) a + `SHIFT`."""

    w: np.ndarray
    b: np.ndarray
    a: np.ndarray


def random_weights(axes: int, outputs: int, seed: int) -> Weights:
    """Weights of a smooth function of `axes` coordinates, all of which matter."""
    rng = np.random.default_rng(seed)
    return Weights(
        w=rng.uniform(-1.5, 1.5, (axes, HIDDEN)).astype("float32"),
        b=rng.uniform(-1.0, 1.0, HIDDEN).astype("float32"),
        a=rng.uniform(-0.4, 0.4, (HIDDEN, outputs)).astype("float32"),
    )


def weights_code(axes: int, outputs: int, seed: int) -> list[str]:
    """[lines] of a reproducer that draw the same, and make `net` of it."""
    return [
        f"rng = np.random.default_rng({seed}); w, b, a = (rng.uniform(-s, s, n).astype('float32') for s, n in "
        f"((1.5, ({axes}, {HIDDEN})), (1.0, {HIDDEN}), (0.4, ({HIDDEN}, {outputs}))))",
        f"net = lambda x: keras.ops.matmul(keras.ops.tanh(keras.ops.add(keras.ops.matmul(x, w), b)), a) + {SHIFT}",
    ]


def derived_field(points: Any, weights: Weights, names: Sequence[str], outputs: Sequence[str]) -> Any:
    """The field of the network at points, derived by the backend; `weights` may be tensors with a gradient."""
    from kerasmith.physics.field import Field

    w, b, a = (ops.convert_to_tensor(part) for part in weights)
    return Field(lambda x: ops.matmul(ops.tanh(ops.matmul(x, w) + b), a) + SHIFT, points, list(names), list(outputs))


def prescribed_field(derivatives: "Differences", names: Sequence[str], outputs: Sequence[str]) -> Any:
    """A field whose numbers are those of `derivatives`."""
    from kerasmith.physics.field import Field

    return Field.of_derivatives(derivatives.function, derivatives, list(names), list(outputs), None)


@contextlib.contextmanager
def read_derivatives() -> Iterator[list[tuple[Any, tuple[int, ...], int, np.ndarray]]]:
    """Gives a list of (field, axes, output, values) of every derivative that is read of any field in the block."""
    from kerasmith.physics.field import Field

    found, original = [], Field.derivative

    def derivative(field, axes, output=None):
        value = original(field, axes, output)
        found.append((field, axes, field._position(output), np.array(ops.convert_to_numpy(ops.stop_gradient(value)))))
        return value

    Field.derivative = derivative
    try:
        yield found
    finally:
        Field.derivative = original


def slopes(field: Any, axes: tuple[int, ...], output: int) -> np.ndarray | None:
    """A derivative of any field by central differences of its function in float32.

    None where they cannot tell: an order above two, points that are no single array, two steps that disagree.
    """
    from kerasmith.physics.nests import output_columns

    coordinates = field._derivatives.coordinates
    leaf = np.array(ops.convert_to_numpy(ops.stop_gradient(coordinates.leaves[0])))
    if len(axes) > 2 or len(coordinates.leaves) > 1 or leaf.ndim != 2:
        return None

    def value(x):
        answer = field._source(coordinates.pack([ops.convert_to_tensor(x.astype("float32"))]))
        column = output_columns(answer, len(x))[0][output]
        return np.asarray(ops.convert_to_numpy(ops.stop_gradient(column)), "float64")

    def difference(left, x, step):
        if not left:
            return value(x)
        ahead = step * np.eye(x.shape[1])[left[-1]]
        return (difference(left[:-1], x + ahead, step) - difference(left[:-1], x - ahead, step)) / (2 * step)

    wide, narrow = (difference(axes, leaf.astype("float64"), step) for step in (0.05, 0.025))
    scale = max(np.abs(wide).max(), np.abs(narrow).max())
    return (4 * narrow - wide) / 3 if np.abs(wide - narrow).max() <= 0.05 * scale else None


class Differences:
    """Values and derivatives of the network at points by central differences in float64.

    Args:
        changed: {(output, axes): numbers that are added}.

    Attributes:
        asked: [(output, axes)] that were read.
    """

    def __init__(self, points: np.ndarray, weights: Weights, changed: dict[tuple[int, tuple[int, ...]], Any] | None = None):
        from kerasmith.physics.nests import coordinates_of

        self.coordinates: Any = coordinates_of(ops.convert_to_tensor(points))
        self.outputs: int = weights.a.shape[1]
        self.asked: list[tuple[int, tuple[int, ...]]] = []
        self._points = points.astype("float64")
        self._weights = Weights(*(part.astype("float64") for part in weights))
        self._changed = changed or {}

    def get(self, output: int, axes: tuple[int, ...]) -> Any:
        """The values of a derivative, float32."""
        if (output, axes) not in self.asked:
            self.asked.append((output, axes))
        values = self.numbers(output, axes) + self._changed.get((output, axes), 0.0)
        return ops.convert_to_tensor(values.astype("float32"))

    def numbers(self, output: int, axes: tuple[int, ...]) -> np.ndarray:
        """The values of a derivative, float64."""
        if not axes:
            return self.function(self._points)[:, output]
        step = _STEPS[len(axes)]
        wide, narrow = (self._difference(output, axes, self._points, h) for h in (step, step / 2))
        return (4 * narrow - wide) / 3

    def coordinate(self, axis: int) -> Any:
        """The column of one axis."""
        return ops.convert_to_tensor(self._points[:, axis].astype("float32"))

    def function(self, x: Any) -> Any:
        """The network."""
        w, b, a = self._weights
        return np.tanh(np.asarray(ops.convert_to_numpy(x), "float64") @ w + b) @ a + SHIFT

    def _difference(self, output, axes, x, step):
        if not axes:
            return self.function(x)[:, output]
        ahead = step * np.eye(x.shape[1])[axes[-1]]
        parts = [self._difference(output, axes[:-1], moved, step) for moved in (x + ahead, x - ahead)]
        return (parts[0] - parts[1]) / (2 * step)


class Recorder:
    """Stands for a field while an equation says which coordinates and outputs it asks for; every answer is 1.

    Attributes:
        coordinates, named, positions: what was asked for, in this order.
    """

    def __init__(self, points: int, names: Sequence[str]) -> None:
        self.names, self.outputs, self.names_given, self.output_count = tuple(names), (), True, 1
        self.coordinates: list[str] = []
        self.named: list[str] = []
        self.positions: int = 0
        self._ones = lambda: ops.ones((points,))

    def d(self, which: Any, output: Any = None) -> Any:
        """A derivative."""
        self.coordinates += list(which)
        return self.value(output)

    def value(self, output: Any = None) -> Any:
        """An output."""
        if isinstance(output, str):
            self.named.append(output)
        elif isinstance(output, int):
            self.positions = max(self.positions, output + 1)
        return self._ones()

    def __getitem__(self, name: str) -> Any:
        self.coordinates.append(name)
        return self._ones()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.value(name)
