"""What Keras adds up over replicas is not added up by the metric itself."""

import ast
import inspect

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.class_syntax import class_trees
from kerasmith.checks.rules.metrics.case import MetricCase

_SUMS = ("all_reduce", "all_gather", "psum", "pmean", "all_sum", "all_reduce_sum", "reduce_scatter")


@check("M133", "metric", "warning", requires=("X103",), needs_inputs=False, since="0.2.0")
def replicas_are_added_once(case: MetricCase) -> None:
    """`update_state` adds up over the replicas itself.

    Keras keeps the state of a metric on each replica and adds it up when the result is read. A metric that calls `all_reduce`
    for each batch counts every sample once per replica; with another number of steps on each the call waits for ever.

    Fix: add the numbers of the replica at hand, `self.total.assign_add(...)`, and leave the sum over the replicas to Keras.
    """
    if case.subject.is_function:
        raise NotApplicable("a function has no state")
    for owner, tree in class_trees(case.subject.cls):
        for part in tree.body:
            if not isinstance(part, ast.FunctionDef) or part.name not in ("update_state", "result"):
                continue
            for node in ast.walk(part):
                name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
                if name in _SUMS:
                    first = inspect.getsourcelines(owner)[1]
                    raise Failed(
                        "the numbers of one replica in its variables",
                        f"`{part.name}` calls `{ast.unparse(node.func)}`",
                        [
                            "import inspect",
                            f"print({name!r} in inspect.getsource(type(metric).{part.name}))",
                        ],
                        line=first + node.lineno - 1,
                    )
