"""Weights that follow how fast each task's loss falls from epoch to epoch."""

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_number
from kerasmith.multitask.balancer import Balancer, when
from kerasmith.numerics import safe

_LARGEST_RATE = 1e6


@register
class DWA(Balancer):
    """Dynamic weight averaging: tasks whose loss falls slowly get more weight.

    factor_k = K softmax(r / T)_k, r_k = mean loss of task k in the last epoch / in the one before

    All factors are 1 in the first two epochs. Means weigh batches by their samples and go on over several calls of `fit`
    and over saving and loading; `train_on_batch` knows no epochs. Losses must be above 0 to mean anything here: where the
    one before is 0, r_k is 1 (unchanged). A batch with a loss that is not finite is not counted.

    The factors are shown as `<term>_weight`, multiplied with the terms' own weights.

    Args:
        temperature: T; large values bring the factors closer to 1.

    Raises:
        TypeError, ValueError: unless `temperature` is a finite number above 0.

    Example:

    >>> import keras
    >>> from keras import ops
    >>> from kerasmith import Model, Objective, multitask
    >>> inputs = keras.Input((3,))
    >>> model = Model(inputs, {name: keras.layers.Dense(1, name=name)(inputs) for name in ("depth", "price")})
    >>> model.compile("sgd", Objective({"depth": "mse", "price": "mae"}, balance=multitask.DWA(temperature=2.0)))
    >>> labels = {"depth": ops.ones((4, 1)), "price": ops.zeros((4, 1))}
    >>> history = model.fit(ops.ones((4, 3)), labels, epochs=3, verbose=0).history
    >>> history["depth_weight"][:2], round(history["depth_weight"][2] + history["price_weight"][2], 4)
    ([1.0, 1.0], 2.0)

    Reference: Liu, Johns and Davison, "End-to-end multi-task learning with attention", 2019, equation 7.
    """

    def __init__(self, temperature: float = 2.0) -> None:
        check_number("temperature", temperature, above=0)
        self.temperature = temperature

    def create_state(self, count: int) -> None:
        """Sums of the running epoch, means of the two before, and how many have ended."""
        self.sums = self.add_state("dwa_sums", (count,))
        self.samples = self.add_state("dwa_samples")
        self.last = self.add_state("dwa_last", (count,))
        self.before = self.add_state("dwa_before", (count,))
        self.epochs = self.add_state("dwa_epochs", dtype="int32")

    def update_from_losses(self, values: Tensor, samples: Tensor, is_first: Tensor) -> None:
        sums, seen = ops.convert_to_tensor(self.sums), ops.convert_to_tensor(self.samples)
        ends = ops.logical_and(is_first, seen > 0)
        when(ends, ops.convert_to_tensor(self.last), self.before)
        when(ends, safe.ratio(sums, seen, when_empty=0.0), self.last)
        when(ends, self.epochs + 1, self.epochs)
        counts = ops.all(ops.isfinite(values))
        added = ops.where(counts, values * samples, ops.zeros_like(values))
        self.sums.assign(ops.where(ends, ops.zeros_like(sums), sums) + added)
        self.samples.assign(ops.where(ends, ops.zeros_like(seen), seen) + ops.where(counts, samples, ops.zeros_like(samples)))

    def factors(self) -> Tensor:
        rate = safe.ratio(ops.convert_to_tensor(self.last), ops.convert_to_tensor(self.before), when_empty=1.0)
        moved = self.count * ops.softmax(ops.minimum(rate, _LARGEST_RATE) / self.temperature, axis=-1)
        return ops.where(ops.convert_to_tensor(self.epochs) < 2, ops.ones_like(moved), moved)
