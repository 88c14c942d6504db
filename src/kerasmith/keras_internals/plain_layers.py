"""Dense layers of a functional model without what Keras does around each call.

`Layer.__call__` looks for masks, autocasts, losses and contexts, which takes five times as long as a dense layer of a small
network. A layer that has none of these can be computed at once, in one operation. On PyTorch, where nothing compiles the rest
away, it is.
"""

from collections.abc import Callable
from typing import Any

import keras

from kerasmith._types import Tensor
from kerasmith.keras_internals.layers import functional
from kerasmith.keras_internals.tensors import keras_mask


def plain_layers_where(applies: Callable[[], bool]) -> Callable[[type], type]:
    """A decorator for classes of functional models, whose plain dense layers are then computed at once on PyTorch.

    Args:
        applies: () -> whether it is to be done now.
    """

    def decorate(cls):
        usual = getattr(cls, "_get_operation_for_node", None)
        if usual is None:  # a newer Keras
            return cls

        def operation_for_node(self, node):
            operation = usual(self, node)
            if type(operation) is keras.layers.Dense and applies() and _is_plain(operation):
                return _at_once(operation)
            return operation

        cls._get_operation_for_node = operation_for_node
        return cls

    return decorate if keras.backend.backend() == "torch" else lambda cls: cls


def _is_plain(layer):
    own = vars(layer)
    return (
        layer.built
        and "call" not in own
        and not layer.lora_enabled
        and layer.quantization_mode is None
        and layer.activity_regularizer is None
        and layer.compute_dtype == layer.variable_dtype
        and not getattr(layer, "_forward_hooks", None)
        and not getattr(layer, "_forward_pre_hooks", None)
    )


def _at_once(layer) -> Callable[..., Tensor]:
    import torch

    def call(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        kernel = layer.kernel.value
        fits = isinstance(x, torch.Tensor) and x.ndim == 2 and x.dtype == kernel.dtype and x.shape[1] == kernel.shape[0]
        if args or kwargs or not fits or keras_mask(x) is not None:
            return layer(x, *args, **kwargs)
        y = torch.mm(x, kernel) if layer.bias is None else torch.addmm(layer.bias.value, x, kernel)
        function = layer.activation
        if function is None or function is keras.activations.linear:
            return y
        return torch.tanh(y) if function is keras.activations.tanh else function(y)

    return call


def dense_layers(model: Any) -> list[keras.layers.Dense] | None:
    """The layers of a model that passes its one input through plain dense layers alone, in their order; else None."""
    graph = functional()
    if not isinstance(model, graph) or len(model.inputs) != 1 or len(model.outputs) != 1:
        return None
    if type(model).call is not graph.call or type(model).__call__ is not graph.__call__ or "call" in vars(model):
        return None
    layers, tensor = [], model.outputs[0]
    while tensor is not model.inputs[0]:
        operation, node_index, _ = tensor._keras_history
        node = operation._inbound_nodes[node_index]
        if type(operation) is not keras.layers.Dense or not _is_plain(operation) or len(node.input_tensors) != 1:
            return None
        layers.insert(0, operation)
        tensor = node.input_tensors[0]
    return layers or None
