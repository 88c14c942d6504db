"""What a file says of a part before anything is imported: its constructor's arguments, and whether it trains on import.

Starting Keras takes many seconds; a forgotten argument is told before that. What cannot be read for certain is left to the
worker, which has the class itself.
"""

import ast
import pathlib
from collections.abc import Iterator
from typing import Any

from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.engine.target import FIRST, source_file, split

_TRAINS = ("fit", "fit_generator", "train_on_batch")
# What keeps a function of points from being taken for a loss with the wrong number of arguments.
_FIELDS = ("f", "field")
_IN_A_TRAINING = "It is asked together with the model that trains with it: `kerasmith check train.py`, or check(model, x, y)."
_BY_ITS_LAYER = (
    "Ask a layer that is made with it: a function without arguments that returns one, `kerasmith check part.py:make`."
)
# Bases of classes that are no parts: what they are, and what asks about them.
_ELSEWHERE = {
    **dict.fromkeys(("PyDataset", "Sequence"), ("a data set", _IN_A_TRAINING)),
    "LearningRateSchedule": ("a learning-rate schedule", _IN_A_TRAINING),
    "Optimizer": ("an optimizer", _IN_A_TRAINING),
    "Regularizer": ("a regularizer", _BY_ITS_LAYER),
    "Constraint": ("a constraint", _BY_ITS_LAYER),
    "Initializer": ("an initializer", _BY_ITS_LAYER),
}
_UNREADABLE = ("__new__", "__signature__")


def look_at_signature(target: str, init: Any = None, kind: str | None = None) -> None:
    """Refuses a part that its file shows to be missing, or to need other arguments than `init` gives.

    Args:
        target: `path.py:Name` or `package.module:Name`; a whole file is not looked at.
        init: the constructor arguments, or None.
        kind: as `kerasmith.check` takes it.

    Raises:
        CannotCheck: with what the constructor takes and what to write.
    """
    place, name = split(target)
    if isinstance(init, str):
        _look_at_factory(init)
    tree = _tree(place)
    if tree is None or name is None or "." in name:
        return
    definitions = {node.name: node for node in top_level(tree) if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    node = definitions.get(name)
    if node is None:
        if name not in _bound(tree):
            names = ", ".join(one for one in definitions if not one.startswith("_")) or "no class and no function"
            raise CannotCheck(f"{place} has no {name!r}; it has {names}. Received: {target!r}")
        value = _written_value(tree, name)
        if value is not None:
            raise CannotCheck(f"{name} in {place} is {value}, and no loss, metric, callback, layer or function of one.")
        return
    if isinstance(node, ast.ClassDef):
        _refuse_other_kinds(node, definitions)
        if init is None or isinstance(init, dict):
            _look_at_class(node, definitions, init or {})
    elif not node.decorator_list and kind is None:
        _look_at_function(node)


def _look_at_factory(factory: str) -> None:
    """Refuses a factory that its file shows to be missing, or to need arguments.

    Raises:
        CannotCheck: with what to write.
    """
    place, name = split(factory)
    tree = _tree(place)
    if tree is None or name is None:
        if place.endswith(".py") and not pathlib.Path(place).is_file():
            raise CannotCheck(f"There is no file {place!r}. --init takes path.py:make. Received: {factory!r}")
        return
    if name not in _bound(tree):
        raise CannotCheck(f"{place} has no {name!r}, which --init names. Received: {factory!r}")
    node = next((one for one in top_level(tree) if isinstance(one, ast.FunctionDef) and one.name == name), None)
    if node is None or node.decorator_list:
        return
    positional = [*node.args.posonlyargs, *node.args.args]
    required = [one.arg for one in positional[: len(positional) - len(node.args.defaults)]]
    required += [one.arg for one, default in zip(node.args.kwonlyargs, node.args.kw_defaults) if default is None]
    if required:
        raise CannotCheck(
            f"{name}({', '.join(required)}) needs arguments: --init takes a function without any that returns the part. "
            f"Received: {factory!r}"
        )


def _written_value(tree: ast.Module, name: str) -> str | None:
    """The number, text, list or dict that a file binds to a name, as it is written; None for anything else."""
    values = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and name in [getattr(one, "id", None) for one in _targets(node)]
    ]
    literals = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set)
    return ast.unparse(values[0])[:60] if len(values) == 1 and isinstance(values[0], literals) else None


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _refuse_other_kinds(node: ast.ClassDef, definitions: dict[str, Any]) -> None:
    """Says of a class whose base shows that it is no part what asks about it instead."""
    name, seen = node.name, set()
    while node.name not in seen and len(node.bases) == 1:
        seen.add(node.name)
        base = ast.unparse(node.bases[0]).rpartition(".")[2]
        if base in _ELSEWHERE:
            what, instead = _ELSEWHERE[base]
            raise CannotCheck(f"{name} is {what}, and no loss, metric, callback or layer. {instead}")
        found = definitions.get(base)
        if not isinstance(found, ast.ClassDef):
            return
        node = found


