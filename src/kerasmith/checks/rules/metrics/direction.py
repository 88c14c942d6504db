"""Which way is better: callbacks can ask a metric."""

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.metrics.case import MetricCase


@check("M126", "metric", "note", since="0.1.0")
def direction_is_known(case: MetricCase) -> None:
    """Callbacks cannot tell whether more or less of this metric is better.

    EarlyStopping and ModelCheckpoint know the direction of Keras' own metrics. With `mode="auto"` they stop with an error
    for all others.

    Fix: write `mode="max"` or `mode="min"` in the callbacks; or set `self._direction = "up"` or `"down"` in the
    constructor, which is what Keras looks for.
    """
    from kerasmith.keras_internals.metric_direction import direction_in_keras

    metric = case.metric()
    if (
        case.subject.is_function
        or direction_in_keras(metric) is not None
        or type(metric).__module__.partition(".")[0] == "keras"
    ):
        return
    if list(case.whole().values) != [""]:
        raise NotApplicable("callbacks are told the direction of each key")
    raise Failed(
        expected="a direction, or `mode=` in each callback that monitors it",
        actual=f"{case.subject.name} has none",
        lines=["print(getattr(metric, '_direction', 'no direction'))"],
    )
