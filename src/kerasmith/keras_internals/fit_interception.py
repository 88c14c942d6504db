"""Stands in for `fit` in a script of the user's, and notes where its layers and metrics are made and its model is compiled.

Nothing here imports Keras before the script does: the script may choose the backend. `when_keras_is_imported` waits for it.
"""

import functools
import importlib.abc
import importlib.util
import inspect
import linecache
import pathlib
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, NamedTuple

# The folders of Python and of what is installed: no line there is the user's.
_LIBRARIES = frozenset(("site-packages", "dist-packages"))
_INSTALLED = tuple(
    {str(pathlib.Path(path).resolve()) for path in map(sysconfig.get_path, ("stdlib", "platstdlib"))}
    | {str(pathlib.Path(__file__).resolve().parents[1])}
)


class Line(NamedTuple):
    """A line of the user's: file, number, text."""

    file: str
    line: int
    text: str


def when_keras_is_imported(function: Callable[[Any], None]) -> None:
    """Calls `function(keras)` as soon as the package has been imported by somebody, now if it has been."""
    if hasattr(sys.modules.get("keras"), "saving"):
        function(sys.modules["keras"])
    else:
        sys.meta_path.insert(0, _Waiting(function))


class _Waiting(importlib.abc.MetaPathFinder):
    """Lets the other finders import Keras, then calls a function."""

    def __init__(self, function: Callable[[Any], None]) -> None:
        self._function = function

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                self._function(module)

            spec.loader.exec_module = exec_module
        return spec


class Interception:
    """Replaces `fit` on every model, and listens to `compile` and to what is made.

    Args:
        keras: the package.
        on_fit: `(model, arguments of fit by name, Line of the call) -> result` in its place.
        on_own_step: `(what, Line)`: a model is trained otherwise, by `train_on_batch` or by an optimizer.

    Attributes:
        places: {id of a layer, metric, loss, optimizer or model: `Line`}; a model's is that of its `compile`.
    """

    def __init__(
        self,
        keras: Any,
        on_fit: Callable[[Any, dict[str, Any], Line | None], Any],
        on_own_step: Callable[[str, Line | None], None],
    ) -> None:
        self.places: dict[int, Line] = {}
        self._held: list[Any] = []  # while they are held, no other object has their id
        owner, fit = _defined(keras.Model, "fit")
        signature = inspect.signature(fit)

        @functools.wraps(fit)
        def intercepted(model: Any, *args: Any, **kwargs: Any) -> Any:
            if not model.compiled:
                return fit(model, *args, **kwargs)  # Keras says what is wrong
            given = signature.bind(model, *args, **kwargs)
            given.apply_defaults()
            arguments = dict(given.arguments)
            arguments.pop(next(iter(arguments)))
            return on_fit(model, arguments, user_line())

        owner.fit = intercepted
        self._note(keras.Model, "compile")
        for cls in (keras.layers.Layer, keras.metrics.Metric, keras.losses.Loss, keras.optimizers.Optimizer):
            self._note(cls, "__init__")
        self._refuse(keras.Model, "train_on_batch", on_own_step)
        for name in ("apply", "stateless_apply"):
            self._refuse(keras.optimizers.Optimizer, name, on_own_step)

    def _note(self, cls: type, name: str) -> None:
        owner, method = _defined(cls, name)

        @functools.wraps(method)
        def noting(one: Any, *args: Any, **kwargs: Any) -> Any:
            line = user_line(one)
            if line is not None:
                self._held.append(one)
                self.places[id(one)] = line
            return method(one, *args, **kwargs)

        setattr(owner, name, noting)

    def _refuse(self, cls: type, name: str, on_own_step: Callable[[str, Line | None], None]) -> None:
        owner, method = _defined(cls, name)

        @functools.wraps(method)
        def refusing(*args: Any, **kwargs: Any) -> Any:
            on_own_step(name, user_line())
            return method(*args, **kwargs)

        setattr(owner, name, refusing)


def _defined(cls: type, name: str) -> tuple[type, Any]:
    """(class that defines a method, the method)."""
    owner = next(one for one in cls.__mro__ if name in vars(one))
    return owner, vars(owner)[name]


def user_line(made: Any = None) -> Line | None:
    """The innermost line of the user's that is running in this thread, None if there is none.

    Args:
        made: an object whose own methods do not count: the line that made it is wanted, not one of its constructor.
    """
    frame: FrameType | None = sys._getframe(1)
    best = None
    while frame is not None:
        if is_of_user(frame.f_code.co_filename):
            arguments = frame.f_code.co_varnames[: frame.f_code.co_argcount]
            if made is None or not arguments or frame.f_locals.get(arguments[0]) is not made:
                return _line(frame.f_code.co_filename, frame.f_lineno)
            best = best or _line(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return best


def line_of_error(error: BaseException) -> Line | None:
    """The innermost line of the user's in the traceback of an exception."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return _line(error.filename, error.lineno)
    lines = [(code, number) for code, number in _walked(error.__traceback__) if is_of_user(code)]
    return _line(*lines[-1]) if lines else None


def line_of_main_thread() -> Line | None:
    """What line of the user's the main thread is at."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None:
        if is_of_user(frame.f_code.co_filename):
            return _line(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def is_of_user(file: str) -> bool:
    """Whether a file is neither Python's nor installed nor ours."""
    if file.startswith("<"):
        return False
    path = pathlib.Path(file)
    if not _LIBRARIES.isdisjoint((*path.parts, *path.resolve().parts)):
        return False
    return not any(
        str(one).startswith((f"{folder}/", f"{folder}\\")) for folder in _INSTALLED for one in (path, path.resolve())
    )


def _walked(trace: TracebackType | None) -> Iterator[tuple[str, int]]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next


def _line(file: str, number: int) -> Line:
    return Line(str(pathlib.Path(file).resolve()), number, linecache.getline(file, number).strip())
