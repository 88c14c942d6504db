"""Cyclical learning rates."""

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Configured, register
from kerasmith.base.arguments import check_choice, check_integer, check_number


@register
class Cyclic(Configured, keras.optimizers.schedules.LearningRateSchedule):
    """Triangles between two rates.

    lr = eta_min + (eta_max - eta_min) h s d^i, with h the height of the triangle, 0 at its feet and 1 at its top,
    d = peak_decay in cycle i = 0, 1, ..., and "triangular": s = 1; "triangular2": s = 1/2^i; "exp": s = gamma^step. As
    PyTorch's `CyclicLR`, which has no d.

    Args:
        eta_min: rate at the feet.
        eta_max: rate at the top (of the first triangle).
        up: how long the rate rises, in epochs (in steps if `steps_per_epoch` is 1).
        down: how long it falls; as long as it rises by default.
        mode: "triangular", "triangular2" or "exp".
        gamma: factor of each step for "exp", between 0 and 1.
        steps_per_epoch: optimizer steps per epoch.
        peak_decay: factor, above 0 and at most 1, of the height above eta_min from one cycle to the next, beside that of the
            mode; 0.5 makes "triangular" the same as "triangular2" (since 0.2).

    Call arguments:
        step: the optimizer's `iterations`.

    Returns:
        The learning rate, a float32 scalar.

    Raises:
        ValueError: for lengths below one step, another mode, eta_min above eta_max, or factors outside 0 to 1.

    Example:

    >>> schedule = Cyclic(eta_min=0.0, eta_max=1.0, up=2)
    >>> [round(float(schedule(step)), 2) for step in range(6)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]

    Reference: Smith, "Cyclical learning rates for training neural networks", 2017.
    """

    def __init__(
        self,
        eta_min: float = 1e-4,
        eta_max: float = 1e-3,
        *,
        up: float,
        down: float | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        steps_per_epoch: int = 1,
        peak_decay: float = 1.0,
    ) -> None:
        check_number("eta_min", eta_min, minimum=0)
        check_number("eta_max", eta_max, minimum=0)
        check_number("up", up, above=0)
        if down is not None:
            check_number("down", down, above=0)
        check_choice("mode", mode, ("triangular", "triangular2", "exp"))
        check_number("gamma", gamma, above=0, maximum=1)
        check_integer("steps_per_epoch", steps_per_epoch, minimum=1)
        check_number("peak_decay", peak_decay, above=0, maximum=1)
        if eta_min > eta_max:
            raise ValueError(f"`eta_min` must not exceed `eta_max`. Received: eta_min={eta_min}, eta_max={eta_max}")
        super().__init__()
        self.eta_min = eta_min
        self.eta_max = eta_max
        self.up = up
        self.down = down
        self.mode = mode
        self.gamma = gamma
        self.steps_per_epoch = steps_per_epoch
        self.peak_decay = peak_decay
        self._up = round(up * steps_per_epoch)
        self._down = self._up if down is None else round(down * steps_per_epoch)
        if min(self._up, self._down) < 1:
            raise ValueError(
                f"A triangle needs a step up and one down. Received: up={up}, down={down}, steps_per_epoch={steps_per_epoch}"
            )

    def __call__(self, step: Tensor) -> Tensor:
        # Whole numbers: a float32 step would stop counting at 2**24.
        step = ops.cast(step, "int32")
        length = self._up + self._down
        cycle, position = ops.floor_divide(step, length), ops.cast(ops.mod(step, length), "float32")
        height = ops.where(position <= self._up, position / self._up, (length - position) / self._down)
        if self.mode == "triangular2":
            height = height * ops.exp2(-ops.cast(cycle, "float32"))
        elif self.mode == "exp":
            height = height * ops.power(self.gamma, ops.cast(step, "float32"))
        if self.peak_decay != 1:
            height = height * ops.power(self.peak_decay, ops.cast(cycle, "float32"))
        return self.eta_min + (self.eta_max - self.eta_min) * height
