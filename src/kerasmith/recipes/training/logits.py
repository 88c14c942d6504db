"""Whether a network gives logits, numbers of any size, which every loss, metric and prediction of a plan reads."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith.keras_internals.untouched import untouched

# Of random weights; an output that stays where it is with all of them has an activation that keeps it there.
_SIZES = (1.0, 4.0, 16.0, 64.0) * 3


def not_logits(model: keras.Model, x: Any, elementwise: bool = True) -> str | None:
    """What is wrong with the outputs of a network, in words; None if they are logits.

    The values decide: images go through the network with its own weights, then with random ones, larger and larger. An output
    with a sigmoid, a softmax, a tanh or a ReLU behind it, in whatever form it is written, leaves its range with none of them.
    Most networks of logits are known by the first or the second.

    Args:
        model: built, with one output or a dict of outputs; its weights are as before behind this.
        x: images, (B, *spatial, C).
        elementwise: whether each number is a yes or no of its own, as with one channel, and not one of several classes.
    """
    with untouched(model):
        ranges: dict[str, tuple[float, float]] = {}
        for outputs in _outputs(model, ops.convert_to_tensor(x[:1])):
            for name, values in outputs.items():
                values = values[np.isfinite(values)]
                if values.size:
                    low, high = ranges.get(name, (np.inf, -np.inf))
                    ranges[name] = min(low, float(values.min())), max(high, float(values.max()))
            if ranges and not any(_wrong(*one, elementwise) for one in ranges.values()):
                return None
    wrong = {name: _wrong(*one, elementwise) for name, one in ranges.items()}
    return next((f"its output{f' {name!r}' if name else ''} {text}" for name, text in wrong.items() if text), None)


def _outputs(model: keras.Model, x: Any) -> Iterator[dict[str, np.ndarray]]:
    """{name: values} of each output, with the weights that the model has and then with random ones."""
    rng = np.random.default_rng(0)
    yield _called(model, x)
    for size in _SIZES if model.trainable_variables else ():
        for variable in model.trainable_variables:
            inputs = max(1, int(np.prod(variable.shape[:-1])))
            variable.assign(rng.normal(0, size / np.sqrt(inputs), variable.shape))
        yield _called(model, x)


def _called(model, x):
    outputs = model(x, training=False)
    named = outputs if isinstance(outputs, dict) else {"": outputs}
    return {name: ops.convert_to_numpy(ops.cast(value, "float32")) for name, value in named.items()}


def _wrong(low: float, high: float, elementwise: bool) -> str | None:
    """
    >>> _wrong(0.0, 1.0, True), _wrong(-3.0, 2.0, True), _wrong(0.0, 9.0, False)
    ('stays between 0 and 1, as behind a sigmoid or a softmax', None, None)
    """
    near = 1e-6
    if low >= -near and high <= 1 + near:
        return "stays between 0 and 1, as behind a sigmoid or a softmax"
    if low >= -1 - near and high <= 1 + near:
        return "stays between -1 and 1, as behind a tanh"
    if elementwise and low >= -near:
        return "is never below 0, as behind a ReLU, so that no probability is below .5"
    if elementwise and high <= near:
        return "is never above 0, so that no probability is above .5"
    return None
