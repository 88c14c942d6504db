"""What a metric has counted is in its variables, where Keras finds it."""

import numpy as np

from kerasmith.checks.engine.comparison import EXACT, copied, format_value, same
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.attributes import is_plain, reached_from, variables_in
from kerasmith.checks.rules.metrics.case import MetricCase


@check("M109", "metric", "error", since="0.1.0")
def state_is_in_variables(case: MetricCase) -> None:
    """The metric counts in Python attributes: nothing of that reaches a compiled step.

    Lists, numbers and tensors that `update_state` changes are ordinary Python. Under TensorFlow they change once, while the
    step is traced, and hold tensors of a graph that is gone; under JAX they hold tracers, and the result stays what it was.
    On PyTorch it works, until the metric is used elsewhere, saved, or reset by Keras.

    Fix: make a variable in the constructor, `self.total = self.add_weight(name="total", initializer="zeros")`, and write
    `self.total.assign_add(...)`. What needs all predictions at once, such as a median, is counted in a histogram.
    """
    if case.subject.is_function:
        raise NotApplicable("a function has no state")
    metric = case.metric()
    case.update(metric, case.draw(0))
    before = _python_values(metric)
    case.update(metric, case.draw(1))
    after = _python_values(metric)
    changed = [path for path in before if path in after and not same(before[path].value, after[path].value, EXACT)]
    if not changed:
        return
    full = case.result(metric)
    _restore(before, changed)
    if full.differs(case.result(metric)):
        raise _python_state(case, changed, before, after)
    # The attributes may steer the next update instead.
    metric = case.metric()
    case.update(metric, case.draw(0))
    before = _python_values(metric)
    case.update(metric, case.draw(1))
    _restore(before, [path for path in changed if path in before])
    case.update(metric, case.draw(2))
    straight = case.run(*((case.draw(draw), None) for draw in range(3)))
    if straight.differs(case.result(metric)):
        raise _python_state(case, changed, before, after)


def _reached(metric):
    return reached_from(metric, "metric", enter=(keras.metrics.Metric,))


def _python_values(metric):
    """{path: place with a copy} of the numbers, arrays and lists of such that Python keeps and Keras does not."""
    found = {}
    for place in _reached(metric):
        value = place.value
        if place.holder is not None and not isinstance(place.holder, list) and is_plain(value) and _can_count(value):
            found[place.path] = place._replace(value=copied(value))
    return found


def _can_count(value):
    """Texts, flags and settings in dicts are no counters."""
    return not isinstance(value, (bool, str, bytes, dict, type(None)))


def _restore(values, paths):
    for path in paths:
        values[path].put(copied(values[path].value))


def _python_state(case, changed, before, after):
    path = changed[0]
    return Failed(
        expected="`update_state` changes variables only",
        actual=f"it changes `{path.replace('metric', 'self', 1)}` from {format_value(before[path].value)} to "
        f"{format_value(after[path].value)}, and the result depends on it",
        lines=[
            *case.preparation(),
            f"for _ in range(2): metric.update_state({case.arguments}); print({path})",
            "print('variables:', [v.name for v in metric.variables])",
        ],
    )


@check("M110", "metric", "error", since="0.1.0")
def variables_are_tracked(case: MetricCase) -> None:
    """A variable of the metric is not among `metric.variables`.

    Keras tracks variables that are attributes of the metric or made by `add_weight`, not those in a helper object. They are
    neither reset nor synchronised over replicas; under JAX, whose steps carry the state through, their updates are lost.

    Fix: make the variables with `self.add_weight(...)` and hand them to the helper, or make the helper a
    `keras.metrics.Metric`.
    """
    if case.subject.is_function:
        raise NotApplicable("a function has no state")
    metric = case.metric()
    case.update(metric, case.draw(0))
    tracked = {id(variable) for variable in metric.variables}
    hidden = [(path, variable) for path, variable in variables_in(_reached(metric)) if id(variable) not in tracked]
    if not hidden:
        return
    before = [np.array(case.number(variable)) for _, variable in hidden]
    case.update(metric, case.draw(1))
    for (path, variable), old in zip(hidden, before):
        new = case.number(variable)
        if not np.array_equal(old, new, equal_nan=True):
            raise Failed(
                expected="each variable that `update_state` changes is in `metric.variables`",
                actual=f"`{path.replace('metric', 'self', 1)}` goes from {format_value(old)} to {format_value(new)} "
                "and is not",
                lines=[
                    *case.preparation(),
                    f"metric.update_state({case.arguments})",
                    f"print('tracked:', [v.name for v in metric.variables]); print('not tracked:', {path})",
                ],
            )
