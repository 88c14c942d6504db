"""Derivatives of a network of dense layers, forward through its layers: less work than going backwards twice.

Through a layer h = s(z), z = W h_below + b, the derivative of z by axes is W times that of h below, and that of h follows from
those of z by the formula of Faa di Bruno, the chain rule of higher order:

    d^n h = sum over the partitions of the n axes into m blocks of s^(m)(z) times the product of the blocks' derivatives of z

What a lower derivative has found of a layer is used again.
"""

import collections
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.keras_internals.plain_layers import dense_layers
from kerasmith.physics.derivatives import Axes, Derivatives
from kerasmith.physics.nests import Coordinates


class OfDenseNetwork(Derivatives):
    """Of a chain of dense layers.

    Args:
        coordinates: one array (B, D).
        layers: as `network_of` gave them.
    """

    def __init__(self, coordinates: Coordinates, layers: Sequence[keras.layers.Dense]) -> None:
        self._kernels = [layer.kernel.value for layer in layers]
        self._slopes: list[_Slopes] = []
        h = coordinates.leaves[0]
        for layer, kernel in zip(layers, self._kernels, strict=True):
            z = h @ kernel
            if layer.bias is not None:
                z = z + layer.bias.value
            slopes = _SLOPES[layer.activation](z)
            self._slopes.append(slopes)
            h = slopes.value
        # {axes: the derivative of z in each layer}; None is 0.
        self._inside: dict[Axes, list[Tensor]] = {}
        self._rows: dict[Axes, Tensor] = {}
        super().__init__(coordinates, [h[:, k] for k in range(h.shape[1])])

    def _compute(self, output: int, axes: Axes) -> None:
        if axes not in self._rows:
            self._rows[axes] = self._forward(axes)
        self._known[output, axes] = self._rows[axes][:, output]

    def _forward(self, axes):
        for lower in _subsets(axes):
            if lower not in self._inside:
                self._forward(lower)
        products = _partitions(axes)
        inside = self._inside[axes] = []
        above = None
        for kernel, slopes in zip(self._kernels, self._slopes, strict=True):
            if inside:
                z = None if above is None else above @ kernel
            else:
                z = kernel[axes[0]] if len(axes) == 1 else None
            inside.append(z)
            above = self._through(len(inside) - 1, slopes, products)
        if above is None:
            return ops.zeros_like(self._slopes[-1].value)
        # What follows from a kernel alone has no points yet.
        return above if len(above.shape) == 2 else above + ops.zeros_like(self._slopes[-1].value)

    def _through(self, layer, slopes, products):
        total = None
        for blocks, count in products.items():
            slope = slopes.get(len(blocks))
            factors = [self._inside[block][layer] for block in blocks]
            if slope is None or any(factor is None for factor in factors):
                continue
            product = math.prod(factors[1:], start=factors[0])
            if slope is not _ONE:
                product = slope * product
            if count > 1:
                product = count * product
            total = product if total is None else total + product
        return total


def network_of(source: Any, coordinates: Coordinates) -> list[keras.layers.Dense] | None:
    """The layers of a model that is a chain of dense layers, with activations that can be derived here; else None."""
    if len(coordinates.leaves) != 1 or coordinates.keys is not None or len(coordinates.leaves[0].shape) != 2:
        return None
    layers = dense_layers(source)
    if layers is None or any(layer.activation not in _SLOPES for layer in layers):
        return None
    dtype = keras.backend.standardize_dtype(coordinates.leaves[0].dtype)
    same = dtype in ("float32", "float64") and all(layer.compute_dtype == dtype for layer in layers)
    return layers if same and layers[0].kernel.shape[0] == coordinates.leaves[0].shape[1] else None


class _Slopes:
    """The value s(z) of an activation and its derivatives, each computed once."""

    def __init__(self, z: Tensor) -> None:
        self.z = z
        self.value = self._value(z)
        self._known: dict[int, Tensor] = {}

    def get(self, order: int) -> Tensor:
        """The derivative of an order; None for 0."""
        if order not in self._known:
            self._known[order] = self._slope(order)
        return self._known[order]

    def _value(self, z):
        raise NotImplementedError

    def _slope(self, order):
        raise NotImplementedError


# The first derivative of what is linear.
_ONE = object()


class _Linear(_Slopes):
    def _value(self, z):
        return z

    def _slope(self, order):
        return _ONE if order == 1 else None


class _Tanh(_Slopes):
    def _value(self, z):
        return ops.tanh(z)

    def _slope(self, order):
        h = self.value
        if order == 1:
            return 1 - h * h
        if order == 2:
            return -2 * h * self.get(1)
        return self.get(1) * (6 * h * h - 2) if order == 3 else self.get(1) * h * (16 - 24 * h * h)


class _Sigmoid(_Slopes):
    def _value(self, z):
        return ops.sigmoid(z)

    def _slope(self, order):
        h = self.value
        if order == 1:
            return h * (1 - h)
        if order == 2:
            return self.get(1) * (1 - 2 * h)
        inner = 1 - 6 * h + 6 * h * h if order == 3 else 1 - 14 * h + 36 * h * h - 24 * h * h * h
        return self.get(1) * inner


class _Sin(_Slopes):
    def _value(self, z):
        return ops.sin(z)

    def _slope(self, order):
        if order == 1:
            return ops.cos(self.z)
        return -self.value if order == 2 else -self.get(1) if order == 3 else self.value


_SLOPES: dict[Any, Callable[[Tensor], _Slopes]] = {
    None: _Linear,
    keras.activations.linear: _Linear,
    keras.activations.tanh: _Tanh,
    keras.activations.sigmoid: _Sigmoid,
    ops.tanh: _Tanh,
    ops.sigmoid: _Sigmoid,
    ops.sin: _Sin,
}


def _partitions(axes: Axes) -> collections.Counter:
    """{blocks: how often} of all ways to part axes into blocks.

    >>> dict(_partitions((0, 0, 1)))
    {((0, 0, 1),): 1, ((0, 0), (1,)): 1, ((0, 1), (0,)): 2, ((0,), (0,), (1,)): 1}
    """
    found = collections.Counter()
    for groups in _set_partitions(list(range(len(axes)))):
        blocks = [tuple(axes[i] for i in group) for group in groups]
        found[tuple(sorted(blocks, key=lambda block: (-len(block), block)))] += 1
    return found


def _set_partitions(items: list[int]) -> Iterator[list[list[int]]]:
    if not items:
        yield []
        return
    *rest, last = items
    for parts in _set_partitions(rest):
        for i, part in enumerate(parts):
            yield [*parts[:i], [*part, last], *parts[i + 1 :]]
        yield [*parts, [last]]


def _subsets(axes: Axes) -> list[Axes]:
    """The lower derivatives that one needs, each once, by rising order."""
    found = {tuple(axes[i] for i in range(len(axes)) if mask >> i & 1) for mask in range(1, 2 ** len(axes) - 1)}
    return sorted(found, key=lambda lower: (len(lower), lower))
