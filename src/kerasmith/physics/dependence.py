"""Whether a field depends on a coordinate at all: a derivative by one that it ignores is a mistake, not a zero."""

import contextlib
import weakref
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.keras_internals.tensors import is_concrete
from kerasmith.numerics.tensors import static_shape
from kerasmith.physics.derivatives import Derivatives
from kerasmith.physics.nests import column, output_columns

_POINTS = 8

# {model: the axes of which it was told once}.
_dependent: Any = weakref.WeakKeyDictionary()


def require(source: Any, derivatives: Derivatives, axis: int, value: Tensor, names: tuple[str, ...]) -> None:
    """Raises ValueError if it can be told that no output depends on an axis.

    Args:
        source: the model or function.
        derivatives: of its values.
        axis: its position.
        value: a derivative by this axis.
        names: of the axes.
    """
    if isinstance(source, keras.layers.Layer):
        seen = _dependent.setdefault(source, set())
        if axis in seen:
            return
        depends = _of_model(source, derivatives, axis)
        if depends:
            seen.add(axis)
    else:
        if not is_concrete(value) or np.any(ops.convert_to_numpy(ops.stop_gradient(value))):
            return
        leaves = [ops.convert_to_numpy(ops.stop_gradient(leaf)) for leaf in derivatives.coordinates.leaves]
        depends = _depends(lambda inputs: source(derivatives.coordinates.pack(inputs)), leaves, derivatives, axis)
    if depends is False:
        name = names[axis]
        raise ValueError(
            f"Nothing depends on the coordinate {name!r}, so there is no derivative by it. Give the function or model this "
            f"coordinate (they are {', '.join(map(repr, names))}, in this order), or leave the derivative out."
        )


def _of_model(model, derivatives, axis):
    """True, False, or None where it cannot be told. The weights do not matter: they are replaced by random ones."""
    generator = np.random.default_rng(0)
    shapes = [static_shape(leaf, "x") for leaf in derivatives.coordinates.leaves]
    leaves = [generator.uniform(0.1, 0.9, (_POINTS, *shape[1:])).astype("float32") for shape in shapes]

    def random(variable):
        if "float" not in keras.backend.standardize_dtype(variable.dtype):
            return np.zeros(variable.shape, variable.dtype)
        return generator.uniform(0.2, 0.6, variable.shape).astype("float32") * generator.choice([-1, 1], variable.shape)

    def call(inputs):
        state = [(v, random_values[id(v)]) for v in model.variables]
        with keras.StatelessScope(state_mapping=state, collect_losses=True):
            return model(derivatives.coordinates.pack(inputs))

    random_values = {id(v): random(v) for v in model.variables}
    return _depends(call, leaves, derivatives, axis)


def _depends(call, leaves, derivatives, axis):
    leaf, index = derivatives.coordinates.columns[axis]

    def answer(change):
        changed = [np.array(part) for part in leaves]
        column(changed[leaf], slice(index, index + 1) if index is not None else None)[...] = change
        inputs = [ops.convert_to_tensor(part) for part in changed]
        values = output_columns(call(inputs), None)[0]
        return np.stack([ops.convert_to_numpy(ops.stop_gradient(value)) for value in values])

    try:
        with _outside_of_the_trace():
            here, there, nowhere = answer(0.37), answer(0.74), answer(np.nan)
    except Exception:  # a function that cannot be asked this way cannot be told of
        return None
    # What ignores NaN ignores the column; what is flat between two places may have a slope elsewhere.
    return not (np.array_equal(here, there) and not np.isnan(nowhere).any())


def _outside_of_the_trace():
    """Where numbers are computed at once, even while a step is compiled."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.ensure_compile_time_eval()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.init_scope()
    return contextlib.nullcontext()
