"""The hooks of a callback: their names, their arguments, and the base they stand on."""

import ast
import difflib
import inspect
import re
import textwrap

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.temporary_cwd import temporary_cwd
from kerasmith.checks.rules.callbacks.case import BATCH_HOOKS, HOOKS, CallbackCase, call_arguments, hooks_of

# What other libraries call, and Keras does not.
_ELSEWHERE = {
    "on_evaluate_begin": "on_test_begin",
    "on_evaluate_end": "on_test_end",
    "on_validation_begin": "on_test_begin",
    "on_validation_end": "on_test_end",
    "on_validation_epoch_end": "on_test_end",
    "on_train_epoch_begin": "on_epoch_begin",
    "on_train_epoch_start": "on_epoch_begin",
    "on_train_epoch_end": "on_epoch_end",
    "on_epoch_start": "on_epoch_begin",
    "on_train_start": "on_train_begin",
    "on_fit_begin": "on_train_begin",
    "on_fit_end": "on_train_end",
    "on_step_begin": "on_train_batch_begin",
    "on_step_end": "on_train_batch_end",
}
_PARTS = {"train", "test", "predict", "epoch", "batch", "evaluate", "validation"}


@check("C101", "callback", "error", requires=(), needs_inputs=False, since="0.1.0")
def hook_is_never_called(case: CallbackCase) -> None:
    """A method looks like a hook and is never called.

    Keras calls sixteen methods by their exact names. `on_epoch_ends` or `on_evaluate_end` is an ordinary method:
    nothing fires and nothing complains, so the early stopping, the schedule or the checkpoint behind it simply does not
    happen.

    Fix: rename the method to the hook that is meant; a validation is announced by `on_test_begin` and `on_test_end`.
    """
    cls = case.subject.cls
    called = _called_names(cls)
    for name in dict.fromkeys(key for base in cls.__mro__ for key in vars(base) if base is not keras.callbacks.Callback):
        if not name.startswith("on_") or name in HOOKS or name in called or not callable(getattr(cls, name, None)):
            continue
        if _in_keras(cls, name):
            continue
        meant = _meant(name)
        if meant is not None:
            raise Failed(
                expected=f"a hook of Keras, such as `{meant}`",
                actual=f"`{name}`, which Keras never calls",
                lines=(
                    "fired = []",
                    f"callback.{name} = lambda *args, **kwargs: fired.append(args)",
                    *case.fit_lines(epochs=2, validation_data="(x, y)"),
                    f'print("{name} was called", len(fired), "times")',
                ),
                line=_line_of(getattr(cls, name)),
            )


@check("C102", "callback", "error", requires=("C101",), needs_inputs=False, since="0.1.0")
def base_is_not_initialised(case: CallbackCase) -> None:
    """The constructor never calls `super().__init__()`.

    Without it the attributes that the base class makes are missing: `monitor`, `mode` and the rest of `EarlyStopping`,
    so that the first hook fails; or, for a direct child of `Callback`, `params` and `model`, which do not exist until
    `fit` sets them.

    Fix: call `super().__init__()` first in the constructor, with the arguments of the base class.
    """
    cls = case.subject.cls
    base = _next_with_constructor(cls)
    if base is None:
        raise NotApplicable("has no constructor of its own")
    seen = []
    original = base.__init__

    def monitored(self, *arguments, **options):
        seen.append(self)
        return original(self, *arguments, **options)

    with temporary_cwd():
        base.__init__ = monitored
        try:
            made = case.make()
        finally:
            base.__init__ = original
    if any(one is made for one in seen) or case.subject.is_instance:
        return
    direct = base is keras.callbacks.Callback
    missing = [name for name in _made_by(base) if not _has(made, name)]
    if not missing:
        return
    raise Failed(
        expected=f"attributes that `{base.__name__}.__init__` makes: {', '.join(missing)}",
        actual=f"{cls.__name__} has none of them after it is built",
        lines=(f"print([hasattr(callback, name) for name in {missing[:4]}])",),
        severity="warning" if direct else "error",
        line=_line_of(cls.__init__),
    )


@check("C103", "callback", "error", requires=("C101",), needs_inputs=False, since="0.1.0")
def hook_takes_other_arguments(case: CallbackCase) -> None:
    """A hook does not take the arguments that Keras gives it.

    Keras calls `on_epoch_end(epoch, logs)` by position and `on_train_batch_end(batch, logs=logs)` with `logs` by name.
    A hook without `logs`, or a batch hook that calls it `values`, ends the training with a TypeError at its first call.

    Fix: write `def on_epoch_end(self, epoch, logs=None)` and `def on_train_batch_end(self, batch, logs=None)`.
    """
    with temporary_cwd():
        callback = _made_or_not_applicable(case)
    for name in hooks_of(callback):
        hook = getattr(callback, name)
        try:
            signature = inspect.signature(hook)
        except (TypeError, ValueError):
            continue
        given, options = call_arguments(name, {})
        try:
            signature.bind(*given, **options)
        except TypeError as error:
            raise Failed(
                expected=f"`{name}{_wanted(name)}`",
                actual=f"`{name}{signature}`: {describe_error(error)}",
                lines=case.fit_lines(epochs=2, validation_data="(x, y)"),
                line=_line_of(hook),
            ) from None


def _made_or_not_applicable(case):
    try:
        return case.make()
    except Exception as error:
        raise NotApplicable(f"cannot be built: {describe_error(error)}") from None


def _wanted(name):
    return "(batch, logs=None)" if name in BATCH_HOOKS else "(epoch, logs=None)" if "epoch" in name else "(logs=None)"


def _meant(name):
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    usual = re.sub("(start|begins|started)$", "begin", re.sub("(ends|finish|finished|done|over)$", "end", name))
    near = difflib.get_close_matches(usual, HOOKS, n=1, cutoff=0.8)
    if near:
        return near[0]
    parts = usual.split("_")[1:]
    if len(parts) > 1 and parts[0] in _PARTS and parts[-1] in ("begin", "end"):
        return difflib.get_close_matches(usual, HOOKS, n=1, cutoff=0.0)[0]
    return None


def _called_names(cls):
    """Names of methods that the class or its bases call, or hand on, themselves."""
    found = set()
    for base in cls.__mro__[:-1]:
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        except (OSError, TypeError, SyntaxError):
            continue
        found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}
    return found


def _in_keras(cls, name):
    owner = next((base for base in cls.__mro__ if name in vars(base)), None)
    return owner is not None and owner.__module__.partition(".")[0] == "keras"


def _next_with_constructor(cls):
    """The class whose constructor a constructor of `cls` has to call; None if `cls` has none of its own."""
    if "__init__" not in vars(cls) or cls.__module__.partition(".")[0] == "keras":
        return None
    return next(base for base in cls.__mro__[1:] if "__init__" in vars(base))


def _made_by(base):
    """Names of attributes that a constructor sets, read from its source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(base.__init__)))
    except (OSError, TypeError, SyntaxError):
        return []
    return [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and getattr(node.value, "id", None) == "self"
    ]


def _has(made, name):
    return name in vars(made) or hasattr(type(made), name)


def _line_of(function):
    try:
        return inspect.getsourcelines(function)[1]
    except (OSError, TypeError):
        return None
