"""Lines of reproducers: the loss as `compile` calls it, its unreduced values, its gradient."""

from kerasmith.checks.engine.lazy_keras import backend
from kerasmith.checks.rules.losses.case import LossCase
from kerasmith.keras_internals.reproducers import IMPORT_LOSS_WRAPPER

_WRAP = f"{IMPORT_LOSS_WRAPPER}; loss = LossFunctionWrapper(loss)  # as compile does"


def callable_loss(case: LossCase) -> list[str]:
    """[line] after which `loss(y_true, y_pred, sample_weight)` is what `compile` would call."""
    return [_WRAP] if case.subject.is_function else []


def unreduced_loss(case: LossCase) -> list[str]:
    """[line] after which `loss(y_true, y_pred)` is not reduced."""
    if case.subject.is_function:
        return [_WRAP.replace("(loss)  ", '(loss, reduction="none")  ')]
    return ['loss.reduction = "none"']


def gradient_of(expression: str = "loss(y_true, y_pred)") -> list[str]:
    """[lines] that print the gradient of the sum of an expression by the array `y_pred`, on this backend."""
    if backend() == "tensorflow":
        return [
            "import tensorflow as tf; y_pred = tf.convert_to_tensor(y_pred)",
            "with tf.GradientTape() as tape:",
            f"    tape.watch(y_pred); value = tf.reduce_sum({expression})",
            "print(value.numpy(), tape.gradient(value, y_pred))",
        ]
    if backend() == "torch":
        return [
            "import torch; y_pred = torch.tensor(y_pred, requires_grad=True); y_true = torch.tensor(y_true)",
            f"value = {expression}.sum(); print(value)",
            "print(torch.autograd.grad(value, y_pred, allow_unused=True) if value.requires_grad else None)",
        ]
    return ["import jax", f"print(jax.value_and_grad(lambda y_pred: {expression}.sum())(y_pred))"]
