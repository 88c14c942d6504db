"""A loss among the metrics of `compile`: its mean over samples, whatever the batches.

Keras wraps it in a mean of what it returns, which for a loss is one number a batch: the mean of batch means, where a short
last batch counts as much as a whole one, and weights of samples play no part.
"""

from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base.loss import Loss
from kerasmith.keras_internals.shape_inference import clean_retry
from kerasmith.numerics import safe
from kerasmith.numerics.tensors import accumulation_dtype


def weighted_values(
    function: Any, fixed: dict[str, Any], y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None
) -> tuple[Tensor, Tensor | None] | None:
    """(B,) values and weights whose weighted mean over all samples is the metric; None for what is no loss of kerasmith.

    Weights act as in every metric: a sample of weight 2 counts twice, sum(w l) / sum(w). Weights of pixels are inside the loss
    of a sample; those that it is a weighted sum over count as the sample's weight, too.

    Args:
        function: a loss, or the functional form of one.
        fixed: keyword arguments of the function.
        y_true, y_pred, sample_weight: as of the loss.

    Raises:
        ValueError: for `reduction="sum"`, and for weights of pixels where the terms of a loss use them in different ways.
    """
    as_loss = getattr(function, "as_loss", None)
    loss = function if isinstance(function, Loss) and not fixed else as_loss(**fixed) if as_loss else None
    if loss is None:
        return None
    if loss.reduction == "sum":
        raise ValueError(
            f"As a metric a loss is a mean over samples, and `reduction='sum'` is none. Write `metrics=[{type(loss).__name__}("
            f"...)]` without `reduction`. Received: {type(loss).__name__}(reduction='sum')"
        )
    with clean_retry():
        return _merged(loss, loss.weighted_terms(y_true, y_pred, sample_weight))


def _merged(loss, terms):
    dtype, total = accumulation_dtype(loss.dtype), None
    weight_means = [term.per_sample.weight_mean for term, _ in terms]
    if any(one is None for one in weight_means) and any(one is not None for one in weight_means):
        names = ", ".join(f"'{term.name}'" for term, _ in terms)
        raise ValueError(
            f"The terms of '{loss.name}' ({names}) use weights of pixels in different ways, so that their sum has no weighted "
            "mean. Write each as a metric of its own, `weighted_metrics=[CrossEntropy(), Dice()]`, or pass weights of samples."
        )
    for term, _ in terms:
        value = ops.cast(term.per_sample.values, dtype) * term.factor
        total = value if total is None else total + value
    weight, weight_mean = terms[0][1].effective_sample, weight_means[0]
    if weight is not None:
        weight = ops.broadcast_to(ops.cast(weight, dtype), ops.shape(total))
    if weight_mean is not None:
        weight_mean = ops.cast(weight_mean, dtype)
        total = safe.ratio(total, weight_mean, when_empty=0.0)
        weight = weight_mean if weight is None else weight * weight_mean
    if weight is not None:  # a sample that does not count may hold anything, NaN too
        total = ops.where(weight == 0, ops.zeros_like(total), total)
    return total, weight
