"""Where Keras reduces a loss or adds one of a layer's, so that it may be done over the batch of all processes."""

import types
from collections.abc import Callable
from typing import Any

import keras

_REDUCED = "_kerasmith_over_all_processes"
# Of a loss that gives one number for a batch.
_OF_BATCH = "_kerasmith_of_batch"


def replace_reduction(over_all: Callable[..., Any], of_whole: Callable[..., Any]) -> None:
    """From now on the losses of Keras are reduced by another function, once and for all.

    Args:
        over_all: (the functions of Keras' own, values, sample_weight, mask, reduction, dtype) -> the loss, or None for a loss
            that gives one number for a batch.
        of_whole: (Keras' `Loss.__call__`, the loss, y_true, y_pred, sample_weight) -> the loss of such a one.
    """
    from keras.src.losses import loss as module

    own = module.reduce_weighted_values
    if getattr(own, _REDUCED, False):
        return
    of_keras = keras.losses.Loss.__call__
    functions = types.SimpleNamespace(reduce_weighted_values=own, apply_mask=module.apply_mask)

    def reduce_weighted_values(
        values: Any, sample_weight: Any = None, mask: Any = None, reduction: Any = "sum_over_batch_size", dtype: Any = None
    ) -> Any:
        return over_all(functions, values, sample_weight=sample_weight, mask=mask, reduction=reduction, dtype=dtype)

    def __call__(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if not vars(self).get(_OF_BATCH, False):
            result = of_keras(self, y_true, y_pred, sample_weight)
            if result is not None:
                return result
            object.__setattr__(self, _OF_BATCH, True)
        return of_whole(of_keras, self, y_true, y_pred, sample_weight)

    setattr(reduce_weighted_values, _REDUCED, True)
    module.reduce_weighted_values = reduce_weighted_values
    keras.losses.Loss.__call__ = __call__


def replace_added_losses(share: Callable[[Any], Any]) -> None:
    """From now on what layers gave to `add_loss` goes through a function before it is added; regularisers do not."""
    own = keras.layers.Layer._get_own_losses
    if getattr(own, _REDUCED, False):
        return

    def _get_own_losses(self: Any) -> list[Any]:
        return [share(loss) for loss in own(self)]

    setattr(_get_own_losses, _REDUCED, True)
    keras.layers.Layer._get_own_losses = _get_own_losses


def override(instance: Any, name: str, function: Callable[..., Any]) -> None:
    """Gives an object of Keras another method, unseen by what Keras tracks."""
    object.__setattr__(instance, name, function)


def single_metrics(model: keras.Model) -> list[keras.metrics.Metric]:
    """The metrics of a model, those that `compile` was given one by one."""
    found = []
    for metric in model.metrics:
        inside = getattr(metric, "metrics", None) if type(metric).__name__ == "CompileMetrics" else None
        found.extend([metric] if inside is None else inside)
    return found


def is_kerass_sum(metric: keras.metrics.Metric) -> bool:
    """Whether a metric is one of Keras' own, which all add up what each sample gives, and so over processes.

    A mean of a loss of Keras or of a function of the user's is not: it may give one number for a batch.
    """
    if type(metric).__module__.partition(".")[0] != "keras":
        return False
    function = getattr(metric, "_fn", None)
    module = (getattr(function, "__module__", None) or type(function).__module__).partition(".")[0]
    return function is None or module == "kerasmith" or (module == "keras" and not isinstance(function, keras.losses.Loss))
