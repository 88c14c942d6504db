"""Finds what is to be checked: `path.py:Name`, `package.module:Name`, or all components of a file or module."""

import ast
import importlib
import importlib.util
import inspect
import pathlib
import re
import sys
import textwrap
from collections.abc import Callable
from types import ModuleType
from typing import Any

from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.engine.lazy_keras import keras

_FIELDS = ("f", "field")
_SCORES = re.compile(
    r"(^|_)(accuracy|acc|precision|recall|f1|f_?beta|auc|exact_match|specificity|sensitivity|metric|hit_rate)(_|$)"
)
_COSTS = re.compile(r"loss|error|cost|entropy|objective|penalty|divergence")
FIRST = ("y_true", "true", "target", "targets", "label", "labels", "y", "truth")


def split(target: str) -> tuple[str, str | None]:
    """(file or module, name or None) of a target, looked at without importing anything.

    Raises:
        CannotCheck: for a file that does not exist, or one that is not Python.
    """
    place, colon, name = target.rpartition(":")
    if not colon or "\\" in name or "/" in name:
        place, name = target, ""
    looks_like_file = place.endswith(".py") or "/" in place or "\\" in place
    if looks_like_file and not pathlib.Path(place).is_file():
        raise CannotCheck(
            f"There is no file {place!r}. A component is named path.py:Name or package.module:Name. Received: {target!r}"
        )
    if looks_like_file and not place.endswith(".py"):
        raise CannotCheck(f"Only Python files can be checked. Received: {target!r}")
    if not place or (colon and not name):
        raise CannotCheck(f"A component is named path.py:Name or package.module:Name. Received: {target!r}")
    return place, name or None


def source_file(place: str) -> str | None:
    """The file of a file or module, without importing the module itself; None if it has no Python source."""
    if place.endswith(".py"):
        return str(pathlib.Path(place).resolve())
    try:
        spec = importlib.util.find_spec(place)
    except (ImportError, ValueError):
        spec = None
    return spec.origin if spec is not None and (spec.origin or "").endswith(".py") else None


def import_module(place: str) -> ModuleType:
    """The module of a file or of a dotted name, imported.

    A file inside a package is imported as a part of it, any other under its own name with its folder on the path.

    Raises:
        CannotCheck: if the import fails, with what it said.
    """
    try:
        if not place.endswith(".py"):
            if "" not in sys.path:
                sys.path.insert(0, "")
            return importlib.import_module(place)
        file = pathlib.Path(place).resolve()
        parts, folder = [file.stem], file.parent
        while (folder / "__init__.py").is_file():
            parts, folder = [folder.name, *parts], folder.parent
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
        name = ".".join(parts)
        module = importlib.import_module(name)
        if pathlib.Path(module.__file__ or "").resolve() == file:
            return module
        # Another module has this name, such as a `metrics.py` beside one that is installed.
        spec = importlib.util.spec_from_file_location(name, file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module
    except Exception as error:
        raise CannotCheck(f"Importing {place} failed with {type(error).__name__}: {error}") from error


def components(target: str) -> list[tuple[str, Any]]:
    """[(name, component)] of a target, imported.

    Raises:
        CannotCheck: if a name is missing, or nothing in a module is a loss, metric, callback or layer.
    """
    place, name = split(target)
    module = import_module(place)
    if name is not None:
        found = module
        for part in name.split("."):
            if not hasattr(found, part):
                names = ", ".join(name for name, _ in _public(module)) or "no loss, metric, callback or layer"
                raise CannotCheck(f"{place} has no {name!r}; it has {names}. Received: {target!r}")
            found = getattr(found, part)
        return [(name, found)]
    found = _public(module)
    if not found:
        raise CannotCheck(
            f"{place} has no public loss, metric, callback or layer. Name one as {place}:Name; if it is a script that trains, "
            f"`kerasmith check {place} --fit 1` runs it up to its first `fit`. Received: {target!r}"
        )
    return found


def _public(module: ModuleType) -> list[tuple[str, Any]]:
    names = getattr(module, "__all__", None)
    own = lambda value: (getattr(value, "__module__", None) or "").split(".")[: module.__name__.count(".") + 1]  # noqa: E731
    found = []
    for name in names if names is not None else [name for name in vars(module) if not name.startswith("_")]:
        value = getattr(module, name, None)
        if hasattr(value, "quantities") and parts_of_problem(value):
            found.append((name, value))
            continue
        if names is None and own(value) != module.__name__.split("."):
            continue
        if (inspect.isclass(value) and kind_of_class(value) is not None) or (inspect.isfunction(value) and _takes_pair(value)):
            found.append((name, value))
    return found


def _takes_pair(function: Callable[..., Any]) -> bool:
    """Whether a function reads like `f(y_true, y_pred)`."""
    parameters = [
        p for p in inspect.signature(function).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    required = [p for p in parameters if p.default is p.empty]
    return len(required) == 2 and required[0].name in FIRST


def takes_field(function: Callable[..., Any]) -> bool:
    """Whether a function reads like an equation: its first argument is a field, of which it asks derivatives or values."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        return False
    first = parameters[0]
    annotation = first.annotation if isinstance(first.annotation, str) else getattr(first.annotation, "__name__", "")
    if annotation.rpartition(".")[2] == "Field" or first.name == "field":
        return True
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return first.name in _FIELDS
    derivatives = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "d"]
    return first.name in _FIELDS or any(isinstance(d.value, ast.Name) and d.value.id == first.name for d in derivatives)


def parts_of_problem(component: Any) -> tuple[list[Any], list[Any]] | None:
    """(equations, conditions) of an objective, of a model that is compiled with one, or of a condition alone; else None."""
    if inspect.isclass(component):
        return None
    objective = getattr(component, "objective", component)
    terms = getattr(objective, "terms", None) if hasattr(objective, "quantities") else [objective]
    if not isinstance(terms, list):
        return None
    conditions = [term for term in terms if hasattr(term, "asked") and hasattr(term, "target")]
    equations = [term for term in terms if hasattr(term, "pde")]
    return (equations, conditions) if conditions or (equations and terms != [objective]) else None


def usual_kind(function: Callable[..., Any]) -> str:
    """What a plain function of (y_true, y_pred) is asked as: "metric" if its name is that of a score, else "loss"."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", getattr(function, "__name__", "")).lower()
    return "metric" if _SCORES.search(name) and not _COSTS.search(name) else "loss"


def kind_of_class(cls: type[Any]) -> str | None:
    """The kind of a class, such as "loss"; None for anything else (a model is none of them)."""
    if issubclass(cls, keras.losses.Loss):
        return "loss"
    if issubclass(cls, keras.metrics.Metric):
        return "metric"
    if issubclass(cls, keras.callbacks.Callback):
        return "callback"
    if issubclass(cls, keras.layers.Layer) and not issubclass(cls, keras.Model):
        return "layer"
    return None
