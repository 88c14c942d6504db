"""Weights under which the gradients of all tasks have the length that their progress asks for."""

from collections.abc import Sequence

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_number
from kerasmith.multitask.balancer import Balancer, check_taps, when
from kerasmith.numerics import safe

_SMALLEST = 1e-3


@register
class GradNorm(Balancer):
    """Gradient normalisation: factors w_k are trained so that slow tasks get longer gradients.

    G_k = |gradient of w_k L_k by the shared representation|, p_k = L_k(t) / L_k(0),
    target_k = mean(G) (p_k / mean(p))^alpha, held constant,
    w = w - learning_rate * d/dw sum_k |G_k - target_k| = w - learning_rate * sign(G_k - target_k) G_k / w_k;
    then w is kept above 0.001 and scaled to sum K.

    A step trains with the factors that the steps before it left behind. L_k(0) is the loss in the first training step;
    where it is 0, p_k is 1. A step whose losses or gradients are not finite changes nothing. Terms keep their own
    weights, which count in G_k. The factors are shown as `<term>_weight`.

    Args:
        alpha: how strongly slow tasks are pulled forward; 0 asks for equal lengths.
        learning_rate: of the factors. Their gradient has the length of the tasks' gradients, so choose it by these.
        at: name of the `Tap` at the shared representation, or a list of names; by default the model's only one.

    Raises:
        TypeError, ValueError: unless `alpha` is a finite number >= 0 and `learning_rate` one above 0; at the first step
            for a model without the Tap.

    Example:

    >>> import keras
    >>> from keras import ops
    >>> from kerasmith import Model, Objective, Tap, multitask
    >>> inputs = keras.Input((3,))
    >>> shared = Tap("shared")(keras.layers.Dense(4, activation="relu")(inputs))
    >>> model = Model(inputs, {name: keras.layers.Dense(1, name=name)(shared) for name in ("depth", "price")})
    >>> model.compile("sgd", Objective({"depth": "mse", "price": "mae"}, balance=multitask.GradNorm(alpha=1.5)))
    >>> labels = {"depth": ops.ones((4, 1)), "price": ops.zeros((4, 1))}
    >>> history = model.fit(ops.ones((4, 3)), labels, epochs=2, verbose=0).history
    >>> history["depth_weight"][0], round(history["depth_weight"][1] + history["price_weight"][1], 4)
    (1.0, 2.0)

    Reference: Chen et al., "GradNorm: gradient normalization for adaptive loss balancing in deep multitask networks", 2018,
    algorithm 1.
    """

    needs_gradients = True

    def __init__(self, alpha: float = 1.5, learning_rate: float = 0.025, at: str | Sequence[str] | None = None) -> None:
        check_number("alpha", alpha, minimum=0)
        check_number("learning_rate", learning_rate, above=0)
        check_taps(at)
        self.alpha = alpha
        self.learning_rate = learning_rate
        self.at = at

    def create_state(self, count: int) -> None:
        """The factors, the losses of the first step and of the current one."""
        self.weights = self.add_state("grad_norm_factors", (count,), initializer="ones")
        self.first = self.add_state("grad_norm_first", (count,))
        self.now = self.add_state("grad_norm_now", (count,))
        self.has_first = self.add_state("grad_norm_has_first", dtype="int32")

    def update_from_losses(self, values: Tensor, samples: Tensor, is_first: Tensor) -> None:
        starts = ops.logical_and(ops.equal(ops.convert_to_tensor(self.has_first), 0), ops.all(ops.isfinite(values)))
        when(starts, values, self.first)
        when(starts, 1, self.has_first)
        self.now.assign(values)

    def factors(self) -> Tensor:
        return ops.convert_to_tensor(self.weights)

    def update_from_gradients(self, gram: Tensor) -> None:
        weights, now = ops.convert_to_tensor(self.weights), ops.convert_to_tensor(self.now)
        lengths = ops.sqrt(ops.maximum(ops.diagonal(gram), 0.0))
        progress = ops.maximum(safe.ratio(now, ops.convert_to_tensor(self.first), when_empty=1.0), 0.0)
        target = ops.mean(lengths) * safe.ratio(progress, ops.mean(progress), when_empty=1.0) ** self.alpha
        moved = ops.maximum(weights - self.learning_rate * ops.sign(lengths - target) * lengths / weights, _SMALLEST)
        moved = moved * (self.count / ops.sum(moved))
        is_finite = ops.logical_and(ops.all(ops.isfinite(lengths)), ops.all(ops.isfinite(now)))
        when(ops.logical_and(is_finite, ops.all(ops.isfinite(moved))), moved, self.weights)
