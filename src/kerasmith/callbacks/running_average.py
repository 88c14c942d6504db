"""Averages of weights, kept on their device."""

import functools
import sys
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.keras_internals.tensors import lerp


class RunningAverage:
    """Averages of a list of tensors, in float32 at least.

    Example:

    >>> average = RunningAverage()
    >>> average.blend([ops.ones(2)], share=1.0)
    >>> average.blend([ops.zeros(2)], share=0.25)
    >>> average.arrays()[0].tolist()
    [0.75, 0.75]
    """

    values: Any

    def __init__(self) -> None:
        self.values = self._graph = None

    def __getstate__(self) -> dict[str, Any]:
        return {"values": self.arrays()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.load(state["values"])

    def blend(self, tensors: Sequence[Tensor], share: float) -> None:
        """average <- average + share (tensor - average); the first time the average is the tensors."""
        if self.values is None:
            self.load(copies(tensors))
        elif keras.backend.backend() == "tensorflow":
            if self._graph is None or any(a is not b for a, b in zip(self._graph.tensors, tensors, strict=True)):
                self._graph = _Graph(self.values, list(tensors))
                self.values = self._graph.averages
            self._graph(share)
        else:
            self.values = list(_blend()(self.values, list(tensors), share))

    def load(self, arrays: Sequence[Tensor] | None) -> None:
        """Takes these as the averages; None forgets them."""
        self._graph = None
        self.values = (
            None if arrays is None else copies([ops.cast(a, _wide(a.dtype)) for a in map(ops.convert_to_tensor, arrays)])
        )

    def arrays(self) -> list[np.ndarray] | None:
        """The averages as NumPy arrays, or None."""
        return None if self.values is None else [np.array(ops.convert_to_numpy(value)) for value in self.values]


def copies(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Tensors of their own memory: a training step of JAX eats its arguments, others write over them."""
    if keras.backend.backend() == "torch":
        return [tensor.detach().clone() for tensor in tensors]
    return [ops.copy(tensor) for tensor in tensors]


def assign(variables: Sequence[keras.Variable], values: Sequence[Tensor]) -> None:
    """Writes the values, rounded to each variable's dtype, and keeps no hold on them."""
    for variable, value in zip(variables, copies(values), strict=True):
        variable.assign(ops.cast(value, variable.dtype))


def _wide(dtype):
    dtype = keras.backend.standardize_dtype(dtype)
    return "float32" if dtype in ("float16", "bfloat16") else dtype


@functools.cache
def _blend():
    """(averages, tensors, share) -> averages, one dispatch for all of them, without waiting for the device."""
    if keras.backend.backend() == "torch":
        torch = sys.modules["torch"]

        @torch.no_grad()
        def blend(averages, tensors, share):
            same = [t.detach().to(a.dtype) for a, t in zip(averages, tensors, strict=True)]
            lerp(averages, same, share)
            return averages

        return blend
    import jax

    def blend(averages, tensors, share):
        return [a + share.astype(a.dtype) * (t.astype(a.dtype) - a) for a, t in zip(averages, tensors, strict=True)]

    compiled = jax.jit(blend, donate_argnums=0)
    return lambda averages, tensors, share: compiled(averages, tensors, float(share))


class _Graph:
    """The same on TensorFlow for these very variables: handing them over costs as much as a small training step."""

    def __init__(self, values, tensors):
        import tensorflow as tf

        self.tensors = tensors
        self.averages = [tf.Variable(value, trainable=False) for value in values]
        self._share, self._is = tf.Variable(0.0, dtype="float64", trainable=False), 0.0

        @tf.function(autograph=False)
        def blend():
            for average, tensor in zip(self.averages, tensors, strict=True):
                average.assign_add(tf.cast(self._share, average.dtype) * (tf.cast(tensor, average.dtype) - average))

        self._blend = blend.get_concrete_function()

    def __call__(self, share):
        if share != self._is:
            self._share.assign(share)
            self._is = share
        self._blend()
