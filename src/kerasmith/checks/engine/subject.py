"""The component that is checked: how to build it, where it is defined, how a reproducer names it."""

import copy
import inspect
import os
import pathlib
import sys
from collections.abc import Callable
from typing import Any

from kerasmith.checks.engine.finding import CannotCheck, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras
from kerasmith.checks.engine.places import (
    building_text,
    folder_to_import_from,
    location,
    module_that_holds,
    text_of,
    variable_that_holds,
)
from kerasmith.checks.engine.registry import CHECKED
from kerasmith.checks.engine.requirements import require_arguments, require_pair
from kerasmith.checks.engine.target import FIRST, components, kind_of_class, parts_of_problem, takes_field, usual_kind
from kerasmith.checks.engine.training_setup import SetupSubject, setup_of_model

# Where Keras keeps the public names of a kind.
_PACKAGES = {"loss": "losses", "metric": "metrics", "callback": "callbacks", "layer": "layers"}


class Subject:
    """One component under check.

    Attributes:
        component: the class, instance or function that was given.
        kind: one of `CHECKED`.
        name: as it is printed.
        init: constructor arguments, {} for instances and functions.
        factory: the function that returned the component, None if it was given itself.
        cls: the class, or None for a function.
        file, line: where it is defined, None if that is unknown.
    """

    def __init__(
        self, component: Any, kind: str, name: str, init: dict[str, Any], factory: Callable[[], Any] | None = None
    ) -> None:
        self.component: Any = component
        self.factory: Callable[[], Any] | None = factory
        self.kind: str = kind
        self.name: str = name
        self.init: dict[str, Any] = init
        self.is_function: bool = inspect.isfunction(component) or not (inspect.isclass(component) or _kind(component))
        self.is_instance: bool = not self.is_function and not inspect.isclass(component)
        self.cls: type[Any] | None = None if self.is_function else component if inspect.isclass(component) else type(component)
        self._pristine = _copy_of(component) if self.is_instance and factory is None else component
        self.file: str | None
        self.line: int | None
        self.file, self.line = location(component if self.is_function else self.cls)

    def make(self, **changed: Any) -> Any:
        """A fresh component.

        Args:
            **changed: constructor arguments that differ from `init`.

        Raises:
            NotApplicable: if arguments are changed of a function, which has none.
        """
        if self.is_function:
            if changed:
                raise NotApplicable("a function has no constructor")
            return self.component
        if self.is_instance:
            if changed:
                return self.cls.from_config({**self._pristine.get_config(), **changed})
            return _copy_of(self._pristine) if self.factory is None else self.factory()
        # Arguments that a constructor keeps and changes must not reach the next instance.
        return self.cls(**{**_copied(self.init), **changed})

    def source(self) -> tuple[str, int]:
        """(text, first line) of the class or function.

        Raises:
            NotApplicable: if there is no file to read.
        """
        try:
            lines, first = inspect.getsourcelines(self.component if self.is_function else self.cls)
        except (OSError, TypeError):
            raise NotApplicable("the source cannot be read") from None
        return "".join(lines), first

    def setup_lines(self) -> list[str]:
        """The first lines of a reproducer: imports, and the component under the name of its kind."""
        lines = [f'import os; os.environ["KERAS_BACKEND"] = "{backend()}"', "import keras, numpy as np"]
        thing = self.factory or (self.component if self.is_function else self.cls)
        module, name = thing.__module__, getattr(thing, "__qualname__", type(thing).__name__).split(".<locals>.")[-1]
        variable = None if self.factory is not None else variable_that_holds(self.component)
        if variable is not None:
            module, name = variable
        if module.partition(".")[0] == "keras":
            public = f"keras.{_PACKAGES[self.kind]}.{name}"
        else:
            home = folder_to_import_from(module, self.file)
            lines.append(
                (f"import sys; sys.path.insert(0, {home!r}); " if home else "") + f"from {module} import {name.split('.')[0]}"
            )
            public = name
        if self.factory is not None:
            lines.append(f"{self.kind} = {public}()")
        elif self.is_function or (self.is_instance and variable is not None):
            lines.append(f"{self.kind} = {public}")
        elif self.is_instance:
            lines.append(f"{self.kind} = {public}{building_text(self._pristine)}")
        else:
            functions = [value for value in self.init.values() if inspect.isfunction(value)]
            lines += [f"from {one.__module__} import {one.__name__}" for one in functions]
            lines.append(f"{self.kind} = {public}({', '.join(f'{key}={text_of(value)}' for key, value in self.init.items())})")
        return lines


