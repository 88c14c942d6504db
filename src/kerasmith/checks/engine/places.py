"""Where a component is defined, and how a reproducer names it."""

import inspect
import os
import pathlib
import sys
from typing import Any

import numpy as np

from kerasmith.checks.engine.lazy_keras import keras


def location(thing: Any) -> tuple[str | None, int | None]:
    """(file, first line) of a class or function, None where that is unknown."""
    try:
        return inspect.getsourcefile(thing), inspect.getsourcelines(thing)[1]
    except (OSError, TypeError):
        return None, None


def variable_that_holds(component: Any) -> tuple[str, str] | None:
    """(module, name) of the module variable that is this object, None if there is none."""
    module = sys.modules.get(getattr(component, "__module__", None) or "")
    for name, value in vars(module).items() if module is not None else ():
        if value is component:
            return module.__name__, name
    return None


def module_that_holds(component: Any) -> tuple[str, str] | None:
    """(module, name) of any variable of any module with a file that is this object; None if there is none."""
    for module in [module for module in list(sys.modules.values()) if getattr(module, "__file__", None)]:
        for name, value in list(vars(module).items()):
            if value is component and module.__name__ != "__main__":
                return module.__name__, name
    return None


def folder_to_import_from(module: str, file: str | None) -> str | None:
    """The folder that must be on the path to import `module`; None if it is installed or belongs to Python."""
    if file is None or "site-packages" in file or module == "__main__":
        return None
    folder = pathlib.Path(file).resolve().parents[module.count(".") + (pathlib.Path(file).name == "__init__.py")]
    return str(folder) + os.sep * (str(folder) == "")


def building_text(instance: Any) -> str:
    """What follows the class to build an instance anew: its config or, where there is none, the arguments that it kept."""
    if hasattr(instance, "get_config"):
        try:
            return f".from_config({instance.get_config()!r})"
        except Exception:
            return ".from_config({})"
    retained = [p for p in inspect.signature(type(instance)).parameters.values() if p.name in vars(instance)]
    return (
        "(" + ", ".join(f"{p.name}={text_of(vars(instance)[p.name])}" for p in retained if p.kind is not p.VAR_KEYWORD) + ")"
    )


def text_of(value: Any) -> str:
    """An argument as a reproducer writes it; functions are imported by a line of their own."""
    if inspect.isfunction(value):
        return value.__name__
    if hasattr(value, "get_config") and not inspect.isclass(value):
        return f"keras.saving.deserialize_keras_object({keras.saving.serialize_keras_object(value)!r})"
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        listed = np.round(value.astype("float64"), 6).tolist() if value.dtype.kind == "f" else value.tolist()
        return f'np.array({listed}, "{value.dtype}")'
    return repr(value)
