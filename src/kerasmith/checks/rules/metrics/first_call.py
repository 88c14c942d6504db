"""A metric can be updated and read, under the names that Keras 3 calls."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.metrics.case import MetricCase

_OLD = {"update_state": ("update", "update_metric", "add_batch"), "result": ("compute", "value", "get_result")}


@check("M000", "metric", "error", requires=("M112", "X103"), since="0.1.0")
def runs(case: MetricCase) -> None:
    """The metric does not run on its inputs.

    One `update_state(y_true, y_pred)` followed by `result()` fails, or gives no number at all. Nothing else can be said
    about the metric until that works.

    Fix: read the message. If the inputs are not those the metric is made for, declare them with `like`.
    """
    results = []
    for draw in range(3):
        try:
            result = case.whole(draw)
        except Exception as error:
            raise Failed(
                expected="a number",
                actual=describe_error(error),
                lines=[*case.preparation(draw), f"metric.update_state({case.arguments}); print(metric.result())"],
            ) from None
        if not result.values:
            raise Failed(expected="a number", actual="an empty dict", lines=[*_updates(case), "print(metric.result())"])
        if result.has_finite:
            return
        results.append(str(result))
    raise Failed(
        expected="a finite number from data",
        actual=f"the result is {results[0]}",
        lines=[*_updates(case), "print(metric.result())"],
    )


@check("M112", "metric", "error", requires=("X103",), needs_inputs=False, since="0.1.0")
def update_and_result_have_their_names(case: MetricCase) -> None:
    """`update_state` or `result` is missing: Keras calls no other name.

    Keras calls `update_state` for each batch, `result` for the number and `reset_state` before an epoch. A method of
    another name, such as `update` or `compute`, is never called; the base class then raises NotImplementedError in the
    first step.

    Fix: name the methods `update_state(self, y_true, y_pred, sample_weight=None)`, `result(self)` and `reset_state(self)`.
    """
    if case.subject.is_function:
        raise NotApplicable("Keras wraps a function in a metric of its own")
    cls = case.subject.cls
    for name, others in _OLD.items():
        if getattr(cls, name) is not getattr(keras.metrics.Metric, name):
            continue
        found = [other for other in others if callable(getattr(cls, other, None))]
        raise Failed(
            expected=f"{cls.__name__} defines `{name}`",
            actual=f"it defines `{found[0]}`, which Keras never calls" if found else "it does not",
            lines=[f"metric.{name}({'np.zeros((2, 1)), np.zeros((2, 1))' if name == 'update_state' else ''})"],
        )


@check("M128", "metric", "error", since="0.1.0")
def reset_has_its_name(case: MetricCase) -> None:
    """`reset_states` is never called: Keras 3 calls `reset_state`.

    The base class answers `reset_state` by writing zeros into every variable. Where zero is the right start, the old method
    is only superfluous (a note). Where it is not, such as infinity for a minimum, every epoch but the first begins from a
    wrong state.

    Fix: rename `reset_states` to `reset_state`.
    """
    if case.subject.is_function:
        raise NotApplicable("Keras wraps a function in a metric of its own")
    cls = case.subject.cls
    if not hasattr(cls, "reset_states") or cls.reset_state is not keras.metrics.Metric.reset_state:
        return
    states = []
    for name in ("reset_states", "reset_state"):
        metric = case.metric()
        case.update(metric, case.inputs)
        getattr(metric, name)()
        states.append([case.number(variable.value) for variable in metric.variables])
    lines = [
        *_updates(case),
        "metric.reset_states(); print('reset_states:', [np.array(v) for v in metric.variables])",
        "metric.reset_state(); print('reset_state:', [np.array(v) for v in metric.variables])",
    ]
    for variable, own, base in zip(metric.variables, *states):
        if not np.array_equal(own, base, equal_nan=True):
            raise Failed(
                expected=f"after a reset `{variable.name}` is {np.array2string(own, threshold=4)}, as `reset_states` writes",
                actual=f"Keras calls `reset_state`, which writes {np.array2string(base, threshold=4)}",
                lines=lines,
            )
    raise Failed(
        expected="`reset_state`",
        actual="`reset_states`, which is never called; the base class writes the same zeros",
        lines=lines,
        severity="note",
    )


def _updates(case):
    return [*case.preparation(), f"metric.update_state({case.arguments})"]