def subject_of(
    component: Any,
    init: dict[str, Any] | str | None = None,
    kind: str | None = None,
    name: str | None = None,
) -> Subject | SetupSubject:
    """The `Subject` of a class, instance or function; or of what a function without required arguments returns.

    Args:
        component: a class, an instance, a function, or a factory of one.
        init: constructor arguments, or `"module:factory"`, a function that returns the component.
        kind: see `kerasmith.check`.
        name: as it is printed.

    Raises:
        CannotCheck: if it is none of the kinds, or its constructor needs arguments that `init` does not give.
    """
    if kind is not None and kind not in CHECKED:
        raise CannotCheck(f"`kind` must be one of {', '.join(CHECKED)}. Received: kind={kind!r}")
    if isinstance(init, str):
        ((_, factory),) = components(init)
        return _made(factory, component, kind, name)
    if _is_factory(component, kind):
        return _made(component, None, kind, name)
    init = dict(init or {})
    if inspect.isclass(component):
        found = kind_of_class(component)
        if found is None:
            raise _none_of_the_kinds(component)
        require_arguments(component, init)
        return Subject(component, found, name or component.__name__, init)
    found = _kind(component)
    if init:
        raise CannotCheck(f"`init` is for classes; an instance or a function has its arguments. Received: init={init}")
    if parts_of_problem(component):
        return ProblemSubject(component, name)
    if hasattr(component, "quantities"):
        raise CannotCheck(
            "An objective is asked about its equations and conditions, and this one has none. Name its losses one by one, as "
            "path.py:loss."
        )
    if found is not None:
        return Subject(component, found, name or type(component).__name__, {})
    if inspect.isfunction(getattr(component, "pde", None)):
        # A residual: its equation, with the names and numbers that it gives to it.
        given = {key: getattr(component, key, None) for key in ("fixed", "names", "outputs")}
        return Subject(component.pde, "equation", name or component.name, given)
    if inspect.isfunction(component) and (kind == "equation" or (kind is None and takes_field(component))):
        return Subject(component, "equation", name or component.__name__, {})
    if _is_keras_model(component):
        return setup_of_model(component, name)
    if callable(component) and not inspect.ismodule(component):
        require_pair(component)
        return Subject(
            component, kind or usual_kind(component), name or getattr(component, "__name__", type(component).__name__), {}
        )
    raise _none_of_the_kinds(component)


class ProblemSubject(Subject):
    """An objective with equations and conditions, or a condition.

    It is never copied: it knows the domain that its points were drawn from, and its config does not.

    Args:
        component: an objective, a model that is compiled with one, or a condition.
        name: as it is printed.
    """

    def __init__(self, component: Any, name: str | None = None) -> None:
        self.component, self.kind, self.init, self.cls = component, "problem", {}, type(component)
        self.is_function, self.is_instance = False, True
        self.name: str = name or component.name
        self._home = module_that_holds(component)
        self.file, self.line = (None, None) if self._home is None else (sys.modules[self._home[0]].__file__, None)

    def make(self, **changed: Any) -> Any:
        """The component itself."""
        if changed:
            raise NotApplicable("an objective is taken as it is")
        return self.component

    def setup_lines(self) -> list[str]:
        """The first lines of a reproducer: imports, and the component as `problem`."""
        lines = [f'import os; os.environ["KERAS_BACKEND"] = "{backend()}"', "import keras, numpy as np"]
        if self._home is None:
            return [*lines, f"problem = ...  # {self.name!r}, which no module holds under a name"]
        module, name = self._home
        home = folder_to_import_from(module, self.file)
        search = f"import sys; sys.path.insert(0, {home!r}); " if home else ""
        return [*lines, f"{search}from {module} import {name} as problem"]


