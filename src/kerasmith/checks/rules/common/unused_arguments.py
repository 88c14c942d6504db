"""Arguments of a constructor that nothing reads."""

import ast

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.class_source import class_trees, method
from kerasmith.checks.rules.common.arguments import own_arguments, variations
from kerasmith.checks.rules.common.reproducers import run_text


@check("X111", ("loss", "metric", "layer"), "error", requires=("base", "X102"), since="0.1.0")
def arguments_are_used(case):
    """An argument of the constructor is never read.

    It is taken, and neither stored nor handed on: whatever the user gives, the component computes with something else, usually
    a constant that is written in its methods.

    Fix: keep it, `self.threshold = threshold`, use `self.threshold` where the constant stands, and put it into `get_config`.
    Or remove the argument.
    """
    if case.subject.is_function:
        raise NotApplicable("a function has no constructor")
    unread = [name for owner, tree in class_trees(case.subject.cls) for name in _unread(tree)]
    unread = [argument.name for argument in own_arguments(case.subject.cls) if argument.name in unread]
    if not unread:
        return
    tried = {one.argument.name: one for one in variations(case)}
    for name in unread:
        one = tried.get(name)
        if one is not None and (one.shows or one.kept):
            continue
        setting = f"{name}={'...' if one is None else repr(one.value)}"
        raise Failed(
            f"{setting} changes something",
            f"the constructor never reads `{name}`" + ("" if one is None else ", and the numbers stay the same"),
            _lines(case, one),
            severity="warning" if one is None else None,
        )


def _lines(case, one):
    if one is None:
        return []
    given = ", ".join(f"{key}={value!r}" for key, value in {**case.subject.init, one.argument.name: one.value}.items())
    return [f"other = type({case.kind})({given})", f"print({run_text(case, case.kind)})", f"print({run_text(case, 'other')})"]


def _unread(tree):
    """Names of arguments that `__init__` takes and never mentions again."""
    init = method(tree, "__init__")
    if init is None:
        return []
    arguments = [argument.arg for argument in [*init.args.args[1:], *init.args.kwonlyargs]]
    mentioned = {node.id for part in init.body for node in ast.walk(part) if isinstance(node, ast.Name)}
    if "locals" in mentioned:
        return []
    return [name for name in arguments if name not in mentioned and not name.startswith("_")]
