"""A loss is called once for each output of a model."""

import ast
import inspect
import textwrap

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.class_syntax import class_trees, method
from kerasmith.checks.rules.losses.case import LossCase


@check("L135", "loss", "error", requires=("X103", "X100"), needs_inputs=False, since="0.2.0")
def takes_one_output(case: LossCase) -> None:
    """The loss is written for a list or dict of outputs.

    Keras calls a loss once for each output of the model, with the labels and the predictions of that output alone. What takes
    `y_pred` apart, `box, classes = y_pred`, takes the samples of a batch apart: it fails, or, for a batch of two, computes
    something else.

    Fix: give `compile` a loss for each output, `loss=[box_loss, class_loss]`; where one number needs several outputs, use
    `kerasmith.objectives.Objective`, or `add_loss` in a layer that sees them all.
    """
    if case.declared is not None and any(isinstance(part, (dict, list)) for part in dict(case.declared).values()):
        raise NotApplicable("several outputs are declared")
    function, first = _function(case)
    names = [argument.arg for argument in function.args.args if argument.arg != "self"]
    if len(names) < 2:
        raise NotApplicable("its arguments cannot be read")
    for node in ast.walk(function):
        what = _taken_apart(node, names[1])
        if what is not None:
            raise Failed(
                f"`{names[1]}` is one tensor: the predictions of one output",
                f"`{what}` takes it for several outputs",
                [
                    "y = keras.ops.ones((4, 3))  # what fit gives for one output",
                    f"try: print(loss{'' if case.subject.is_function else '.call'}(y, y))",
                    "except Exception as error: print(type(error).__name__, error)",
                ],
                line=first + node.lineno - 1,
            )


def _function(case):
    """(tree, first line) of the function, or of the method `call`."""
    if case.subject.is_function:
        try:
            lines, first = inspect.getsourcelines(case.subject.component)
            tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
        except (OSError, TypeError, SyntaxError):
            raise NotApplicable("its source cannot be read") from None
        if not isinstance(tree, ast.FunctionDef):
            raise NotApplicable("it is no plain function")
        return tree, first
    for owner, tree in class_trees(case.subject.cls):
        found = method(tree, "call")
        if found is not None:
            return found, inspect.getsourcelines(owner)[1]
    raise NotApplicable("`call` cannot be read")


def _taken_apart(node: ast.AST, name: str) -> str | None:
    """The text of a statement that takes a name apart as a list or dict; slices and numbers are those of a tensor."""
    is_name = lambda one: isinstance(one, ast.Name) and one.id == name  # noqa: E731
    if isinstance(node, ast.Assign) and is_name(node.value) and isinstance(node.targets[0], (ast.Tuple, ast.List)):
        return ast.unparse(node)
    if isinstance(node, ast.Subscript) and is_name(node.value) and isinstance(node.slice, ast.Constant):
        return ast.unparse(node) if isinstance(node.slice.value, str) else None
    return None
