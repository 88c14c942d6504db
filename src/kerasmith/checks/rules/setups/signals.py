"""What every layer of the model gets and gives on the first batch."""

import dataclasses
from typing import Any

import numpy as np

from kerasmith.checks.engine.lazy_keras import keras, ops
from kerasmith.checks.harness.fit_data import cut, leaves_of

# Numbers of the inputs that are sent through the layers, at most.
_MOST_NUMBERS, _SAMPLES = 400_000, 32


@dataclasses.dataclass(eq=False)
class Signal:
    """One call of a layer; two calls of a shared layer are two, whatever they hold.

    Attributes:
        layer: the layer, or an operation.
        name: with the names of the models around it, `block/dense`.
        inputs, outputs: arrays of floating-point numbers.
    """

    layer: Any
    name: str
    inputs: list[np.ndarray]
    outputs: list[np.ndarray]


def signals(case: Any, training: bool = False) -> list[Signal]:
    """The calls of all layers in their order, those inside of others too.

    Raises:
        Inconclusive: where the model cannot be called.
    """
    key = f"signals {training}"
    if key not in case.cache:
        from kerasmith.keras_internals.layer_names import named_layers
        from kerasmith.keras_internals.layer_trace import traced

        named = dict(named_layers(case.model))
        with traced(case.model) as calls:
            case.call(few(case), training)
        case.cache[key] = [Signal(named.get(one.name), one.name, _arrays(one.inputs), _arrays(one.outputs)) for one in calls]
    return case.cache[key]


def few(case: Any) -> Any:
    """The inputs of the first samples, as many as are cheap to send through all layers."""
    leaves = leaves_of(case.x)
    each = max(1, sum(int(np.prod(leaf.shape[1:])) for leaf in leaves))
    return cut((case.x,), int(np.clip(_MOST_NUMBERS // each, 4, _SAMPLES)))[0]


def has_kernel(layer: Any) -> bool:
    """Whether a layer itself multiplies its inputs with weights of its own: dense, convolution, recurrent."""
    if layer is None or isinstance(layer, keras.layers.Embedding):
        return False
    own = getattr(layer, "kernel", None)
    if own is None and isinstance(layer, keras.layers.RNN):
        own = getattr(layer.cell, "kernel", None)
    return own is not None and len(getattr(own, "shape", ())) >= 2


def kernel_of(layer: Any) -> Any:
    """The variable that `has_kernel` speaks of."""
    own = getattr(layer, "kernel", None)
    return layer.cell.kernel if own is None else own


def first_inputs(case: Any) -> list[Signal]:
    """The calls at which trainable layers with a kernel first see the data: what they get is what the data are scaled to.

    A rescaling, a normalization, or a frozen part in front of them counts as a part of the data. Seen in training, where batch
    normalization has the numbers of the batch.
    """
    raw = [np.asarray(leaf) for leaf in leaves_of(few(case))]
    found: list[Signal] = []
    for signal in signals(case, training=True):
        if not has_kernel(signal.layer) or not signal.inputs or not kernel_of(signal.layer).trainable:
            continue
        is_raw = any(leaf.shape == signal.inputs[0].shape and np.array_equal(leaf, signal.inputs[0]) for leaf in raw)
        if not found or (is_raw and not any(signal.inputs[0] is other.inputs[0] for other in found)):
            found.append(signal)
    return found


def _arrays(tensors: list[Any]) -> list[np.ndarray]:
    found = []
    for tensor in tensors:
        array = np.array(ops.convert_to_numpy(ops.stop_gradient(tensor)))
        found.append(array.astype("float32"))
    return found
