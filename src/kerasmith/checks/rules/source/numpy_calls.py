"""NumPy on the tensors of a training step."""

import ast

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.source.backends import step_functions
from kerasmith.checks.rules.source.syntax import report, syntax_of

# What is known without the values: NumPy on these is right.
_STATIC = {"shape", "ndim", "dtype", "rank", "get_shape"}
_STATIC_CALLS = {"len", "isinstance", "type", "hasattr", "callable", "id"}
_NO_TENSORS = {"self", "cls", "training", "mask", "name", "input_shape", "axis"}
_OUTSIDE = {"call_on_host", "py_function", "numpy_function", "pure_callback", "io_callback", "callback"}


@check("S105", ("loss", "metric", "layer", "source"), "warning", requires=(), needs_inputs=False, since="0.1.0")
def numpy_on_tensors(case: Case) -> None:
    """`call`, `update_state` or a loss function gives tensors to NumPy.

    NumPy wants the values. In a compiled step there are none yet: TensorFlow and JAX raise. Where it works, it is slow (the
    values leave the device) and no gradient passes through.

    Fix: the function of the same name in `keras.ops`. NumPy on shapes and constants is fine.
    """
    syntax = syntax_of(case)
    places = set()
    for function in step_functions(syntax):
        if function.name in ("build", "reset_state", "compute_mask"):
            continue
        places |= set(_of_function(function, syntax))
    report(case, syntax, places, "keras.ops on tensors")


def _of_function(function, syntax):
    arguments = [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]
    tainted = {name for name in arguments if name not in _NO_TENSORS}
    if function.name not in ("call", "__call__", "update_state", "result"):
        tainted = set(arguments[:2])
    for statement in _statements(function.body):
        for node in _expressions(statement):
            found = _numpy_on(node, tainted, syntax)
            if found:
                yield node.lineno, found
        if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
            if _depends(statement.value, tainted):
                tainted |= names
            elif not isinstance(statement, ast.AugAssign):
                tainted -= names


def _statements(body):
    """The statements of a body in order, inner ones after the one that holds them; not those of inner functions."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        yield statement
        for field in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, field, []))
        for handler in getattr(statement, "handlers", []):
            yield from _statements(handler.body)


def _expressions(statement):
    """The calls of a statement itself, outermost first; nothing that runs on the host on purpose."""
    left = [value for name, value in ast.iter_fields(statement) if name not in ("body", "orelse", "finalbody", "handlers")]
    while left:
        node = left.pop(0)
        if isinstance(node, list):
            left = node + left
        elif isinstance(node, ast.AST):
            if isinstance(node, ast.Lambda):
                continue
            if isinstance(node, ast.Call):
                if getattr(node.func, "attr", getattr(node.func, "id", "")) in _OUTSIDE:
                    continue
                yield node
            left = list(ast.iter_child_nodes(node)) + left


def _numpy_on(call, tainted, syntax):
    full = syntax.dotted(call.func)
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if full.startswith("numpy.") and not full.startswith("numpy.random.") and any(_depends(part, tainted) for part in given):
        return f"np.{full.partition('.')[2]} of {', '.join(sorted(_names(call, tainted)))}"
    if (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "numpy"
        and not call.args
        and _depends(call.func.value, tainted)
    ):
        return ast.unparse(call)
    return None


def _names(node, tainted):
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and part.id in tainted}


def _depends(node, tainted):
    """Whether the value of an expression depends on values of tensors, and not only on their shapes."""
    if isinstance(node, ast.Name):
        return node.id in tainted
    if isinstance(node, ast.Attribute) and node.attr in _STATIC:
        return False
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in _STATIC_CALLS or name in _STATIC:
            return False
    if isinstance(node, (ast.Lambda, ast.Constant)):
        return False
    if isinstance(node, ast.Compare) and all(isinstance(operator, (ast.Is, ast.IsNot)) for operator in node.ops):
        return False
    return any(_depends(part, tainted) for part in ast.iter_child_nodes(node))
