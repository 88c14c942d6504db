"""Labels with an axis of size 1 more or less do not broadcast."""

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.engine.spec import Spec
from kerasmith.checks.rules.metrics.case import MetricCase


@check("M123", "metric", "error", since="0.1.0")
def labels_do_not_broadcast(case: MetricCase) -> None:
    """Labels (B,) against predictions (B, 1) are counted B x B times.

    `==`, `*` and `-` make a (B, B) table of two such arrays: each label is compared with each prediction. The number looks
    like one (1744 hits of 280 samples) and says nothing.

    Fix: bring both to one shape first, `y_true = ops.reshape(y_true, ops.shape(y_pred))`, or raise an error that names both
    shapes.
    """
    change, text, given_fits = _other_labels(case)
    if given_fits:
        raise NotApplicable("labels and predictions have shapes that fit")
    _compare(case, change, text, given_fits)


@check("M129", "metric", "error", requires=("base", "M123"), since="0.1.0")
def other_labels_do_not_broadcast(case: MetricCase) -> None:
    """Labels in the other usual shape are counted B x B times.

    Class ids and binary labels come as (B,) from one data set and as (B, 1) from the next. The metric is right with one of
    them; with the other `==` or `-` compares each label with each prediction, and nothing says so. With declared inputs, or
    of a function, that is a warning: those labels are counted right.

    Fix: bring the labels to one shape first, such as `ops.reshape(y_true, (-1,))`, or raise an error that names both
    shapes.
    """
    change, text, given_fits = _other_labels(case)
    if not given_fits:
        raise NotApplicable("the declared labels are in that shape")
    _compare(case, change, text, given_fits)


def _other_labels(case):
    """(function, text, whether the given shapes fit) of labels with the axis of size 1 that they lack, or without the one that
    they have."""
    if case.takes_values or not all(isinstance(spec, Spec) for spec in case.specs.values()):
        raise NotApplicable("not one array of labels and one of predictions")
    true, pred = case.specs["y_true"].shape, case.specs["y_pred"].shape
    if len(true) == len(pred) > 1 and true[-1] == 1:
        # (B, 1) against (B, 1); against (B, C) it is a column of class ids, or a label beside several predictions.
        return (lambda array: array[..., 0]), "y_true[..., 0]", True
    if true == pred[:-1]:
        return (lambda array: array[..., None]), "y_true[..., None]", pred[-1] != 1
    raise NotApplicable(f"labels {true} and predictions {pred} leave no second shape")


def _compare(case, change, text, given_fits):
    draw = case.revealing_draw(lambda draw: case.whole(draw).has_finite, "the result is never finite")
    inputs = case.draw(draw)
    labels = change(inputs["y_true"])
    try:
        other = case.run(({**inputs, "y_true": labels}, None))
    except Exception:
        if given_fits:
            return
        raise Inconclusive(f"labels of shape {labels.shape} are refused: nothing to compare with") from None
    texts = case.whole(draw).difference(other)
    if texts is None:
        return
    shapes = inputs["y_true"].shape, labels.shape
    right, wrong = (0, 1) if given_fits else (1, 0)
    raise Failed(
        expected=f"{texts[right]}, as from labels {shapes[right]}, or an error",
        actual=f"{texts[wrong]} from labels {shapes[wrong]} and predictions {inputs['y_pred'].shape}",
        lines=[
            *case.preparation(draw),
            f"for labels in (y_true, {text}):",
            "    metric.reset_state(); metric.update_state(labels, y_pred)",
            "    print(labels.shape, y_pred.shape, metric.result())",
        ],
        severity="warning" if given_fits and (case.archetype is None or case.subject.is_function) else None,
    )