def _is_factory(component: Any, kind: str | None) -> bool:
    """Whether a function can be called without arguments, and none of its arguments reads like labels or a field."""
    if not inspect.isfunction(component) or kind == "equation":
        return False
    parameters = inspect.signature(component).parameters.values()
    return all(p.default is not p.empty and p.name not in FIRST for p in parameters)


def _made(factory: Any, wanted: Any, kind: str | None, name: str | None) -> Subject | SetupSubject:
    """The `Subject` of what a factory returns; an instance of `wanted` if that is a class."""
    text = getattr(factory, "__name__", repr(factory))
    try:
        made = factory()
    except Exception as error:
        raise CannotCheck(f"The factory {text}() raises {type(error).__name__}: {error}") from error
    if wanted is None and parts_of_problem(made) is not None:
        return ProblemSubject(made, name or text)
    if wanted is None and _is_keras_model(made):
        return setup_of_model(made, name or text)
    found = _kind(made)
    if inspect.isclass(wanted) and not isinstance(made, wanted):
        raise CannotCheck(f"The factory {text}() must return a {wanted.__name__}. Received: {made!r}")
    if found is None and (not inspect.isfunction(made) or _is_factory(made, kind)):
        raise CannotCheck(f"The factory {text}() must return a loss, metric, callback, layer or function. Received: {made!r}")
    if found is None:
        require_pair(made)
    return Subject(made, found or kind or usual_kind(made), name or text, {}, factory=factory)


class SourceSubject:
    """The text of a Python file.

    Attributes:
        kind: "source".
        component: the text.
        name: as it is printed.
        file, line: of the file; None if the text comes from elsewhere.
        is_function, is_instance, cls, init: as `Subject` has them.
    """

    kind: str = "source"
    is_function: bool = False
    is_instance: bool = False
    cls: type[Any] | None = None

    def __init__(self, text: str, name: str, file: str | None = None) -> None:
        self.component: str = text
        self.name: str = name
        self.file: str | None = file
        self.line: int | None = None if file is None else 1
        self.init: dict[str, Any] = {}

    def source(self) -> tuple[str, int]:
        """(text, first line)."""
        return self.component, 1


def source_subject(path_or_text: str | os.PathLike[str]) -> SourceSubject:
    """The subject of a `.py` file, or of Python text.

    Raises:
        FileNotFoundError: for a path without a file.
    """
    text = str(path_or_text)
    if "\n" in text or not (isinstance(path_or_text, os.PathLike) or text.endswith(".py")):
        return SourceSubject(text, "text")
    path = pathlib.Path(text)
    return SourceSubject(path.read_text(encoding="utf-8"), path.name, str(path.resolve()))


def _kind(component: Any) -> str | None:
    return None if inspect.isclass(component) else kind_of_class(type(component))


def _is_keras_model(component: Any) -> bool:
    return isinstance(component, keras.Model)


def _none_of_the_kinds(component: Any) -> CannotCheck:
    what = component.__name__ if inspect.isclass(component) else repr(component)
    return CannotCheck(
        "Losses, metrics, callbacks and layers can be checked: a class or instance of keras.losses.Loss, "
        "keras.metrics.Metric, keras.callbacks.Callback or keras.layers.Layer, a function of (y_true, y_pred), or an "
        f"equation, a function of a field. Received: {what}"
    )


def _copied(value: dict[str, Any]) -> dict[str, Any]:
    try:
        return copy.deepcopy(value)
    except Exception:
        return dict(value)


def _copy_of(component: Any) -> Any:
    """A copy of an instance with its own state; by its config where it cannot be copied."""
    try:
        return copy.deepcopy(component)
    except Exception as error:
        if not hasattr(component, "get_config"):
            name = type(component).__name__
            raise CannotCheck(
                f"The checks need fresh copies, and this {name} cannot be copied ({error}). Give the class and init={{...}}."
            ) from error
        return type(component).from_config(component.get_config())
