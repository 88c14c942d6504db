"""From one value to another over some epochs."""

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Configured, register
from kerasmith.base.arguments import check_integer, check_number


@register
class Ramp(Configured, keras.optimizers.schedules.LearningRateSchedule):
    """Goes in a straight line from one value to another and stays there (since 0.2).

    value(t) = start + (stop - start) clip((t - begin) / (end - begin), 0, 1), t in epochs

    For the weight of a term that comes in late, `Term(Boundary(), weight=Ramp(0, 0.3, begin=20, end=60, steps_per_epoch=n))`,
    and for learning rates.

    Args:
        start: the value up to `begin`.
        stop: the value from `end` on.
        begin, end: in epochs (in steps if `steps_per_epoch` is 1); `end` > `begin`.
        steps_per_epoch: optimizer steps per epoch.

    Call arguments:
        step: the optimizer's `iterations`, or the step of an `Objective`.

    Returns:
        A float32 scalar.

    Raises:
        ValueError: for values that are not finite, `begin` below 0, `end` not above `begin`.

    Example:

    >>> schedule = Ramp(0.0, 1.0, begin=1, end=3)
    >>> [round(float(schedule(step)), 2) for step in range(5)]
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """

    def __init__(self, start: float, stop: float, *, begin: float = 0.0, end: float, steps_per_epoch: int = 1) -> None:
        check_number("start", start)
        check_number("stop", stop)
        check_number("begin", begin, minimum=0)
        check_number("end", end, above=begin)
        check_integer("steps_per_epoch", steps_per_epoch, minimum=1)
        super().__init__()
        self.start = start
        self.stop = stop
        self.begin = begin
        self.end = end
        self.steps_per_epoch = steps_per_epoch

    def __call__(self, step: Tensor) -> Tensor:
        epochs = ops.cast(step, "float32") / self.steps_per_epoch
        share = ops.clip((epochs - self.begin) / (self.end - self.begin), 0.0, 1.0)
        # Weighed from both sides: each end is reached exactly.
        return (1.0 - share) * self.start + share * self.stop
