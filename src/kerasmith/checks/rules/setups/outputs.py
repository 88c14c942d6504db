"""The outputs of a model with what `compile` has for each."""

import contextlib
import dataclasses
from typing import Any

import numpy as np

from kerasmith.checks.engine.lazy_keras import keras, to_arrays
from kerasmith.checks.harness.eager import as_tensors, without_gradients
from kerasmith.checks.harness.fit_data import leaves_of

# Operations that leave the values as they are.
_PASSING = ("reshape", "flatten", "identity", "squeeze", "expand_dims", "cast", "transpose", "permute", "get_item", "dropout")
_PASSING += ("spatial_dropout1_d", "spatial_dropout2_d", "spatial_dropout3_d", "cropping1_d", "cropping2_d", "cropping3_d")
_PASSING += ("repeat_vector", "slice", "take", "moveaxis", "swapaxes", "gaussian_noise", "activity_regularization")
# Operations that are an activation themselves, by their class; and what else they are called.
_ACTIVATIONS = ("softmax", "sigmoid", "relu", "relu6", "tanh", "softplus", "softsign", "elu", "selu", "gelu", "silu", "celu")
_ACTIVATIONS += ("leaky_relu", "prelu", "hard_sigmoid", "hard_silu", "hard_tanh", "exp", "log_softmax", "log_sigmoid", "glu")
_OTHER_NAMES = {"swish": "silu", "exp": "exponential"}
# Operations without weights whose result may be any number.
_LINEAR = ("add", "subtract", "matmul", "dot", "einsum", "mean", "sum", "normalization", "rescaling")


@dataclasses.dataclass
class SetupOutput:
    """One output of the model and what `compile` has for it.

    Attributes:
        name: Keras' name of the output; "output" where there is one without.
        index: among the outputs in the order of `keras.tree.flatten`.
        loss: the `Loss` (functions and names wrapped in one), None without one.
        losses: all of them: Keras takes the first of several on one output.
        loss_weight: as compiled, None without one.
        metrics: the objects, weighted ones behind the others.
        weighted_metrics: those that take the weights of samples.
        y_true, sample_weight: arrays of the first batch as the loss gets them, or None.
        activation: name of the last activation behind it, such as "softmax", "linear"; None where that is unknown.
        layer: the last layer, None where that is unknown.
        units: the size of its last axis.
    """

    name: str
    index: int
    loss: Any = None
    losses: list[Any] = dataclasses.field(default_factory=list)
    loss_weight: Any = None
    metrics: list[Any] = dataclasses.field(default_factory=list)
    weighted_metrics: list[Any] = dataclasses.field(default_factory=list)
    y_true: Any = None
    sample_weight: Any = None
    activation: str | None = None
    layer: Any = None
    units: int | None = None


def outputs_of(case: Any) -> list[Any]:
    """[SetupOutput] of a `SetupCase`."""
    from kerasmith.keras_internals import compiled_outputs

    y_pred = case.call(case.x)
    flat = keras.tree.flatten(y_pred)
    names = compiled_outputs.output_names(case.model, y_pred)
    found = [SetupOutput(name, index) for index, name in enumerate(names)]
    for output, tensor, chain in zip(found, flat, _chains(case, flat)):
        output.activation, output.layer = _head(chain)
        shape = tuple(getattr(tensor, "shape", ()))
        output.units = int(shape[-1]) if len(shape) > 1 else None
    y, weight = as_tensors(case.y), as_tensors(case.sample_weight)
    position = {id(tensor): index for index, tensor in enumerate(flat)}
    if not case.is_objective:
        _take_losses(case, found, position, y, y_pred, weight)
        _take_metrics(case, found, position, y, y_pred)
    labels = leaves_of(case.y)
    if len(labels) == len(found) and all(output.y_true is None for output in found):
        for output, array in zip(found, keras.tree.flatten(case.y)):
            output.y_true = array
    return found


def _take_losses(case, found, position, y, y_pred, weight):
    from kerasmith.keras_internals.compiled_outputs import loss_pairs

    if y is None:
        return
    pairs: list[Any] = []
    with contextlib.suppress(Exception), without_gradients():  # T000 says what does not fit
        pairs = loss_pairs(case.model, y, y_pred, weight)
    for pair in pairs:
        index = position.get(id(pair.y_pred), 0 if len(found) == 1 else None)
        if index is None:
            continue
        output = found[index]
        output.losses.append(pair.loss)
        if output.loss is None:
            output.loss, output.loss_weight = pair.loss, pair.weight
            output.y_true, output.sample_weight = _array(pair.y_true), _array(pair.sample_weight)


def _take_metrics(case, found, position, y, y_pred):
    from kerasmith.keras_internals.compiled_outputs import metrics_of_outputs

    pairs: list[Any] = []
    with contextlib.suppress(Exception), without_gradients():
        pairs = metrics_of_outputs(case.model, y, y_pred)
    for tensor, plain, weighted in pairs:
        index = position.get(id(tensor), 0 if len(found) == 1 else None)
        if index is not None:
            found[index].metrics, found[index].weighted_metrics = [*plain, *weighted], list(weighted)


def _array(tensor: Any) -> Any:
    if tensor is None or isinstance(tensor, np.ndarray):
        return tensor
    with contextlib.suppress(Exception):
        return to_arrays(tensor)
    return tensor


def _chains(case, flat):
    """The operations behind each output; of a model that takes no symbolic tensors the layer whose result it is."""
    from kerasmith.keras_internals.layer_outputs import layers_that_return
    from kerasmith.keras_internals.output_graph import last_operations

    with contextlib.suppress(Exception):
        chains = last_operations(case.model, case.x)
        if chains is not None and len(chains) == len(flat):
            return chains
    with contextlib.suppress(Exception):
        return [[] if layer is None else [layer] for layer in layers_that_return(case.model, as_tensors(case.x))]
    return [[] for _ in flat]


def _head(chain: list[Any]) -> tuple[str | None, Any]:
    """(activation, last layer) of the operations behind an output."""
    layer = next((one for one in chain if isinstance(one, keras.layers.Layer)), None)
    for operation in chain:
        operation = _inner(operation)
        name = _snake(type(operation).__name__)
        activation = getattr(operation, "activation", None)
        if name in _ACTIVATIONS:
            return _OTHER_NAMES.get(name, name), layer
        if callable(activation):
            text = _snake(getattr(activation, "__name__", type(activation).__name__))
            if text == "linear" and name == "activation":
                continue  # it passes on what it is given
            return _OTHER_NAMES.get(text, text), layer
        if name not in _PASSING:
            own = type(operation).__module__.partition(".")[0] not in ("keras", "kerasmith")
            is_linear = name in _LINEAR or (getattr(operation, "weights", None) and not own)
            return ("linear" if is_linear else None), layer
    return None, layer


def _inner(operation: Any) -> Any:
    """The layer within `TimeDistributed` and other wrappers of one."""
    while isinstance(operation, keras.layers.Wrapper) and not isinstance(operation, keras.layers.Bidirectional):
        operation = operation.layer
    return operation


def _snake(name: str) -> str:
    """`leaky_relu` of `LeakyReLU`."""
    name = name.replace("ReLU", "Relu").replace("PRelu", "Prelu").replace("ELU", "Elu")
    return "".join(f"_{letter.lower()}" if letter.isupper() and index else letter.lower() for index, letter in enumerate(name))
