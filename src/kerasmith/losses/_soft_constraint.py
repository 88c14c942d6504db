"""Hinge penalty on any rule."""

from collections.abc import Mapping
from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.losses._from_function import FunctionLoss
from kerasmith.numerics.tensors import accumulation_dtype


@register
class SoftConstraint(FunctionLoss):
    """Penalty where a rule g(y_true, y_pred) <= 0 is broken, or kept by less than a margin.

    loss = mean of max(0, g + margin) ** power over what `fn` returns for a sample

    Meant as a term: `MeanSquaredError + 0.1 * SoftConstraint(budget)`, see `WeightedSum`.

    Args:
        fn: a function `fn(y_true, y_pred, **fixed)` that returns g, shape (B,) or (B, ...): how far the rule is broken,
            negative where it is kept. What `losses.from_function` says about saving holds here too.
        margin: number >= 0, by how much the rule must be kept.
        power: 1 (hinge) or 2 (squared hinge, smooth where the penalty begins).
        fixed: dict of keyword arguments for `fn`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Raises:
        ValueError: for functions that could not be loaded again, or that return one number for the batch.

    Example:

    >>> import keras
    >>> @keras.saving.register_keras_serializable("docs")
    ... def budget(y_true, y_pred):
    ...     return keras.ops.sum(y_pred, axis=-1) - 1.0
    >>> loss = SoftConstraint(budget, margin=0.1)
    >>> round(float(loss([[0.0, 0.0]], [[0.7, 0.5]])), 4)
    0.3
    """

    def __init__(
        self, fn: Function, margin: float = 0.0, *, power: int = 1, fixed: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        check_number("margin", margin, minimum=0)
        check_choice("power", power, (1, 2))
        super().__init__(fn, fixed, **kwargs)
        self.margin = margin
        self.power = power

    def transform(self, values: Tensor) -> Tensor:
        excess = ops.relu(ops.cast(values, accumulation_dtype(values.dtype)) + self.margin)
        return excess if self.power == 1 else ops.square(excess)


soft_constraint: Function = make_functional(SoftConstraint, "soft_constraint")
