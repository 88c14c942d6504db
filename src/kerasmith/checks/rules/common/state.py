"""State of the class that instances write to."""

import ast

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import KINDS, check
from kerasmith.checks.harness.class_syntax import class_trees

_CHANGING = {
    "append",
    "extend",
    "insert",
    "update",
    "setdefault",
    "add",
    "pop",
    "popitem",
    "remove",
    "discard",
    "clear",
    "sort",
}
# What is meant to be shared says so.
_MEANT = ("cache", "registry", "registered", "instances", "lock", "memo")


@check("X110", KINDS, "warning", requires=("X100", "X103"), needs_inputs=False, since="0.1.0")
def instances_share_nothing(case: Case) -> None:
    """Instances write into a list or dict of the class.

    A list or dict in the class body belongs to the class: each instance reads and writes the same one. The last instance that
    was made decides the numbers of all, and what one run has collected shows up in the next.

    Fix: make it in the constructor, `self.losses = []`.
    """
    if case.subject.is_function:
        raise NotApplicable("a function has no instances")
    first, second = case.make(), case.make()
    trees = class_trees(case.subject.cls)
    for owner, _ in trees:
        for name, value in vars(owner).items():
            if (
                not isinstance(value, (list, dict, set))
                or name.startswith("__")
                or any(part in name.lower() for part in _MEANT)
            ):
                continue
            line = next((line for _, other in trees for line in _writes(other, name)), None)
            if line is None or getattr(first, name, None) is not getattr(second, name, None):
                continue
            raise Failed(
                f"each {case.kind} has its own {name}",
                f"{owner.__name__}.{name} belongs to the class, and a method changes it",
                [f"other = type({case.kind})({_init_text(case)})", f"print(other.{name} is {case.kind}.{name})"],
            )


def _writes(tree, name):
    """Lines of methods that change `self.NAME` in place; none if a method makes it the instance's own."""
    nodes = [
        node for node in ast.walk(tree) if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Call, ast.Delete))
    ]
    for node in nodes:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and any(_is_own(target, name) for target in _targets(node)):
            return []
    lines = []
    for node in nodes:
        if isinstance(node, ast.Call):
            changed = isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING and _is_own(node.func.value, name)
        else:
            changed = any(isinstance(target, ast.Subscript) and _is_own(target.value, name) for target in _targets(node))
        if changed:
            lines.append(node.lineno)
    return lines


def _targets(node):
    if isinstance(node, (ast.Assign, ast.Delete)):
        return [part for target in node.targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return [node.target]


def _is_own(node, name):
    return (
        isinstance(node, ast.Attribute)
        and node.attr == name
        and isinstance(node.value, ast.Name)
        and node.value.id in ("self", "cls")
    )


def _init_text(case):
    return ", ".join(f"{name}={value!r}" for name, value in case.subject.init.items())
