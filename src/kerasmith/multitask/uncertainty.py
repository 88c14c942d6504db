"""Weights learned from the uncertainty of each task."""

import keras
from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import Configured, register
from kerasmith.base.arguments import check_choice, check_number


@register
class Uncertainty(Configured):
    """A weight that is learned with the model, from the homoscedastic uncertainty of a task.

    With s = log(sigma^2), one trainable variable a term:
    "regression": L exp(-s) / 2 + s / 2, for squared errors and other losses of measured quantities;
    "classification": L exp(-s) + s / 2, for cross-entropies of logits.

    What is shown as `<term>_weight` is the factor in front of L.

    Args:
        form: "regression" or "classification".
        initial_log_variance: s before training.

    Raises:
        ValueError: for another form.

    Example:

    >>> from kerasmith import Objective, Term
    >>> objective = Objective({
    ...     "depth": Term("mse", weight="learned"),
    ...     "labels": Term("categorical_crossentropy", weight=Uncertainty("classification")),
    ... })

    An optimizer with weight decay pulls s towards 0; `optimizer.exclude_from_weight_decay(var_names=["log_variance"])` before
    `fit` keeps it out.

    Reference: Kendall, Gal and Cipolla, "Multi-task learning using uncertainty to weigh losses for scene geometry and
    semantics", 2018, equations 7 and 10.
    """

    has_column = True

    def __init__(self, form: str = "regression", *, initial_log_variance: float = 0.0) -> None:
        check_choice("form", form, ("regression", "classification"))
        check_number("initial_log_variance", initial_log_variance)
        self.form = form
        self.initial_log_variance = initial_log_variance

    def build(self, add_weight: Function, name: str) -> None:
        self.log_variance = add_weight(
            shape=(), initializer=keras.initializers.Constant(self.initial_log_variance), name=f"{name}_log_variance"
        )

    def __call__(self, step: Tensor) -> tuple[Tensor, Tensor]:
        s = ops.convert_to_tensor(self.log_variance)
        return ops.exp(-s) * (0.5 if self.form == "regression" else 1.0), 0.5 * s
