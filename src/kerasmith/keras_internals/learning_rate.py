"""The learning rate of an optimizer, read for logs and charts."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule


def inner(optimizer: Any) -> Any:
    """The optimizer that holds the learning rate, inside a loss-scaling one."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def rate_now(optimizer: Any) -> float | None:
    """The learning rate of the latest step of a compiled model's optimizer, or None if it has none.

    Args:
        optimizer: `model.optimizer`; of a loss-scaling optimizer the one inside counts.
    """
    optimizer = inner(optimizer)
    schedule = schedule_of(optimizer)
    if schedule is None:
        rate = getattr(optimizer, "learning_rate", None)
        return None if rate is None else float(ops.convert_to_numpy(rate))
    return rate_at(schedule, max(steps_done(optimizer) - 1, 0))


def rates_of(optimizers: dict[str, Any]) -> dict[str, float]:
    """{column: rate of the latest step}: `learning_rate`, or of several `learning_rate_<place>` for each that made a step."""
    if len(optimizers) > 1:
        optimizers = {place: one for place, one in optimizers.items() if steps_done(one) > 0}
        names = [f"learning_rate_{place}" for place in optimizers]
    else:
        names = ["learning_rate"] * len(optimizers)
    rates = {name: rate_now(one) for name, one in zip(names, optimizers.values(), strict=True)}
    return {name: rate for name, rate in rates.items() if rate is not None}


def schedule_of(optimizer: Any) -> LearningRateSchedule | None:
    """The `LearningRateSchedule` of an optimizer, or None for a plain number."""
    optimizer = inner(optimizer)
    rate = rate_given(optimizer)
    return rate if isinstance(rate, LearningRateSchedule) else None


def rate_given(optimizer: Any) -> Any:
    """What an optimizer takes its learning rate from: a variable, a `LearningRateSchedule`, or None if it has none."""
    # `optimizer.learning_rate` is the value at this step; Keras has no public way to the schedule itself.
    return getattr(inner(optimizer), "_learning_rate", None)


def put_rate(optimizer: keras.optimizers.Optimizer, rate: Any) -> None:
    """Gives an optimizer what `rate_given` returned, or a schedule in its place.

    Past the setter: it would take a plain rate out of the optimizer's variables, and putting it back would reorder them.
    """
    inner(optimizer)._learning_rate = rate


def steps_done(optimizer: keras.optimizers.Optimizer) -> int:
    """The number of steps an optimizer has made, the one that its schedule counts."""
    return int(ops.convert_to_numpy(step_counter(optimizer)))


def step_counter(optimizer: keras.optimizers.Optimizer) -> keras.Variable:
    """The variable in which an optimizer counts its steps for its schedule."""
    # With gradient accumulation the public `iterations` is smaller.
    return inner(optimizer)._iterations


def rate_at(schedule: LearningRateSchedule, step: int) -> float:
    """The rate of a schedule at a step, as a float."""
    return float(ops.convert_to_numpy(schedule(ops.convert_to_tensor(int(step), "int32"))))


def rate_curve(
    schedule: LearningRateSchedule, milestones: Sequence[tuple[float, float]], most: int = 400
) -> tuple[np.ndarray, np.ndarray]:
    """The learning rate between epochs.

    Args:
        schedule: a `LearningRateSchedule`.
        milestones: pairs (optimizer steps, epochs), ascending, the start of the training first.
        most: how many points at most.

    Returns:
        (positions in epochs, rates), two float arrays.
    """
    steps, epochs = np.asarray(milestones, dtype=float).T
    count = int(min(most, steps[-1] - steps[0]))
    if count < 2:
        return np.zeros(0), np.zeros(0)
    wanted = np.unique(np.linspace(steps[0], steps[-1] - 1, count).round())
    # Step k is made with the rate at k and is over at k + 1; that is where the epoch's own values stand.
    return np.interp(wanted + 1, steps, epochs), np.array([rate_at(schedule, step) for step in wanted])