def training_on_import(target: str) -> str | None:
    """`losses.py:40 model.fit(...)`: what a file trains while it is imported, None if nothing is seen."""
    place, _ = split(target)
    for node in top_level(_tree(place) or ast.Module([], [])):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _TRAINS:
                owner = ast.unparse(call.func.value)
                if "model" in owner.lower() or any(one.arg in ("epochs", "callbacks", "batch_size") for one in call.keywords):
                    return f"{place}:{call.lineno} {owner}.{call.func.attr}(...)"
    return None


def missing_text(name: str, missing: list[str], init: dict[str, Any]) -> str:
    """What to say of constructor arguments that are not given."""
    example = ", ".join(f'"{one}": ...' for one in missing)
    return (
        f"{name} needs {', '.join(missing)} to be built. Write --init '{{{example}}}' on the command line, "
        f"init={{{example}}} in Python. Received: init={init}"
    )


def _look_at_class(node: ast.ClassDef, definitions: dict[str, Any], init: dict[str, Any]) -> None:
    name, arguments = node.name, None
    seen = set()
    while arguments is None:
        if node.name in seen or any(not _is_registration(one) for one in node.decorator_list) or node.keywords:
            return
        seen.add(node.name)
        methods = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
        if any(one in methods for one in _UNREADABLE):
            return
        if "__init__" in methods:
            if methods["__init__"].decorator_list:
                return
            arguments = methods["__init__"].args
            break
        bases = [definitions.get(base.id) for base in node.bases if isinstance(base, ast.Name)]
        if len(node.bases) != 1 or not bases or not isinstance(bases[0], ast.ClassDef):
            return
        node = bases[0]
    positional = [*arguments.posonlyargs, *arguments.args][1:]
    optional = len(arguments.defaults)
    required = [one.arg for one in positional[: max(0, len(positional) - optional)]]
    required += [one.arg for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults) if default is None]
    names = [one.arg for one in [*positional, *arguments.kwonlyargs]]
    missing = [one for one in required if one not in init]
    if missing:
        raise CannotCheck(missing_text(name, missing, init))
    unknown = [one for one in init if one not in names]
    if unknown and arguments.kwarg is None:
        raise CannotCheck(
            f"{name} has no argument {', '.join(unknown)}; it has {', '.join(names) or 'none'}. Received: init={init}"
        )


def _look_at_function(node: ast.FunctionDef) -> None:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    reads_field = any(isinstance(part, ast.Attribute) and part.attr == "d" for part in ast.walk(node))
    if arguments.vararg or not positional or positional[0].arg in _FIELDS or reads_field or positional[0].annotation:
        return
    # One without a required argument may be a factory.
    if required > 2 or (0 < required < 2 and len(positional) < 2):
        raise CannotCheck(
            f"A loss or metric function takes (y_true, y_pred). Received: {node.name}({ast.unparse(arguments)}). "
            "Name a function without arguments that returns the one to check."
        )


def _tree(place: str) -> ast.Module | None:
    file = source_file(place)
    return None if file is None else syntax_tree(file, place)


def syntax_tree(file: str, place: str) -> ast.Module | None:
    """The syntax tree of a file, None if it cannot be read.

    Args:
        file: its path.
        place: as the user named it.

    Raises:
        CannotCheck: if it is no Python.
    """
    try:
        return ast.parse(pathlib.Path(file).read_bytes())
    except SyntaxError as error:
        raise CannotCheck(f"{place} is no Python: line {error.lineno}: {error.msg}") from None
    except (OSError, ValueError):
        return None


def top_level(tree: ast.Module, run: bool = False) -> Iterator[ast.AST]:
    """The statements that run on import; with `run` also those under `if __name__ == "__main__":`."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            waiting = [*(node.body if run else ()), *node.orelse, *waiting]
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            inner = [*node.body, *getattr(node, "orelse", ()), *getattr(node, "finalbody", ())]
            inner += [part for handler in getattr(node, "handlers", ()) for part in handler.body]
            waiting = inner + waiting
        else:
            yield node


def _bound(tree: ast.Module) -> "set[str] | _Everything":
    """Names that a module may have; everything where it makes names that cannot be read."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            if any(one.name == "*" for one in node.names):
                return _Everything()
            names |= {(one.asname or one.name).partition(".")[0] for one in node.names}
        elif (isinstance(node, ast.FunctionDef) and node.name == "__getattr__") or (
            isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("globals", "exec", "setattr")
        ):
            return _Everything()
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
    return names


class _Everything:
    def __contains__(self, name: object) -> bool:
        return True


def _is_registration(decorator: ast.expr) -> bool:
    return "serializable" in ast.unparse(decorator) or "export" in ast.unparse(decorator)


def has_parts(file: pathlib.Path) -> bool:
    """Whether a file defines what may be a part: a class with a base, or a function that begins with labels."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, ValueError, SyntaxError):
        return False
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.bases and not node.name.startswith("_"):
            return True
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            names = [one.arg for one in node.args.args]
            if len(names) - len(node.args.defaults) == 2 and names[0] in FIRST:
                return True
    return False
