"""Comparisons of versions as text."""

import ast

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.registry import KINDS, check
from kerasmith.checks.rules.source.syntax import report, syntax_of

_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_OF_TEXT = {"split", "rsplit", "strip", "lstrip", "rstrip", "join", "replace", "partition"}


@check("S103", (*KINDS, "source"), "warning", requires=(), needs_inputs=False, since="0.1.0")
def versions_compared_as_text(case: Case) -> None:
    """A version is compared as text, or as a decimal number.

    Text is compared letter by letter: "3.10" < "3.9" and "2.21.0" < "2.6.0". `float("3.10")` is 3.1. The branch for old
    versions is taken on a new one, silently.

    Fix: `from packaging.version import Version; Version(keras.__version__) >= Version("3.9")`, or compare tuples of integers.
    """
    syntax = syntax_of(case)
    held = _variables(syntax)
    places = set()
    for node in syntax.walk():
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        for left, operator, right in zip(sides, node.ops, sides[1:]):
            if isinstance(operator, _ORDER) and (
                _is_version_text(left, syntax, held) or _is_version_text(right, syntax, held)
            ):
                places.add((node.lineno, ast.unparse(node)))
    report(case, syntax, places, "versions compared as numbers")


def _variables(syntax):
    """Names that are assigned once in the file, namely a version as text."""
    assigned = {}
    for node in ast.walk(syntax.module):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            assigned.setdefault(node.targets[0].id, []).append(node.value)
    return {name for name, values in assigned.items() if len(values) == 1 and _is_version_text(values[0], syntax, set())}


def _is_version_text(node, syntax, held):
    """Whether an expression is a version that is still text, a part of it, or a decimal number made of it."""
    if isinstance(node, ast.Attribute):
        return node.attr == "__version__" or syntax.dotted(node) == "sys.version"
    if isinstance(node, ast.Name):
        return node.id in held or syntax.names.get(node.id, "").endswith(".__version__")
    if isinstance(node, ast.Subscript):
        return _is_version_text(node.value, syntax, held)
    if not isinstance(node, ast.Call):
        return False
    if syntax.dotted(node.func) in ("importlib.metadata.version", "importlib_metadata.version", "platform.python_version"):
        return True
    if isinstance(node.func, ast.Name) and node.func.id in ("float", "str"):
        return any(_is_version_text(part, syntax, held) for part in node.args)
    if isinstance(node.func, ast.Attribute) and node.func.attr in _OF_TEXT:
        return any(_is_version_text(part, syntax, held) for part in (node.func.value, *node.args))
    return False
