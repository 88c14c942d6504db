"""Cosine annealing with warm restarts."""

import math

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Configured, register
from kerasmith.base.arguments import check_integer, check_number

_LAST_STEP = 2**31 - 1


@register
class CosineRestarts(Configured, keras.optimizers.schedules.LearningRateSchedule):
    """Cosine annealing with warm restarts, per step.

    lr = eta_min + (eta_max - eta_min) d^i (1 + cos(pi t / T)) / 2, with t the position in the current cycle, 0 <= t < T,
    T = T_0 T_mult^i the length of cycle i = 0, 1, ..., and d = peak_decay. t moves with every step, so the rate falls within
    an epoch too.

    Args:
        T_0: length of the first cycle, in epochs (in steps if `steps_per_epoch` is 1).
        T_mult: factor >= 1 by which each cycle is longer than the one before.
        eta_max: rate at the start of a cycle.
        eta_min: rate that a cycle falls to.
        steps_per_epoch: optimizer steps per epoch.
        warmup: linear rise from eta_min to eta_max before the first cycle, in the unit of `T_0`.
        peak_decay: factor, above 0 and at most 1, of the height above eta_min from one cycle to the next; `m_mul` of Keras'
            `CosineDecayRestarts` (since 0.2).

    Call arguments:
        step: the optimizer's `iterations`.

    Returns:
        The learning rate, a float32 scalar.

    Raises:
        ValueError: for lengths below 1, T_mult below 1, eta_min above eta_max, or peak_decay outside 0 to 1.

    Example:

    >>> schedule = CosineRestarts(T_0=2, T_mult=2, eta_max=1.0)
    >>> [round(float(schedule(step)), 3) for step in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]

    Reference: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
    """

    def __init__(
        self,
        T_0: float,
        T_mult: float = 1,
        eta_max: float = 1e-3,
        eta_min: float = 0.0,
        steps_per_epoch: int = 1,
        warmup: float = 0,
        peak_decay: float = 1.0,
    ) -> None:
        check_number("T_0", T_0, above=0)
        check_number("T_mult", T_mult, minimum=1)
        check_number("eta_max", eta_max, minimum=0)
        check_number("eta_min", eta_min, minimum=0)
        check_integer("steps_per_epoch", steps_per_epoch, minimum=1)
        check_number("warmup", warmup, minimum=0)
        check_number("peak_decay", peak_decay, above=0, maximum=1)
        if eta_min > eta_max:
            raise ValueError(f"`eta_min` must not exceed `eta_max`. Received: eta_min={eta_min}, eta_max={eta_max}")
        if round(T_0 * steps_per_epoch) < 1:
            raise ValueError(f"A cycle needs at least one step. Received: T_0={T_0}, steps_per_epoch={steps_per_epoch}")
        super().__init__()
        self.T_0 = T_0
        self.T_mult = T_mult
        self.eta_max = eta_max
        self.eta_min = eta_min
        self.steps_per_epoch = steps_per_epoch
        self.warmup = warmup
        self.peak_decay = peak_decay
        self._first = round(T_0 * steps_per_epoch)
        self._warmup = round(warmup * steps_per_epoch)
        self._starts, self._lengths = _cycles(self._first, T_mult)

    def __call__(self, step: Tensor) -> Tensor:
        # Positions are whole numbers: a float32 step would stop counting at 2**24, and a float logarithm misses restarts.
        step = ops.cast(step, "int32")
        position = ops.maximum(step - self._warmup, 0)
        if self._starts is None:
            cycle = ops.floor_divide(position, self._first)
            position, length = ops.mod(position, self._first), float(self._first)
        else:
            cycle = ops.sum(ops.cast(position >= ops.convert_to_tensor(self._starts, "int32"), "int32")) - 1
            position = position - ops.take(ops.convert_to_tensor(self._starts, "int32"), cycle)
            length = ops.take(ops.convert_to_tensor(self._lengths, "float32"), cycle)
        fraction = ops.cast(position, "float32") / length
        height = self.eta_max - self.eta_min
        if self.peak_decay != 1:
            height = height * ops.power(self.peak_decay, ops.cast(cycle, "float32"))
        rate = self.eta_min + height * (1.0 + ops.cos(math.pi * fraction)) / 2.0
        if not self._warmup:
            return rate
        rise = ops.cast(step + 1, "float32") / (self._warmup + 1)
        return ops.where(step < self._warmup, self.eta_min + (self.eta_max - self.eta_min) * rise, rate)


def _cycles(first, factor):
    """Starts and lengths of all cycles within int32 steps; (None, None) if they are all equally long."""
    if factor == 1:
        return None, None
    starts, lengths = [0], [first]
    while starts[-1] + lengths[-1] < _LAST_STEP:
        starts.append(starts[-1] + lengths[-1])
        lengths.append(round(first * factor ** len(lengths)))
    return starts, lengths
