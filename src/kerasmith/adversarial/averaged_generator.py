"""An exponential moving average of a generator."""

import sys
from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.keras_internals.tensors import lerp


def averaged_copy(generator: keras.Model) -> keras.Model:
    """A second generator with weights of its own, equal now, none of them trainable.

    Raises:
        ValueError: if a model of this kind cannot be built a second time.
    """
    try:
        copy = keras.models.clone_model(generator)
        if not copy.built:
            copy.build_from_config(generator.get_build_config())
        set_equal(copy, generator)
    except Exception as problem:
        raise ValueError(
            f"`ema` needs a second {type(generator).__name__}, which `keras.models.clone_model` could not make: {problem}. "
            "Give a subclassed generator a `get_config`, or leave `ema` out and use callbacks.WeightAveraging."
        ) from problem
    copy.trainable = False
    return copy


def set_equal(copy: keras.Model, generator: keras.Model) -> None:
    """Gives the copy the weights of the generator."""
    for mine, other in _pairs(copy, generator):
        mine.assign(np.array(ops.convert_to_numpy(other)))


def update(copy: keras.Model, generator: keras.Model, decay: float) -> None:
    """average <- decay average + (1 - decay) weight; what is not trained, such as moving statistics, is copied."""
    trained = {id(variable) for variable in generator.trainable_variables}
    starts, ends = [], []
    for mine, other in _pairs(copy, generator):
        if id(other) not in trained:
            mine.assign(ops.copy(other.value))  # on JAX no buffer may be given to a step twice
        elif keras.backend.backend() == "torch":
            starts.append(mine.value.data)
            ends.append(other.value.data)
        else:
            mine.assign(mine.value + (1.0 - decay) * _like(other.value - mine.value, mine.value))
    if starts:
        with sys.modules["torch"].no_grad():
            lerp(starts, ends, 1.0 - decay)


def _pairs(copy, generator) -> Iterator[tuple[keras.Variable, keras.Variable]]:
    return zip(copy.weights, generator.weights, strict=True)


def _like(x: Tensor, other: Tensor) -> Tensor:
    return ops.cast(x, other.dtype)
