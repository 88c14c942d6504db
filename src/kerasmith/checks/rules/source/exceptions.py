"""Exceptions that swallow what a derivative has to say."""

import ast

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.registry import KINDS, check
from kerasmith.checks.rules.source.syntax import report, syntax_of

_DERIVATIVES = {
    "GradientTape",
    "gradient",
    "gradients",
    "jacobian",
    "batch_jacobian",
    "grad",
    "value_and_grad",
    "vjp",
    "jvp",
    "jacrev",
    "jacfwd",
    "backward",
}


@check("S104", (*KINDS, "source"), "warning", requires=(), needs_inputs=False, since="0.1.0")
def exceptions_hide_a_derivative(case: Case) -> None:
    """Whatever goes wrong with a derivative is replaced by a constant.

    `except:` around a tape also catches the gradient that is None because the inputs are not watched. The term is then zero,
    the training goes on without it, and nothing tells.

    Fix: catch nothing there, or the one exception that you expect by its name.
    """
    syntax = syntax_of(case)
    places = set()
    for node in syntax.walk():
        if not isinstance(node, ast.Try) or not _mentions_derivative(node.body):
            continue
        for handler in node.handlers:
            if _is_broad(handler.type) and _gives_constant(handler.body):
                places.add((handler.lineno, syntax.line(handler.lineno)))
    report(case, syntax, places, "an exception of the derivative is seen")


def _mentions_derivative(body):
    names = {getattr(node, "attr", getattr(node, "id", None)) for part in body for node in ast.walk(part)}
    return bool(names & _DERIVATIVES)


def _is_broad(kind):
    return kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))


def _gives_constant(body):
    """Whether a handler ends in a constant, an array of zeros, or nothing at all."""
    if any(isinstance(node, ast.Raise) for part in body for node in ast.walk(part)):
        return False
    last = body[-1]
    if isinstance(last, (ast.Pass, ast.Continue)):
        return True
    value = last.value if isinstance(last, (ast.Return, ast.Assign, ast.Expr)) else last
    if isinstance(value, ast.UnaryOp):
        value = value.operand
    if isinstance(value, ast.Call):
        return getattr(value.func, "attr", getattr(value.func, "id", "")) in (
            "zeros",
            "zeros_like",
            "ones",
            "constant",
            "print",
        )
    return value is None or isinstance(value, ast.Constant)
