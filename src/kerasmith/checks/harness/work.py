"""What a step of training costs, counted and not timed: how many steps a question takes must not depend on the machine."""

from typing import Any

import numpy as np

from kerasmith.checks.engine.lazy_keras import keras

# Seconds that a multiplication, a call of a layer and a trainable weight take on a processor of middle speed, for a step
# there and back.
_MULTIPLICATION, _CALL, _WEIGHT = 6e-10, 3e-4, 4e-9
_LEAST = 2e-3


def seconds_of_a_step(model: Any, calls: list[Any], samples: int) -> float:
    """An estimate that is the same on every machine.

    Args:
        model: a built model.
        calls: [(layer, inputs, outputs)] of the layers without layers of their own, as arrays.
        samples: of the step; `calls` may have seen fewer.
    """
    each, count = 0.0, 0.0
    for layer, inputs, outputs in calls:
        steps = _steps(layer, inputs)
        count += steps
        if not outputs or not len(outputs[0]):
            continue
        given, width = outputs[0], outputs[0].shape[-1]
        positions = steps if isinstance(layer, keras.layers.RNN) else given[0].size / max(width, 1)
        each += _multiplications(layer) * positions + given[0].size
    weights = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    return _LEAST + _CALL * count + _WEIGHT * weights + _MULTIPLICATION * each * samples


def _multiplications(layer: Any) -> int:
    """Weights that each place of an output is multiplied with; an embedding looks up instead."""
    if not isinstance(layer, keras.layers.Layer) or isinstance(layer, keras.layers.Embedding):
        return 0
    from kerasmith.keras_internals.layers import own_weights

    weights = layer.weights if isinstance(layer, keras.layers.RNN) else own_weights(layer)
    return sum(int(np.prod(weight.shape)) for weight in weights if len(weight.shape) > 1)


def _steps(layer: Any, inputs: list[Any]) -> float:
    """How often a layer calls what is inside: once, or for each step of a sequence."""
    if not isinstance(layer, keras.layers.RNN) or not inputs or inputs[0].ndim < 3:
        return 1.0
    return 4.0 * inputs[0].shape[1]
