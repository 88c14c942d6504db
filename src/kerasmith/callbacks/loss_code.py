"""What the functions that a model is trained on say, to tell one that was changed under the same name."""

import hashlib
import inspect
import sys
import types
from typing import Any

import keras

from kerasmith.base.function_code import instructions

_PLAIN = (int, float, complex, str, bytes, bool, type(None))


def code_of_losses(model: keras.Model) -> dict[str, str]:
    """{version of Python: names and marks of the functions that a compiled model is trained on}; {} where there is none.

    The mark of a function changes with its code, defaults and plain numbers around it, and with no comment or docstring.
    """
    objective = getattr(model, "objective", None)
    parts = [term.fn for term in getattr(objective, "terms", ())] or [getattr(model, "loss", None)]
    functions = [one for one in map(_function_of, keras.tree.flatten(parts)) if one is not None]
    text = ", ".join(f"{one.__name__} {_mark(one)}" for one in functions)
    return {"{}.{}".format(*sys.version_info[:2]): text} if text else {}


def _function_of(part: Any) -> types.FunctionType | None:
    """The plain function of a user's that a loss is, or is made of."""
    function = part if isinstance(part, types.FunctionType) else getattr(part, "fn", None)
    is_function = isinstance(function, types.FunctionType)
    return function if is_function and function.__module__.partition(".")[0] not in ("keras", "kerasmith") else None


def _mark(function: types.FunctionType) -> str:
    try:
        around = inspect.getclosurevars(function).nonlocals
    except ValueError:  # a name that has no value yet
        around = {}
    named = {**(function.__kwdefaults__ or {}), **around}
    values = [*(function.__defaults__ or ()), *((name, named[name]) for name in sorted(named))]
    text = repr([instructions(function), [v for v in values if _is_plain(v)]])
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _is_plain(value: Any) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, tuple) else isinstance(value, _PLAIN)
