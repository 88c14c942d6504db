"""Lower learning rates for all optimizers of a model after a rollback."""

import keras

from kerasmith.keras_internals.device_state import Copy, TrainingState
from kerasmith.keras_internals.foreign_state import with_rate
from kerasmith.keras_internals.learning_rate import rate_given, schedule_of
from kerasmith.keras_internals.optimizers import training_optimizers
from kerasmith.keras_internals.retrace import retrace
from kerasmith.schedules.scaled import factor_named, with_factor

_FACTOR_NAME = "numerics guard"


def check_rates(model: keras.Model) -> None:
    """Refuses a learning rate that cannot be lowered.

    Raises:
        ValueError: for one that is a function without a schedule.
    """
    for place, optimizer in training_optimizers(model).items():
        rate = rate_given(optimizer)
        if schedule_of(optimizer) is None and not isinstance(rate, keras.Variable):
            raise ValueError(
                "A rollback lowers the learning rate, which must be a number or a LearningRateSchedule. "
                f"Received: learning_rate={rate!r} of {place!r}"
            )


def lower_rates(model: keras.Model, state: TrainingState, copy: Copy, factor: float) -> tuple[Copy, float | None]:
    """Multiplies the rates with which training goes on from a copy.

    Args:
        model: a model in training.
        state: what `copy` is of.
        copy: the state to go back to.
        factor: above 0.

    Returns:
        (the copy with lower plain rates, what all schedules are multiplied with now, or None if there is none)
    """
    values, scale = list(copy.values), None
    for optimizer in training_optimizers(model).values():
        schedule = schedule_of(optimizer)
        if schedule is not None:
            scale = scale or (factor_named(schedule, _FACTOR_NAME) or 1.0) * factor
        else:
            index = state.index(rate_given(optimizer))
            values[index] = values[index] * factor
    if scale is not None:
        scale_schedules(model, scale)
    foreign = tuple((one, with_rate(one, held, factor)) for one, held in copy.foreign)
    return copy._replace(values=values, foreign=foreign), scale


def scale_schedules(model: keras.Model, scale: float) -> None:
    """Multiplies all schedules of a model's optimizers with `scale`, in place of what they were multiplied with before."""
    is_new = False
    for optimizer in training_optimizers(model).values():
        schedule = schedule_of(optimizer)
        if schedule is not None and factor_named(schedule, _FACTOR_NAME) != scale:
            optimizer.learning_rate = with_factor(schedule, scale, _FACTOR_NAME)
            is_new = True
    if is_new:
        retrace(model)
