"""Functions inside a saved configuration: found again by their registered name, or refused."""

import inspect
import sys
from typing import Any

import keras

from kerasmith._types import Function
from kerasmith.base.function_code import instructions


def why_not_savable(fn: Function) -> str | None:
    """What keeps a function out of a saved model, as the beginning of a sentence, or None if it can be saved."""
    if not inspect.isfunction(fn):
        return None if hasattr(fn, "get_config") else f"{fn!r} is neither a function nor an object with `get_config`"
    captured = [
        f"{variable}={cell.cell_contents!r}"
        for variable, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True)
        if not (callable(cell.cell_contents) or inspect.ismodule(cell.cell_contents))
    ]
    if captured:
        return f"`{fn.__name__}` captures {', '.join(captured)}, which would not be saved"
    if _leads_to_another(fn):
        return (
            f"The name `{fn.__qualname__}` of {fn.__module__!r} leads to another function by now, which would be loaded in "
            "place of this one. Give each function a name of its own"
        )
    if is_registered(fn):
        return None
    if fn.__name__ == "<lambda>":
        return "A lambda cannot be found again when the model is loaded"
    if "<locals>" in fn.__qualname__:
        return f"`{fn.__qualname__}`, a function inside a function, cannot be found again when the model is loaded"
    return None


def is_registered(fn: Function) -> bool:
    """Whether Keras finds the function by name when it loads."""
    return keras.saving.get_registered_name(fn) != fn.__name__


def _leads_to_another(fn):
    """Whether the name under which a function is saved is that of a different one: defined again, or decorated later."""
    own_name = f"{fn.__module__}>{fn.__qualname__}"
    known_as = keras.saving.get_registered_name(fn) if is_registered(fn) else own_name
    found = [keras.saving.get_registered_object(known_as)] if is_registered(fn) else []
    if known_as == own_name:
        found.append(_of_module(fn.__module__, fn.__qualname__))
    return any(inspect.isfunction(other) and not _do_the_same(fn, other) for other in found)


def _of_module(module, name):
    """What an imported module has under a dotted name, or None."""
    found = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _do_the_same(fn, other):
    """Whether two functions are one, or the same lines run twice, as a cell of a notebook is."""
    if fn is other:
        return True
    codes = [repr(instructions(f)) for f in (fn, other)]  # a text: 1, 1.0 and True are equal
    held = [
        [*(cell.cell_contents for cell in f.__closure__ or ()), *(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).items()]
        for f in (fn, other)
    ]
    return codes[0] == codes[1] and len(held[0]) == len(held[1]) and all(map(_are_the_same, *held))


def _are_the_same(one, other):
    """Whether two values that functions hold are one, or plain and equal, or functions that do the same."""
    if inspect.isfunction(one) and inspect.isfunction(other):
        return _do_the_same(one, other)
    plain = isinstance(one, (int, float, str, tuple)) and type(one) is type(other)
    return one is other or (plain and repr(one) == repr(other))


def register_function(fn: Function) -> None:
    """Registers a function of a module under the module's name, unless the user did."""
    if inspect.isfunction(fn) and why_not_savable(fn) is None and not is_registered(fn):
        keras.saving.register_keras_serializable(package=fn.__module__, name=fn.__qualname__)(fn)


def find_again(config: Any, what: str) -> None:
    """Sees to it that a saved function can be loaded: that of a module that was imported is registered.

    Args:
        config: of the function, as Keras serialises it.
        what: whose function it is, as the beginning of a sentence.

    Raises:
        ValueError: if it is not known here.
    """
    if not isinstance(config, dict) or config.get("class_name") != "function":
        return
    known_as = str(config["config"])
    if keras.saving.get_registered_object(known_as) is not None:
        return
    package, _, name = known_as.rpartition(">")
    found = _of_module(package, name)
    if inspect.isfunction(found):
        register_function(found)
    if keras.saving.get_registered_object(known_as) is None:
        script = " It was in the script that saved: move it to a module that both scripts import." * (package == "__main__")
        raise ValueError(
            f"{what}, the function `{name}` of {package!r}, is not known in this process, and without it the model would not "
            f"be what was saved. Import the module that defines it before you load.{script}"
        )
