"""The classes of a loss are along the last axis."""

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.class_axes import beside_the_classes, class_shape, noted_axes
from kerasmith.checks.rules.losses.case import LossCase
from kerasmith.checks.rules.losses.reproducers import unreduced_loss


@check("L134", "loss", "error", requires=("base",), since="0.2.0")
def classes_are_on_the_last_axis(case: LossCase) -> None:
    """`argmax` or `softmax` runs along another axis than that of the classes.

    In (batch, height, width, classes) the axis 1 is the height: `softmax(axis=1)` makes the rows of an image compete, `argmax`
    over the width names a column and not a class. The shapes agree, the loss falls, and means nothing.

    Fix: `axis=-1`, which is the axis of the classes for any number of axes before it.
    """
    classes = class_shape(case.specs["y_true"], case.specs["y_pred"])
    if classes is None:
        raise NotApplicable("labels and predictions are not those of classes")
    with noted_axes(case.subject.file) as uses:
        case.values_of(case.inputs)
    use = beside_the_classes(uses, classes)
    if use is not None:
        raise Failed(
            f"`{use.name}` along axis -1: {classes[-1]} classes",
            f"along axis {use.axis}{'' if use.axis is None else f', of length {classes[int(use.axis)]}'}, of {classes}",
            [*unreduced_loss(case), "print(y_true.shape, y_pred.shape, loss(y_true, y_pred).shape)"],
            line=use.line,
        )
