"""One cycle: up, then down to almost nothing."""

import itertools
import math

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Configured, register
from kerasmith.base.arguments import check_choice, check_integer, check_number


@register
class OneCycle(Configured, keras.optimizers.schedules.LearningRateSchedule):
    """The one-cycle policy: the rate rises to `eta_max` and falls far below where it began.

    The rate goes from eta_max / div_factor over eta_max to eta_max / div_factor / final_div_factor and stays there. With
    `three_phase` it falls back to where it began in as many steps as it rose, and then on. Values are PyTorch's `OneCycleLR`.

    Args:
        length: the whole cycle, in epochs (in steps if `steps_per_epoch` is 1).
        eta_max: the highest rate.
        rise: share of the cycle in which the rate rises, between 0 and 1.
        div_factor: eta_max / first rate.
        final_div_factor: first rate / last rate.
        anneal: "cos" or "linear", the shape of each phase.
        three_phase: fall back to the first rate before the final descent.
        steps_per_epoch: optimizer steps per epoch.

    Call arguments:
        step: the optimizer's `iterations`.

    Returns:
        The learning rate, a float32 scalar.

    Raises:
        ValueError: for a cycle too short for its phases, or factors outside their range.

    Example:

    >>> schedule = OneCycle(length=10, eta_max=1.0, rise=0.3)
    >>> [round(float(schedule(step)), 3) for step in (0, 2, 9, 20)]
    [0.04, 1.0, 0.0, 0.0]

    Reference: Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2018.
    """

    def __init__(
        self,
        length: float,
        eta_max: float = 1e-3,
        *,
        rise: float = 0.3,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        anneal: str = "cos",
        three_phase: bool = False,
        steps_per_epoch: int = 1,
    ) -> None:
        check_number("length", length, above=0)
        check_number("eta_max", eta_max, above=0)
        check_number("rise", rise, above=0, below=1)
        check_number("div_factor", div_factor, above=0)
        check_number("final_div_factor", final_div_factor, above=0)
        check_choice("anneal", anneal, ("cos", "linear"))
        check_integer("steps_per_epoch", steps_per_epoch, minimum=1)
        super().__init__()
        self.length = length
        self.eta_max = eta_max
        self.rise = rise
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor
        self.anneal = anneal
        self.three_phase = three_phase
        self.steps_per_epoch = steps_per_epoch
        self._phases = _phases(self, round(length * steps_per_epoch))

    def __call__(self, step: Tensor) -> Tensor:
        # Differences of whole numbers: a float32 step would stop counting at 2**24.
        step, rate = ops.cast(step, "int32"), None
        for start, end, first, last in reversed(self._phases):
            position = ops.cast(ops.maximum(step - math.floor(start), 0), "float32") - (start - math.floor(start))
            share = ops.clip(position / (end - start), 0.0, 1.0)
            if self.anneal == "cos":
                share = (1.0 - ops.cos(math.pi * share)) / 2.0
            here = first * (1.0 - share) + last * share
            rate = here if rate is None else ops.where(ops.cast(step, "float32") <= end, here, rate)
        return rate


def _phases(schedule, steps):
    """(first step, last step, first rate, last rate) of each phase; steps may be fractions."""
    low = schedule.eta_max / schedule.div_factor
    end = low / schedule.final_div_factor
    top = schedule.rise * steps - 1
    turns = [(0.0, low), (top, schedule.eta_max)]
    if schedule.three_phase:
        turns.append((2 * schedule.rise * steps - 2, low))
    turns.append((steps - 1.0, end))
    if any(later[0] <= earlier[0] for earlier, later in itertools.pairwise(turns)):
        raise ValueError(
            "Each phase of the cycle needs a step. Choose a longer cycle or another `rise`. Received: "
            f"length={schedule.length}, steps_per_epoch={schedule.steps_per_epoch}, rise={schedule.rise}, "
            f"three_phase={schedule.three_phase}"
        )
    return [(a[0], b[0], a[1], b[1]) for a, b in itertools.pairwise(turns)]
