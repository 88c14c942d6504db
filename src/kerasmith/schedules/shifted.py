"""A schedule that starts later."""

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Configured, register
from kerasmith.base.arguments import check_integer


@register
class Shifted(Configured, keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule, counted from a later step: shifted(step) = schedule(max(step - start, 0)).

    Args:
        schedule: a `keras.optimizers.schedules.LearningRateSchedule`.
        start: the step at which `schedule` begins.

    Example:

    >>> from kerasmith.schedules import CosineRestarts
    >>> schedule = Shifted(CosineRestarts(T_0=2, eta_max=1.0), start=100)
    >>> round(float(schedule(101)), 4)
    0.5
    """

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, start: int) -> None:
        check_integer("start", start, minimum=0)
        super().__init__()
        self.schedule = schedule
        self.start = start

    def __call__(self, step: Tensor) -> Tensor:
        return self.schedule(ops.maximum(ops.cast(step, "int32") - self.start, 0))
