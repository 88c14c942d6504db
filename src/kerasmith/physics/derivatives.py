"""Derivatives of the outputs of a function by its inputs, each computed once; the way of each backend.

A point's outputs must depend on that point alone. Then the gradient of the sum of one output over the points is, row by
row, its gradient at each point, and one backward pass gives the derivatives by all axes.
"""

import abc
from collections.abc import Sequence

import keras
from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.physics.nests import Coordinates, column

Axes = tuple[int, ...]


class Derivatives(abc.ABC):
    """Values and derivatives of K outputs by D axes, each of shape (B,).

    Args:
        coordinates: of the points.
        values: K columns (B,).
    """

    def __init__(self, coordinates: Coordinates, values: Sequence[Tensor]) -> None:
        self.coordinates = coordinates
        self.outputs: int = len(values)
        self._known: dict[tuple[int, Axes], Tensor] = {(k, ()): value for k, value in enumerate(values)}

    def get(self, output: int, axes: Axes) -> Tensor:
        """The derivative of one output by axes in rising order; the output itself for none."""
        if (output, axes) not in self._known:
            self._compute(output, axes)
        return self._known[output, axes]

    def coordinate(self, axis: int) -> Tensor:
        """The column (B,) of one axis."""
        leaf, index = self.coordinates.columns[axis]
        return column(self.coordinates.leaves[leaf], index)

    @abc.abstractmethod
    def _compute(self, output: int, axes: Axes) -> None:
        """Stores the derivative in `_known`."""


class OfGraph(Derivatives):
    """Of values that are connected with their inputs: PyTorch, and TensorFlow inside a compiled function."""

    def __init__(self, coordinates: Coordinates, values: Sequence[Tensor]) -> None:
        super().__init__(coordinates, values)
        self._rows: dict[tuple[int, Axes], list[Tensor]] = {}
        self._gradient: Function = _torch_gradient if keras.backend.backend() == "torch" else _tensorflow_gradient

    @property
    def is_connected(self) -> bool:
        """Whether an output is computed from the inputs at all."""
        return any(part is not None for k in range(self.outputs) for part in self._gradients(k, ()))

    def _gradients(self, output, axes):
        if (output, axes) not in self._rows:
            self._rows[output, axes] = self._gradient(self.get(output, axes), self.coordinates.leaves)
        return self._rows[output, axes]

    def _compute(self, output, axes):
        below = {axis: _without(axes, axis) for axis in axes}
        # A gradient that another derivative has needed gives this one too: "xt" follows from that of "x" or of "t".
        axis = next(
            (a for a, rest in below.items() if (output, rest) in self._rows),
            next((a for a, rest in below.items() if (output, rest) in self._known), axes[-1]),
        )
        leaf, index = self.coordinates.columns[axis]
        row = self._gradients(output, below[axis])[leaf]
        self._known[output, axes] = ops.zeros_like(self.coordinate(axis)) if row is None else column(row, index)


class OfFunction(Derivatives):
    """Of a function that is evaluated anew: JAX, which derives functions, and TensorFlow where every operation runs at once.

    Args:
        coordinates: of the points.
        function: leaves -> K columns (B,). It must give the same at each call.
    """

    def __init__(self, coordinates: Coordinates, function: Function) -> None:
        super().__init__(coordinates, function(coordinates.leaves))
        self._function: Function = function

    def _store(self, axes, values):
        for k, value in enumerate(values):
            self._known.setdefault((k, axes), value)


class OfJaxFunction(OfFunction):
    """Forward mode: one more tangent for each axis, for all outputs at once. XLA merges what several of them share."""

    def _compute(self, output, axes):
        import jax

        lower, values = jax.jvp(self._derivative(axes[:-1]), (self.coordinates.leaves,), (self._direction(axes[-1]),))
        self._store(axes[:-1], lower)
        self._store(axes, values)

    def _derivative(self, axes):
        import jax

        if not axes:
            return self._function
        below, direction = self._derivative(axes[:-1]), self._direction(axes[-1])
        return lambda leaves: jax.jvp(below, (leaves,), (direction,))[1]

    def _direction(self, axis):
        leaf, index = self.coordinates.columns[axis]
        directions = [ops.zeros_like(part) for part in self.coordinates.leaves]
        along = directions[leaf]
        directions[leaf] = along + 1 if index is None else along.at[:, index].set(1)
        return directions


class OfEagerTensorFlowFunction(OfFunction):
    """Nested tapes, each around the computation of the derivative below."""

    def _compute(self, output, axes):
        value = self._taped(output, axes)
        self._known[output, axes] = value

    def _taped(self, output, axes):
        import tensorflow as tf

        if not axes:
            return self._function(self.coordinates.leaves)[output]
        with tf.GradientTape() as tape:
            tape.watch(self.coordinates.leaves)
            below = self._taped(output, axes[:-1])
        gradients = tape.gradient(below, self.coordinates.leaves)
        for axis, (leaf, index) in enumerate(self.coordinates.columns):
            row = gradients[leaf]
            value = ops.zeros_like(self.coordinate(axis)) if row is None else column(row, index)
            self._known.setdefault((output, tuple(sorted((*axes[:-1], axis)))), value)
            if axis == axes[-1]:
                derivative = value
        return derivative


def _without(axes, axis):
    position = axes.index(axis)
    return axes[:position] + axes[position + 1 :]


def _torch_gradient(value, leaves):
    import torch

    if not value.requires_grad:
        return [None] * len(leaves)
    return torch.autograd.grad(value, leaves, torch.ones_like(value), create_graph=True, allow_unused=True)


def _tensorflow_gradient(value, leaves):
    import tensorflow as tf

    return tf.gradients([value], leaves)
