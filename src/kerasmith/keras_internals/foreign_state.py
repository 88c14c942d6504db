"""The state of objects that are not Keras' - optimizers of PyTorch, variables of TensorFlow, generators - as plain data."""

import random
import sys
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np


def state_of(one: Any, tracked: frozenset[int] = frozenset()) -> Any:
    """The state of an object that `owned` calls foreign, as data for a state file; later steps do not change it.

    Args:
        one: the object.
        tracked: places in memory of PyTorch's tensors that are known otherwise, as weights of the model.

    Raises:
        TypeError: it holds what cannot be saved.
    """
    if isinstance(one, np.random.Generator):
        return _packed(one.bit_generator.state)
    if isinstance(one, np.random.RandomState):
        return _packed(one.get_state(legacy=False))
    if isinstance(one, random.Random):
        return _packed(one.getstate())
    tf, torch = sys.modules.get("tensorflow"), sys.modules.get("torch")
    if tf is not None and isinstance(one, tf.random.Generator):
        return _packed(one.state.numpy())
    if tf is not None and isinstance(one, tf.Variable):
        return _packed(one.numpy())
    if isinstance(one, torch.Generator):
        return _packed(one.get_state())
    if isinstance(one, torch.nn.Parameter):
        return _packed(one.detach())
    if isinstance(one, torch.nn.Module):
        return _packed({name: part for name, part in one.state_dict().items() if _address(part) not in tracked})
    return _packed(one.state_dict())


def load(one: Any, state: Any) -> None:
    """Gives an object what `state_of` has returned.

    Raises:
        ValueError: it does not fit.
    """
    value = _unpacked(state)
    tf, torch = sys.modules.get("tensorflow"), sys.modules.get("torch")
    if isinstance(one, np.random.Generator):
        one.bit_generator.state = value
    elif isinstance(one, np.random.RandomState):
        one.set_state(value)
    elif isinstance(one, random.Random):
        one.setstate(value)
    elif tf is not None and isinstance(one, tf.random.Generator):
        one.state.assign(value)
    elif tf is not None and isinstance(one, tf.Variable):
        one.assign(value)
    elif isinstance(one, torch.Generator):
        one.set_state(value)
    elif isinstance(one, torch.nn.Parameter):
        with torch.no_grad():
            one.copy_(value)
    elif isinstance(one, torch.nn.Module):
        one.load_state_dict(value, strict=False)
    else:
        one.load_state_dict(value)


def difference(one: Any, state: Any) -> str | None:
    """Why a state does not fit an object, None if nothing speaks against it."""
    here, there = _shape(state_of(one)), _shape(state)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(one, torch.nn.Module):
        here = {name: shape for name, shape in here.items() if name in there} if isinstance(here, dict) else here
    elif torch is not None and isinstance(one, torch.optim.Optimizer):
        # Its slots are made by the first step.
        here, there = _groups(one.state_dict()), _groups(_unpacked(state))
    elif torch is not None and isinstance(one, torch.optim.lr_scheduler.LRScheduler):
        return None
    return None if here == there else f"{here} here and {there} in the checkpoint"


def with_rate(one: Any, state: Any, factor: float) -> Any:
    """The state of an optimizer of PyTorch with its learning rates multiplied; that of any other object as it is."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(one, torch.optim.Optimizer):
        return state
    value = _unpacked(state)
    for group in value["param_groups"]:
        group["lr"] = group["lr"] * factor
    return _packed(value)


def tracked_tensors(model: keras.Model) -> frozenset[int]:
    """Where PyTorch has the values of a model's variables."""
    if keras.backend.backend() != "torch":
        return frozenset()
    return frozenset(_address(variable.value) for variable in model.variables)


def _address(tensor):
    return tensor.data_ptr() if hasattr(tensor, "data_ptr") else id(tensor)


def _groups(state):
    return [len(group["params"]) for group in state["param_groups"]]


def _shape(packed):
    value = packed["value"] if isinstance(packed, dict) and "tensor" in packed else packed
    if isinstance(value, np.ndarray):
        return value.shape
    if isinstance(value, dict) and "dict" in value:
        return {str(key): _shape(part) for key, part in value["dict"]}
    return None


def _packed(value: Any) -> Any:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        value = value.detach().cpu()
        return {"tensor": kind, "value": (value.float() if kind.startswith(("bfloat", "float8")) else value).numpy().copy()}
    if isinstance(value, Mapping):
        return {"dict": [[_packed(key), _packed(part)] for key, part in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"tuple" if isinstance(value, tuple) else "list": [_packed(part) for part in value]}
    if isinstance(value, (np.ndarray, np.generic)):
        return np.array(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a {type(value).__name__}")


def _unpacked(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        torch = sys.modules["torch"]
        return torch.as_tensor(value["value"]).to(getattr(torch, value["tensor"]))
    if "dict" in value:
        return {_unpacked(key): _unpacked(part) for key, part in value["dict"]}
    return tuple(map(_unpacked, value["tuple"])) if "tuple" in value else list(map(_unpacked, value["list"]))
