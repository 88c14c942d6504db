"""Which objects a program must import before it can load a component, and where they are."""

import inspect
import sys
from typing import Any

from kerasmith.checks.engine.finding import NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.subject import SourceSubject, Subject


def needed_objects(subject: Subject | SourceSubject) -> list[Any]:
    """[object]: the component's class, then the classes and functions among its arguments, except Keras' own."""
    values = vars(subject.make()) if subject.is_instance else subject.init
    found = [subject.cls]
    for value in keras.tree.flatten(list(values.values())):
        thing = value if inspect.isclass(value) or inspect.isfunction(value) else type(value)
        if thing not in found:
            found.append(thing)
    return [thing for thing in found if thing.__module__.partition(".")[0] not in ("keras", "builtins", "numpy")]


def custom_objects(objects: list[Any]) -> dict[str, Any]:
    """{name: object} of those that are not registered: `custom_objects` for loading."""
    return {thing.__name__: thing for thing in objects if not is_registered(thing)}


def is_registered(thing: Any) -> bool:
    """Whether Keras finds a class or function by its own registry, without `custom_objects`."""
    return keras.saving.get_registered_object(keras.saving.get_registered_name(thing)) is thing


def origins(objects: list[Any]) -> list[dict[str, Any]]:
    """[{"module", "file", "name", "custom"}] for the fresh process.

    Raises:
        NotApplicable: if one can be imported by nobody.
    """
    return [_origin(thing) for thing in objects]


def _origin(thing):
    module, name = sys.modules.get(thing.__module__), thing.__qualname__
    if thing.__module__ == "__main__":
        raise NotApplicable(f"{name} is defined in __main__ or a notebook: another process cannot import it")
    if "<locals>" in name or "<lambda>" in name:
        raise NotApplicable(f"{name} is defined inside a function: another process cannot import it")
    file = getattr(module, "__file__", None)
    if module is None or file is None or not file.endswith(".py"):
        raise NotApplicable(f"the module {thing.__module__} has no file that another process could import")
    return {"module": thing.__module__, "file": file, "name": name, "custom": not is_registered(thing)}
