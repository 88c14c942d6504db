"""The classes of a metric are along the last axis."""

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.class_axes import beside_the_classes, class_shape, noted_axes
from kerasmith.checks.rules.metrics.case import MetricCase


@check("M132", "metric", "error", requires=("base",), since="0.2.0")
def classes_are_on_the_last_axis(case: MetricCase) -> None:
    """`argmax` or `softmax` runs along another axis than that of the classes.

    In (batch, height, width, classes) the axis 1 is the height, and axis 0 the batch: `argmax` there names a row or a sample,
    and a comparison with class ids is right by chance only.

    Fix: `ops.argmax(y_pred, axis=-1)`, which is the axis of the classes for any number of axes before it.
    """
    classes = class_shape(case.specs["y_true"], case.specs["y_pred"])
    if classes is None:
        raise NotApplicable("labels and predictions are not those of classes")
    with noted_axes(case.subject.file) as uses:
        case.run((case.draw(0), None))
    use = beside_the_classes(uses, classes)
    if use is not None:
        raise Failed(
            f"`{use.name}` along axis -1: {classes[-1]} classes",
            f"along axis {use.axis}{'' if use.axis is None else f', of length {classes[int(use.axis)]}'}, of {classes}",
            [*case.preparation(), f"metric.update_state({case.arguments}); print(metric.result(), y_pred.shape)"],
            line=use.line,
        )
