"""Gradients of several tasks, combined so that they do not fight in the shared part of the model."""

import random
from collections.abc import Sequence

import numpy as np
from keras import ops

from kerasmith._types import Config, Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.multitask.balancer import Balancer, check_taps
from kerasmith.numerics import task_conflicts

METHODS = ("pcgrad", "cagrad", "imtl", "nash")
_ORDERS = 256


@register
class GradientSurgery(Balancer):
    """Replaces the sum of the tasks' gradients below a shared representation by a combination that spares every task.

    With g_k, the gradients of the weighted terms by the tensor at the `Tap`, what flows on below the Tap is sum_k a_k g_k:
    "pcgrad": each g_k loses its projections on those that it conflicts with, then the sum;
    "cagrad": (g_0 + c |g_0| g_w / |g_w|) / (1 + c^2), the direction near the mean g_0 in which the worst task gains most;
    "imtl": the combination with coefficients of sum 1 and equal projections on all g_k / |g_k|;
    "nash": the bargaining solution of (gram / |gram|) a = 1 / a.

    Above the Tap each term trains its own part of the model with its own gradient, and the values of the loss do not change.
    The combination is about as long as the sum for "pcgrad", as the mean for "cagrad" and "imtl", so learning rates differ.
    Gradients that are zero, parallel or opposed give finite coefficients; see `kerasmith.numerics.task_conflicts`.

    Most of the authors take gradients by the shared weights. Gradients by the shared representation cost a backward pass
    through the head for each task instead of one through the whole model, but give other coefficients. "cagrad" and "nash"
    solve a convex problem of K unknowns in every step, on the device; PyTorch, operation by operation, needs some
    milliseconds for it.

    Args:
        method: "pcgrad", "cagrad", "imtl" or "nash".
        at: name of the `Tap` at the shared representation, or a list of names; by default the model's only one.
        c: how far "cagrad" may go from the mean, relative to its length.
        seed: of the orders in which "pcgrad" takes the tasks: 256 are drawn at random once and used in turn. By default
            drawn from Python's generator, which `keras.utils.set_random_seed` seeds; saved with the model.

    Raises:
        ValueError: for another method, c below 0; at the first step for a model without the Tap.
        TypeError: for `at`, `c` or `seed` of another type.

    Example:

    >>> import keras
    >>> from keras import ops
    >>> from kerasmith import Model, Objective, Tap, multitask
    >>> inputs = keras.Input((3,))
    >>> shared = Tap("shared")(keras.layers.Dense(4, activation="relu")(inputs))
    >>> model = Model(inputs, {name: keras.layers.Dense(1, name=name)(shared) for name in ("depth", "price")})
    >>> model.compile("sgd", Objective({"depth": "mse", "price": "mae"}, balance=multitask.GradientSurgery("pcgrad")))
    >>> labels = {"depth": ops.ones((4, 1)), "price": ops.zeros((4, 1))}
    >>> sorted(model.fit(ops.ones((4, 3)), labels, verbose=0).history)
    ['depth', 'loss', 'price']

    References: Yu et al., "Gradient surgery for multi-task learning", 2020; Liu et al., "Conflict-averse gradient descent
    for multi-task learning", 2021; Liu et al., "Towards impartial multi-task learning", 2021; Navon et al., "Multi-task
    learning as a bargaining game", 2022.
    """

    needs_gradients = True
    shows_weights = False

    def __init__(
        self, method: str = "pcgrad", *, at: str | Sequence[str] | None = None, c: float = 0.5, seed: int | None = None
    ) -> None:
        check_choice("method", method, METHODS)
        check_taps(at)
        check_number("c", c, minimum=0)
        if seed is not None:
            check_integer("seed", seed, minimum=0)
        self.method = method
        self.at = at
        self.c = c
        self.seed = random.randrange(2**31) if seed is None else seed

    def get_config(self) -> Config:
        """All constructor arguments; the seed as it was drawn, so that a loaded model goes on with the same orders."""
        return {**super().get_config(), "seed": int(self.seed)}

    def create_state(self, count: int) -> None:
        """The number of steps, for "pcgrad"."""
        if self.method == "pcgrad":
            self.steps = self.add_state("pcgrad_steps", dtype="int32")
            self.orders = random_orders(self.seed, count)

    def update_from_gradients(self, gram: Tensor) -> Tensor:
        if self.method == "cagrad":
            return task_conflicts.cagrad(gram, self.c)
        if self.method == "imtl":
            return task_conflicts.imtl_g(gram)
        if self.method == "nash":
            return task_conflicts.nash(gram)
        step = ops.convert_to_tensor(self.steps)
        order = ops.take(ops.convert_to_tensor(self.orders), ops.mod(step, _ORDERS), axis=0)
        self.steps.assign(step + 1)
        return task_conflicts.pcgrad(gram, order)


def random_orders(seed: int, count: int) -> np.ndarray:
    """(256, K, K) int32; one permutation of the K tasks for each step and task."""
    tasks = np.broadcast_to(np.arange(count, dtype="int32"), (_ORDERS, count, count))
    return np.random.default_rng(seed).permuted(tasks, axis=-1)
