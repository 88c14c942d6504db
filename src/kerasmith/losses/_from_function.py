"""A loss of a plain function, or of a function that makes one."""

import inspect
from collections.abc import Mapping
from typing import Any

from kerasmith._types import DType, Function, Reduction, Tensor
from kerasmith.base import Loss, PerSample, register
from kerasmith.base.elements import in_one_dtype, per_sample_mean
from kerasmith.base.saved_function import register_function, why_not_savable
from kerasmith.base.weights import Weights
from kerasmith.labels.alignment import check_batch
from kerasmith.numerics.tensors import static_shape


@register
class FunctionLoss(Loss):
    """What `from_function` returns: a loss that saves its function by name and its arguments by value.

    Args:
        fn: see `from_function`.
        fixed: dict of keyword arguments for `fn`.
        reduction, name, dtype: see `kerasmith.base.Loss`.
    """

    def __init__(self, fn: Function, fixed: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        fixed = dict(fixed or {})
        _check_loadable(fn)
        register_function(fn)
        makes_loss = _is_factory(fn, fixed)
        kwargs["name"] = kwargs.get("name") or fn.__name__
        super().__init__(**kwargs)
        self.fn = fn
        self.fixed = fixed
        self._function = fn(**fixed) if makes_loss else lambda y_true, y_pred: fn(y_true, y_pred, **fixed)
        if not callable(self._function):
            raise ValueError(f"`{fn.__name__}` takes no labels, so it must return a function (y_true, y_pred) -> losses.")

    def per_sample(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> PerSample:
        check_batch(y_true, y_pred)
        y_true, y_pred = in_one_dtype(y_true, y_pred)
        values = self._function(y_true, y_pred)
        shape, batch = static_shape(values, f"the result of {self.fn.__name__}"), static_shape(y_pred, "y_pred")[0]
        if not shape or (None not in (shape[0], batch) and shape[0] != batch):
            raise ValueError(
                f"`{self.fn.__name__}` must return one loss a sample, or more, shape ({batch}, ...). It returned {shape} "
                f"for y_true of shape {tuple(y_true.shape)} and y_pred of shape {tuple(y_pred.shape)}: take the mean over the "
                "last axes only, and mind shapes that broadcast."
            )
        return PerSample(*per_sample_mean(self.transform(values), weights))

    def transform(self, values: Tensor) -> Tensor:
        """From what the function returns to losses."""
        return values


def from_function(
    fn: Function, name: str | None = None, *, reduction: Reduction = "sum_over_batch_size", dtype: DType = None, **fixed: Any
) -> FunctionLoss:
    """A loss of a plain function: weighted, configurable, saved and loaded.

    Two forms give the same numbers: `fn(y_true, y_pred, **fixed)`, which returns losses of shape (B,) or (B, ...), and a
    function that makes one, `fn(**fixed)(y_true, y_pred)`. As in Keras, both get labels and predictions in one dtype: float32,
    under mixed precision too, or float64.

    Args:
        fn: a function of a module, best decorated with `@keras.saving.register_keras_serializable("my_package")`: a model that
            was saved with it then loads wherever that module was imported. Without the decorator this call registers it, and
            has to run before the model is loaded. The source of the function is not saved.
        name: name of the loss; that of the function by default.
        reduction, dtype: see `kerasmith.base.Loss`.
        **fixed: keyword arguments for `fn`. They are saved.

    Raises:
        ValueError: for a lambda, an unregistered function inside a function, and one that captures values: a saved model could
            not find it, or would find it with other values.
        TypeError: if `fn` lacks an argument or does not know one of `fixed`.

    Example:

    >>> import keras
    >>> from keras import ops
    >>> @keras.saving.register_keras_serializable("docs")
    ... def pulled(y_true, y_pred, factor):
    ...     return ops.mean(ops.square(y_true - y_pred) + factor * ops.abs(y_pred), axis=-1)
    >>> round(float(from_function(pulled, factor=0.1)([[1.0, 0.0]], [[0.5, 0.5]])), 4)
    0.3
    """
    return FunctionLoss(fn, fixed, name=name, reduction=reduction, dtype=dtype)


def _check_loadable(fn):
    if not inspect.isfunction(fn):
        raise TypeError(f"`fn` must be a Python function. Received: fn={fn!r} of type {type(fn).__name__}")
    reason = why_not_savable(fn)
    if reason is not None and "captures" in reason:
        raise ValueError(
            f"{reason}. Pass the function that makes it, "
            "`from_function(make_loss, factor=0.1)`, or write the value as an argument, "
            "`def loss(y_true, y_pred, factor)` and `from_function(loss, factor=0.1)`."
        )
    if reason is not None:
        raise ValueError(
            f"{reason}. Write a named function and register it:\n"
            '    @keras.saving.register_keras_serializable("my_package")\n'
            "    def my_loss(y_true, y_pred): ..."
        )


def _is_factory(fn, fixed):
    """Whether `fn(**fixed)` makes the loss; the other form leaves two arguments open."""
    kinds = inspect.Parameter
    parameters = inspect.signature(fn).parameters.values()
    takes_any = any(p.kind is kinds.VAR_KEYWORD for p in parameters)
    unknown = [key for key in fixed if not takes_any and key not in inspect.signature(fn).parameters]
    if unknown:
        known = ", ".join(p.name for p in parameters)
        raise TypeError(f"`{fn.__name__}` has no argument {unknown[0]!r}. Its arguments are: {known}")
    variable = (kinds.VAR_KEYWORD, kinds.VAR_POSITIONAL)
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in variable and p.name not in fixed]
    if len(needed) not in (0, 2):
        raise TypeError(
            f"`{fn.__name__}` must leave y_true and y_pred open, or nothing if it makes the loss. Left open: "
            f"{', '.join(needed)}. Write `from_function({fn.__name__}, {needed[-1]}=...)`."
        )
    return not needed
