"""Nothing of one pass over the data is left in the next."""

from kerasmith.checks.engine.comparison import CLEAR
from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.metrics.case import MetricCase


@check("M103", "metric", "error", requires=("base", "M107", "M110", "M128"), since="0.1.0")
def reset_forgets(case: MetricCase) -> None:
    """`reset_state` leaves something of what came before.

    Keras resets a metric before each epoch and before each validation. What is left over is counted again: the second
    epoch, and the validation, report a mixture with earlier data.

    Fix: leave `reset_state` to the base class, which sets every variable to zero, or reset each variable that
    `update_state` changes.
    """

    def reveals(draw):
        both = case.run((case.draw(draw + 1), None), (case.draw(draw), None))
        return case.whole(draw).has_finite and both.differs(case.whole(draw), CLEAR)

    draw = case.revealing_draw(reveals, "what came before does not show in the result")
    metric = case.metric()
    case.update(metric, case.draw(draw + 1))
    few = case.part_text(f"{case.batch // 2}:")
    lines = [
        *case.preparation(draw),
        f"metric.update_state({few}); print('new', metric.result())",
        f"metric.reset_state(); metric.update_state({case.arguments})",
        f"metric.reset_state(); metric.update_state({few})",
        "print('the same after other data and a reset', metric.result())",
    ]
    try:
        metric.reset_state()
    except Exception as error:
        raise Failed(
            expected="`reset_state` runs",
            actual=describe_error(error),
            lines=[*case.preparation(draw), f"metric.update_state({case.arguments}); metric.reset_state()"],
        ) from None
    after = case.run((case.draw(draw), None), metric=metric)
    texts = case.whole(draw).difference(after)
    if texts:
        raise Failed(
            expected=f"{texts[0]}, as from a new metric",
            actual=f"{texts[1]} after other data and `reset_state()`",
            lines=lines,
        )


@check("M104", "metric", "error", requires=("base", "M103", "M107"), since="0.1.0")
def results_do_not_change_later(case: MetricCase) -> None:
    """`result` hands out its state: a number that was reported changes afterwards.

    The value is the variable itself, or on PyTorch a tensor that shares its memory. `fit` keeps the result of the training
    epoch, runs the validation, which resets and refills the variable, and then writes both into the history: the training
    column shows the validation's number.

    Fix: return a new value, such as `self.count + 0` or `ops.copy(self.count)`.
    """
    draw = case.revealing_draw(
        lambda draw: case.whole(draw).has_finite and case.whole(draw).differs(case.whole(draw + 1), CLEAR),
        "different data give the same result",
    )
    metric = case.metric()
    case.update(metric, case.draw(draw))
    reported = metric.result()
    before = case.read(reported)
    metric.reset_state()
    case.update(metric, case.draw(draw + 1))
    texts = before.difference(case.read(reported))
    if texts:
        raise Failed(
            expected=f"the result of the training stays {texts[0]}",
            actual=f"the same object says {texts[1]} after a reset and other data",
            lines=[
                *case.preparation(draw),
                f"metric.update_state({case.arguments}); training = metric.result(); print(training)",
                "metric.reset_state(); print('the same object after a reset:', training)",
            ],
        )
