"""The line of a component that a finding is about: where its exception was raised, or the call that causes such a fault."""

import ast
import textwrap
import traceback
from collections.abc import Callable
from typing import Any

_CUTS = ("argmax", "argmin", "round", "floor", "ceil", "sign", "greater", "greater_equal", "less", "equal", "stop_gradient")
_MEANS = ("mean", "sum", "max", "min", "reduce_mean", "reduce_sum", "reduce_max", "std", "var")
_INFINITE = ("sqrt", "norm", "power", "pow", "rsqrt", "arccos", "log")


def _call(node: ast.AST) -> str:
    """The last name of what is called; "" for anything but a call."""
    return getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""


def _cuts_the_gradient(node: ast.AST) -> bool:
    if _call(node) == "cast":
        return any(
            isinstance(part, ast.Constant) and str(part.value).startswith(("int", "bool", "uint")) for part in ast.walk(node)
        )
    return _call(node) in (*_CUTS, "numpy", "convert_to_numpy")


def _reduces_everything(node: ast.AST) -> bool:
    if _call(node) not in _MEANS:
        return False
    axes = [keyword.value for keyword in node.keywords if keyword.arg == "axis"] + node.args[1:2]
    return not axes or (isinstance(axes[0], ast.Constant) and axes[0].value is None)


def _mixes_samples(node: ast.AST) -> bool:
    axes = [keyword.value for keyword in getattr(node, "keywords", ()) if keyword.arg == "axis"] if _call(node) else []
    names = [part.value for axis in axes for part in ast.walk(axis) if isinstance(part, ast.Constant)]
    return 0 in names or _reduces_everything(node)


_SEEN: dict[str, Callable[[ast.AST], bool]] = {
    "L104": _reduces_everything,
    "L108": lambda node: (
        _call(node) in ("log", "log2", "log10", "exp", "divide") or isinstance(getattr(node, "op", None), ast.Div)
    ),
    "L110": _cuts_the_gradient,
    "L112": lambda node: _call(node) in _INFINITE,
    "L119": _mixes_samples,
    "L122": lambda node: _call(node) in ("sigmoid", "softmax"),
    "M117": lambda node: _call(node) == "add_weight",
    "Y104": lambda node: _call(node) in ("dropout", "normal", "uniform", "assign", "assign_add"),
    "Y106": _mixes_samples,
    "Y114": _cuts_the_gradient,
    "Y122": lambda node: _call(node) in _INFINITE,
}
# Where such a call stands: what prepares or describes a component causes nothing.
_SKIPPED = ("__init__", "build", "get_config", "from_config", "compute_output_shape")


def line_of_cause(subject: Any, id: str, error: BaseException | None) -> int | None:
    """The line of `subject.file` that a finding is about, None where only the component is known.

    Args:
        subject: a `Subject`.
        id: of the check.
        error: what the component raised, None if it did not.
    """
    if error is not None and subject.file is not None:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == subject.file]
        if lines:
            return lines[-1]
    seen = _SEEN.get(id)
    if seen is None:
        return None
    try:
        text, first = subject.source()
        tree = ast.parse(textwrap.dedent(text)).body[0]
    except Exception:  # no source, or a lambda in the middle of a line
        return None
    methods = [part for part in getattr(tree, "body", ()) if not (isinstance(part, ast.FunctionDef) and part.name in _SKIPPED)]
    for part in methods:
        found = sorted(node.lineno for node in ast.walk(part) if seen(node))
        if found:
            return first + found[0] - 1
    return None
