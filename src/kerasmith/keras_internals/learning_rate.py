"""The learning rate of an optimizer, read for logs and charts."""

import numpy as np
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule


def inner(optimizer):
    """The optimizer that holds the learning rate, inside a loss-scaling one."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def rate_now(optimizer):
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


def schedule_of(optimizer):
    """The `LearningRateSchedule` of an optimizer, or None for a plain number."""
    optimizer = inner(optimizer)
    # `optimizer.learning_rate` is the value at this step; Keras has no public way to the schedule itself.
    rate = getattr(optimizer, "_learning_rate", None)
    return rate if isinstance(rate, LearningRateSchedule) else None


def steps_done(optimizer):
    """The number of steps an optimizer has made, the one that its schedule counts."""
    optimizer = inner(optimizer)
    # As the optimizer itself counts for its schedule: with gradient accumulation `iterations` is smaller.
    return int(ops.convert_to_numpy(getattr(optimizer, "_iterations", optimizer.iterations)))


def rate_at(schedule, step):
    """The rate of a schedule at a step, as a float."""
    return float(ops.convert_to_numpy(schedule(ops.convert_to_tensor(int(step), "int32"))))


def rate_curve(schedule, milestones, most=400):
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
