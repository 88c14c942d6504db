"""Steps whose forward pass can be derived by the inputs of the model, so that terms with derivatives need no second one."""

import contextlib
from typing import Any

import keras
from keras import ops, tree

from kerasmith._types import Function
from kerasmith.numerics.tensors import is_float
from kerasmith.objectives.step_record import current


def derived_by_inputs(step: Function, training: bool, compiled: bool) -> Function:
    """A step of a model, `train_step` or `test_step`, whose inputs are watched where the backend asks for that.

    Args:
        step: takes the data of a batch as its last argument.
        training: whether it is `train_step`.
        compiled: whether the model was compiled with `jit_compile`.
    """

    def derivable_step(*args):
        current().differentiable = True
        if keras.backend.backend() != "torch":
            return step(*args)
        with contextlib.nullcontext() if training else _with_gradients():
            return (_undisturbed(step) if compiled else step)(*args[:-1], _derivable(args[-1]))

    return derivable_step


def _with_gradients():
    import torch

    return torch.enable_grad()  # `evaluate` runs without


def _undisturbed(step):
    """The compiler of PyTorch cannot derive twice: such a step runs as it is written, `jit_compile=True` or not."""
    import torch

    return torch.compiler.disable(step)


def _derivable(data: Any) -> Any:
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)

    def watch(leaf):
        if leaf is None:
            return None
        leaf = ops.convert_to_tensor(leaf)
        return leaf.detach().requires_grad_() if is_float(leaf) else leaf

    x = tree.map_structure(watch, x)
    return x if y is None and sample_weight is None and not isinstance(x, (list, tuple)) else (x, y, sample_weight)
