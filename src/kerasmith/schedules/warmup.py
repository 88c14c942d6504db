"""A linear rise in front of another schedule."""

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Configured, register
from kerasmith.base.arguments import check_integer, check_number


@register
class Warmup(Configured, keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to where another schedule begins, then follows it.

    lr(t) = inner(0) (start + (1 - start) (t + 1) / (n + 1)) for t < n steps of warm-up, inner(t - n) after.

    Args:
        inner: a `keras.optimizers.schedules.LearningRateSchedule`, or a number for a constant rate.
        length: the warm-up, in epochs (in steps if `steps_per_epoch` is 1).
        start: share of the inner schedule's first rate that the rise starts from.
        steps_per_epoch: optimizer steps per epoch, of this warm-up only.

    Call arguments:
        step: the optimizer's `iterations`.

    Returns:
        The learning rate, a float32 scalar.

    Raises:
        TypeError: if `inner` is neither a schedule nor a number.
        ValueError: for a negative length, or `start` outside 0 to 1.

    Example:

    >>> schedule = Warmup(1.0, length=3)
    >>> [round(float(schedule(step)), 2) for step in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]

    Reference: Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017.
    """

    def __init__(
        self,
        inner: keras.optimizers.schedules.LearningRateSchedule | float,
        length: float,
        *,
        start: float = 0.0,
        steps_per_epoch: int = 1,
    ) -> None:
        if not isinstance(inner, keras.optimizers.schedules.LearningRateSchedule):
            check_number("inner", inner, minimum=0)
        check_number("length", length, minimum=0)
        check_number("start", start, minimum=0, maximum=1)
        check_integer("steps_per_epoch", steps_per_epoch, minimum=1)
        super().__init__()
        self.inner = inner
        self.length = length
        self.start = start
        self.steps_per_epoch = steps_per_epoch
        self._steps = round(length * steps_per_epoch)

    def __call__(self, step: Tensor) -> Tensor:
        step = ops.cast(step, "int32")
        after = self._rate(ops.maximum(step - self._steps, 0))
        # Before the end of the warm-up `after` is the inner schedule's first rate.
        share = ops.minimum(ops.cast(step + 1, "float32") / (self._steps + 1), 1.0)
        return after * (self.start + (1.0 - self.start) * share)

    def _rate(self, step):
        rate = self.inner(step) if callable(self.inner) else self.inner
        return ops.cast(rate, "float32")
