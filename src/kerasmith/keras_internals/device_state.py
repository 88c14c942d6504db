"""Copies of all that a training step changes: weights, optimizer, metrics, seeds."""

import functools
import sys
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.keras_internals import random_state
from kerasmith.keras_internals.foreign_state import load, state_of, tracked_tensors
from kerasmith.keras_internals.owned import owned


class Copy(NamedTuple):
    """A state at one moment.

    Attributes:
        values: one array of the backend for each variable, on its device.
        finite: a bool for each variable.
        random: the state of PyTorch's own random numbers, from which its dropout draws; else None.
        foreign: (object, state) of what is not Keras', such as an optimizer of PyTorch.
        own: what else belongs to it, of which its owner knows.
    """

    values: list[Any]
    finite: np.ndarray
    random: Any = None
    foreign: tuple[tuple[Any, Any], ...] = ()
    own: Any = None


class TrainingState:
    """Reads and writes the state of a model in training, inside and outside of JAX's stateless step.

    Args:
        model: a built and compiled model.

    Attributes:
        variables: those of JAX's state, trainable, other, `model.optimizer`'s and metrics'; then all others that the model
            has, such as those of optimizers in a `train_step` of its own.
        monitored: a bool for each: whether a value there that is not finite is a fault. Metrics may be NaN by design.
    """

    variables: Any
    sizes: Any
    monitored: Any

    def __init__(self, model: keras.Model) -> None:
        groups = [
            model.trainable_variables,
            model.non_trainable_variables,
            getattr(getattr(model, "optimizer", None), "variables", []),
            model.metrics_variables,
        ]
        known = {id(variable) for group in groups for variable in group}
        own = owned(model)
        others = [variable for variable in own.variables.values() if id(variable) not in known]
        of_optimizers = {id(variable) for optimizer in own.optimizers.values() for variable in optimizer.variables}
        self.variables = [variable for group in (*groups, others) for variable in group]
        self.sizes = [len(group) for group in groups]
        self.monitored = np.arange(len(self.variables)) < sum(self.sizes[:3])
        self.monitored |= np.array([id(variable) in of_optimizers for variable in self.variables], bool)
        self._foreign = list(own.foreign.values())
        self._tracked = tracked_tensors(model) if self._foreign else frozenset()
        self._metrics = list(model.metrics)
        self._in_graph = None

    def copy(self, state: Any = None) -> Copy:
        """A `Copy` of the state: of the one given, which is JAX's, or of the variables."""
        backend = keras.backend.backend()
        self._catch_up()
        foreign = tuple((one, state_of(one, self._tracked)) for one in self._foreign)
        if backend == "jax":
            inside = 0 if state is None else sum(self.sizes)
            flat = [v for group in state or () for v in group] + [v.value for v in self.variables[inside:]]
            values, finite = _jax_copy()(flat)
            return Copy(values, np.asarray(finite), foreign=foreign)
        if backend == "torch":
            values = [v.value.detach().clone() for v in self.variables]
            return Copy(values, _torch_finite(values), random_state.capture_torch(), foreign)
        if self._in_graph is None:
            self._in_graph = _tensorflow_copy(self.variables)
        values, finite = self._in_graph()
        return Copy(list(values), finite.numpy(), foreign=foreign)

    def assign(self, copy: Copy) -> None:
        """Writes a copy into the variables; the copy stays as it is."""
        self._catch_up()
        for variable, value in zip(self.variables, self._fresh(copy.values), strict=True):
            variable.assign(value)
        if copy.random is not None:
            random_state.restore_torch(copy.random)
        for one, state in copy.foreign:
            load(one, state)

    def for_step(self, copy: Copy) -> tuple[list[Tensor], ...] | None:
        """The state that JAX's step takes, of arrays of its own; None elsewhere, where `assign` has done all."""
        if keras.backend.backend() != "jax":
            return None
        flat, groups = self._fresh(copy.values), []
        for size in self.sizes:
            groups.append(flat[:size])
            flat = flat[size:]
        return tuple(groups)

    @property
    def others(self) -> list[keras.Variable]:
        """The variables that are not in JAX's state."""
        return self.variables[sum(self.sizes) :]

    def index(self, variable: keras.Variable) -> int:
        """The position of a variable."""
        return next(i for i, known in enumerate(self.variables) if known is variable)

    def _catch_up(self):
        # Under TensorFlow's XLA a metric may hold a batch that it adds when its variables are asked for.
        if keras.backend.backend() == "tensorflow":
            for metric in self._metrics:
                assert metric.variables is not None

    def _fresh(self, values):
        # A step of JAX eats the arrays that it is given.
        return _jax_copy()(list(values))[0] if keras.backend.backend() == "jax" else values


@functools.cache
def _jax_copy():
    import jax
    import jax.numpy as jnp

    def copy(values):
        finite = [jnp.isfinite(v).all() if jnp.issubdtype(v.dtype, jnp.floating) else jnp.array(True) for v in values]
        return [jnp.copy(v) for v in values], jnp.stack(finite)

    return jax.jit(copy)


def _tensorflow_copy(variables):
    import tensorflow as tf

    @tf.function(autograph=False)
    def copy():
        values = [tf.identity(v.value) for v in variables]
        finite = [tf.reduce_all(tf.math.is_finite(v)) if v.dtype.is_floating else tf.constant(True) for v in values]
        return values, tf.stack(finite)

    return copy


def _torch_finite(values):
    torch = sys.modules["torch"]
    finite = [v.isfinite().all() if v.is_floating_point() else torch.ones((), dtype=torch.bool) for v in values]
    return np.array([bool(flag) for flag in finite])


def is_finite(tensor: Tensor) -> bool:
    """Whether all numbers of a tensor are finite; True for what holds no floating-point numbers."""
    try:
        dtype = keras.backend.standardize_dtype(tensor.dtype)
    except (AttributeError, ValueError):
        return True
    if "float" not in dtype:
        return True
    return bool(ops.convert_to_numpy(ops.all(ops.isfinite(tensor))))
