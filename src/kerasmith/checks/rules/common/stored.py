"""Arguments of a constructor that are stored, and then looked at by nothing but the config."""

import ast
import inspect
import sys
from collections.abc import Iterator
from typing import Any

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import KINDS, check
from kerasmith.checks.harness.class_syntax import class_trees, method
from kerasmith.checks.rules.common.arguments import own_arguments

# Methods that write an argument down again: nothing is computed with it there.
_RECORDS = ("get_config", "from_config", "state_dict", "load_state_dict", "__repr__", "__init__")
# Attributes that Keras reads: of an RNN's cell, of a layer.
_READ_BY_KERAS = ("state_size", "output_size", "supports_masking", "stateful", "input_spec", "monitor", "name")
_CONVERSIONS = (
    "float",
    "int",
    "bool",
    "str",
    "tuple",
    "list",
    "dict",
    "set",
    "abs",
    "max",
    "min",
    "asarray",
    "array",
    "deepcopy",
)
# What a user gives to change the numbers, and never to be read back.
_MEANT = ("from_logits", "seed", "threshold")


@check("X113", KINDS, "warning", requires=("base",), since="0.2.0")
def stored_arguments_are_read(case: Case) -> None:
    """An argument is stored and never used.

    `self.from_logits = from_logits`, and no method asks for it: whatever the user gives, the numbers are the same. A seed that
    no generator gets repeats nothing, logits are compared with a threshold for probabilities.

    Fix: use the attribute where it is meant to count, `if self.from_logits: y_pred = ops.sigmoid(y_pred)`,
    `keras.random.SeedGenerator(self.seed)`, or remove the argument. What only other code reads may stay.
    """
    if case.subject.is_function:
        raise NotApplicable("a function has no constructor")
    for argument in own_arguments(case.subject.cls):
        if argument.name.startswith("_"):
            continue
        found = _stored_only(case.subject.cls, argument.owner, argument.name)
        if found is None:
            continue
        attribute, line = found
        raise Failed(
            f"`{argument.name}` changes something",
            f"`self.{attribute}` is set by the constructor, and no method but the config reads it",
            [
                "import ast, inspect, textwrap",
                f"tree = ast.parse(textwrap.dedent(inspect.getsource(type({case.kind}))))",
                "methods = [m for m in ast.walk(tree) if isinstance(m, ast.FunctionDef)]",
                f"reads = lambda m: any(getattr(n, 'attr', '') == {attribute!r} for n in ast.walk(m))",
                f"print([m.name for m in methods if reads(m)])  # who speaks of self.{attribute}",
            ],
            line=line,
            fix=f"Use `self.{attribute}` in the method that it is meant for, or remove the argument `{argument.name}`. "
            "What only other code reads may stay.",
            severity="error" if argument.name in _MEANT else None,
        )


def _stored_only(cls: type[Any], owner: type[Any], name: str) -> tuple[str, int | None] | None:
    """(attribute, line of the file) of an argument that its constructor stores and nothing reads; None if it is used."""
    trees = dict(class_trees(cls))
    if owner not in trees:
        return None
    init = method(trees[owner], "__init__")
    if init is None or any(isinstance(node, ast.Name) and node.id in ("locals", "vars") for node in ast.walk(init)):
        return None
    stored: dict[str, int] = {}
    if not _only_stores(init, name, stored) or not stored:
        return None
    if any(attribute in _READ_BY_KERAS or _is_read(cls, trees, attribute) for attribute in stored):
        return None
    attribute, line = next(iter(stored.items()))
    return attribute, _file_line(owner, line)


def _only_stores(init: ast.FunctionDef, name: str, stored: dict[str, int]) -> bool:
    """Whether every statement that mentions an argument stores it or refuses a value of it; fills {attribute: line}."""
    for statement in init.body:
        if not any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(statement)):
            continue
        if isinstance(statement, (ast.Assert, ast.Raise)) or _refuses(statement):
            continue
        pairs = list(_stores(statement))
        mine = [(target, value) for target, value in pairs if _mentions(value, name)]
        if not mine or not all(_is_self_attribute(target) and _is_plain(value) for target, value in mine):
            return False
        stored |= {target.attr: statement.lineno for target, _ in mine}
    return True


def _stores(statement: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    """(target, value) of an assignment, taken apart where both sides are tuples."""
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        yield statement.target, statement.value
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
                yield from zip(target.elts, statement.value.elts)
            else:
                yield target, statement.value


def _refuses(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and all(isinstance(part, ast.Raise) for part in [*statement.body, *statement.orelse])


def _mentions(value: ast.expr, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))


def _is_self_attribute(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _is_plain(value: ast.expr) -> bool:
    """Whether a value is the argument, or it in another form: no object that may compute with it is made."""
    calls = [node.func for node in ast.walk(value) if isinstance(node, ast.Call)]
    return all((getattr(call, "id", None) or getattr(call, "attr", "")) in _CONVERSIONS for call in calls)


def _is_read(cls: type[Any], trees: dict[type[Any], ast.ClassDef], attribute: str) -> bool:
    for owner, tree in trees.items():
        for part in tree.body:
            if isinstance(part, ast.FunctionDef) and part.name in _RECORDS and part.name != "__init__":
                continue
            if any(_reads(node, attribute) for node in ast.walk(part)):
                return True
        if _reads_elsewhere(owner, tree.name, attribute):
            return True
    return any(_library_reads(base, attribute) for base in cls.__mro__ if base not in trees and base is not object)


def _reads(node: ast.AST, attribute: str) -> bool:
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        return node.attr == attribute or node.attr == "__dict__"
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("vars", "getattr"):
        return len(node.args) < 2 or not isinstance(node.args[1], ast.Constant) or node.args[1].value == attribute
    return False


def _reads_elsewhere(owner: type[Any], name: str, attribute: str) -> bool:
    """Whether the rest of the class' file speaks of `.attribute`: a helper may be given the component."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[owner.__module__]))
    except (OSError, TypeError, SyntaxError, KeyError):
        return False
    rest = [part for part in tree.body if isinstance(part, (ast.FunctionDef, ast.Expr, ast.Assign))]
    return any(_reads(node, attribute) for part in rest for node in ast.walk(part))


def _library_reads(base: type[Any], attribute: str) -> bool:
    try:
        return f"self.{attribute}" in inspect.getsource(base)
    except (OSError, TypeError):
        return False


def _file_line(owner: type[Any], line: int) -> int | None:
    try:
        return inspect.getsourcelines(owner)[1] + line - 1
    except (OSError, TypeError):
        return None
