"""Functions of one backend where every backend is promised."""

import ast

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.registry import KINDS, check
from kerasmith.checks.rules.source.syntax import Syntax, report, syntax_of

# What a training step runs.
STEP_METHODS = {"call", "__call__", "update_state", "result", "compute_mask", "build", "reset_state"}
_LIBRARIES = ("tensorflow", "torch", "jax")
_ASKS = ("keras.backend.backend", "keras.config.backend")


@check("S102", (*KINDS, "source"), "note", requires=(), needs_inputs=False, since="0.1.0")
def functions_of_one_backend(case: Case) -> None:
    """`call`, `update_state` or a loss function uses TensorFlow, PyTorch or JAX directly.

    It runs on that backend alone: with another `KERAS_BACKEND` the tensors are of another library, and the call raises.

    Fix: `keras.ops` has the functions of NumPy and of neural networks for all three; where it does not, ask
    `keras.config.backend()`.
    """
    syntax = syntax_of(case)
    if any(syntax.dotted(node) in _ASKS for node in ast.walk(syntax.module) if isinstance(node, (ast.Attribute, ast.Name))):
        return  # It knows that there are several.
    places = set()
    for function in step_functions(syntax):
        for node in ast.walk(function):
            full = syntax.dotted(node) if isinstance(node, ast.Attribute) else ""
            if full.partition(".")[0] in _LIBRARIES and not full.startswith("tensorflow.keras") and full.count("."):
                places.add((node.lineno, full))
    outermost = {
        (line, name)
        for line, name in places
        if not any(line == other and more.startswith(name + ".") for other, more in places)
    }
    report(case, syntax, outermost, "functions of keras.ops")


def step_functions(syntax: Syntax) -> list[ast.AST]:
    """The methods of Keras' classes that a step runs, and functions of (y_true, y_pred)."""
    found = []
    for tree in syntax.classes():
        if tree is syntax.root or syntax.is_of_keras(tree):
            found += [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in STEP_METHODS]
    for function in syntax.functions():
        names = [argument.arg for argument in function.args.args[:2]]
        if function is syntax.root or names == ["y_true", "y_pred"]:
            found.append(function)
    return found
