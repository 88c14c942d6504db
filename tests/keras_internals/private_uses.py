"""Finds, in source code, uses of what Keras or a backend keeps private."""

import ast
from pathlib import Path

# Named tuples, whose methods are public, Python's own import system, and the end of a process.
_NOT_OF_KERAS = {"_replace", "_asdict", "_fields", "_make", "_field_defaults", "_initializing", "_exit"}
_READERS = ("getattr", "hasattr", "setattr", "delattr")


def private_uses(sources: dict[Path, str]) -> list[str]:
    """ "file:line: what" of each use of `keras.src`, of another thread's or caller's frames, and of a private name that no
    class of these sources gives itself.

    Args:
        sources: {path: source code} of all files of the package.
    """
    trees = {path: ast.parse(text) for path, text in sources.items()}
    own = {name for tree in trees.values() for name in _own_names(tree)} | _NOT_OF_KERAS
    return [f"{path}:{line}: {what}" for path, tree in trees.items() for line, what in _uses(tree, own)]


def _own_names(tree: ast.Module):
    """Private names that the code itself defines: methods, class attributes, modules' functions, attributes of self."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "object.__setattr__" and _is_self(node.args[0]):
            yield getattr(node.args[1], "value", "")


def _uses(tree: ast.Module, own: set[str]):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            if any(_is_private_module(name) for name in names):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if "keras.src" in node.value:
                yield node.lineno, "keras.src in a text"
        elif isinstance(node, ast.Attribute):
            if _is_private(node.attr) and node.attr not in own:
                yield node.lineno, ast.unparse(node)
            if ast.unparse(node) == "keras.src":
                yield node.lineno, "keras.src"
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in _READERS and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                name = str(node.args[1].value)
                if _is_private(name) and name not in own:
                    yield node.lineno, ast.unparse(node)
            if called in ("object.__setattr__", "object.__delattr__") and not _is_self(node.args[0]):
                yield node.lineno, ast.unparse(node)
            if called == "inspect.currentframe":
                yield node.lineno, called


def _is_private_module(name: str) -> bool:
    if name.startswith("kerasmith"):
        return False
    return name.startswith(("keras.src", "tensorflow.python", "jax._src")) or "._" in name


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and len(name) > 1


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls", "instance")
