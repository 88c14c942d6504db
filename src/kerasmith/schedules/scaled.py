"""A schedule times a factor."""

from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Configured, register
from kerasmith.base.arguments import check_number


@register
class Scaled(Configured, keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule times a constant: scaled(step) = factor schedule(step).

    Args:
        schedule: a `keras.optimizers.schedules.LearningRateSchedule`, or a number for a constant rate.
        factor: number >= 0.
        name: whose factor it is, so that a callback finds its own again in a model that was saved; None for nobody's.

    Call arguments:
        step: the optimizer's `iterations`.

    Returns:
        The learning rate, a float32 scalar.

    Raises:
        TypeError: if `schedule` is neither a schedule nor a number.
        ValueError: for a negative factor or rate.

    Example:

    >>> from kerasmith.schedules import CosineRestarts
    >>> schedule = Scaled(CosineRestarts(T_0=2, eta_max=1.0), factor=0.1)
    >>> [round(float(schedule(step)), 3) for step in range(3)]
    [0.1, 0.05, 0.1]
    """

    def __init__(
        self, schedule: keras.optimizers.schedules.LearningRateSchedule | float, factor: float, *, name: str | None = None
    ) -> None:
        if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            check_number("schedule", schedule, minimum=0)
        check_number("factor", factor, minimum=0)
        super().__init__()
        self.schedule = schedule
        self.factor = factor
        self.name = name

    def __call__(self, step: Tensor) -> Tensor:
        rate = self.schedule(step) if callable(self.schedule) else self.schedule
        return ops.cast(rate, "float32") * self.factor


def factor_named(schedule: Any, name: str | None) -> float | None:
    """The factor of that name in a chain of `Scaled`, or None.

    >>> factor_named(Scaled(Scaled(0.1, 0.5, name="plateau"), 0.3), "plateau")
    0.5
    """
    while isinstance(schedule, Scaled):
        if schedule.name == name:
            return schedule.factor
        schedule = schedule.schedule
    return None


def with_factor(schedule: Any, factor: float, name: str | None) -> "Scaled":
    """A schedule whose factor of that name is `factor`; the other factors of the chain stay.

    >>> with_factor(Scaled(Scaled(0.1, 0.5, name="plateau"), 0.3), 0.05, "plateau").schedule.factor
    0.05
    """
    if factor_named(schedule, name) is None:
        return Scaled(schedule, factor, name=name)
    if schedule.name == name:
        return Scaled(schedule.schedule, factor, name=name)
    return Scaled(with_factor(schedule.schedule, factor, name), schedule.factor, name=schedule.name)
