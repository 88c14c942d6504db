"""Functions inside a saved configuration: found again by their registered name, or refused."""

import inspect
import sys
from typing import Any

import keras

from kerasmith._types import Function


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
    found = sys.modules.get(package)
    for part in name.split("."):
        found = getattr(found, part, None)
    if inspect.isfunction(found):
        register_function(found)
    if keras.saving.get_registered_object(known_as) is None:
        script = " It was in the script that saved: move it to a module that both scripts import." * (package == "__main__")
        raise ValueError(
            f"{what}, the function `{name}` of {package!r}, is not known in this process, and without it the model would not "
            f"be what was saved. Import the module that defines it before you load.{script}"
        )
