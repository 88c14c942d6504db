"""Which loss and which metrics Keras has for each output of a model, and what it gives them."""

from typing import Any, NamedTuple

import keras
from keras import ops, tree


class Pair(NamedTuple):
    """A compiled loss and what it is given.

    Attributes:
        name: Keras' name for it: that of the output where it has one.
        loss: the `Loss`; functions and names are wrapped in one.
        weight: its loss weight, or None.
        y_true, y_pred, sample_weight: the tensors it is called with.
    """

    name: str
    loss: Any
    weight: Any
    y_true: Any
    y_pred: Any
    sample_weight: Any


def loss_pairs(model: keras.Model, y: Any, y_pred: Any, sample_weight: Any = None) -> list[Pair]:
    """The losses of `compile` with what Keras gives each; [] where there is none. Builds them.

    Raises:
        Exception: what Keras raises where losses, labels and outputs do not fit.
    """
    compiled = getattr(model, "_compile_loss", None)
    if compiled is None:
        return []
    if not compiled.built:
        try:
            compiled.call(y, y_pred, sample_weight)
        except Exception:
            if not compiled.built:
                raise
    pairs: list[Pair] = []

    def recorder(path: Any, loss: Any, weight: Any, name: str) -> Any:
        def record(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            pairs.append(Pair(name, loss, weight, y_true, y_pred, sample_weight))
            return ops.zeros(())

        return type(compiled).Loss(path, record, None, name)

    losses = compiled._flat_losses
    compiled._flat_losses = [recorder(*one) for one in losses]
    try:
        compiled.call(y, y_pred, sample_weight)
    finally:
        compiled._flat_losses = losses
    return pairs


def metrics_of_outputs(model: keras.Model, y: Any, y_pred: Any) -> list[tuple[Any, list[Any], list[Any]]]:
    """[(output, metrics, weighted metrics)], in Keras' order of the outputs. Builds the metrics.

    Raises:
        Exception: what Keras raises where metrics, labels and outputs do not fit.
    """
    compiled = getattr(model, "_compile_metrics", None)
    if compiled is None:
        return []
    if not compiled.built:
        compiled.build(y, y_pred)
    outputs = compiled._flatten_y(y_pred)
    plain, weighted = (
        [[] if one is None else list(one.metrics) for one in found]
        for found in (compiled._flat_metrics, compiled._flat_weighted_metrics)
    )
    return list(zip(outputs, plain, weighted, strict=False))


def given(model: keras.Model) -> dict[str, Any]:
    """{"loss", "loss_weights", "metrics", "weighted_metrics"} as `compile` was given them; None for what was not."""
    loss, metrics = getattr(model, "_compile_loss", None), getattr(model, "_compile_metrics", None)
    return {
        "loss": getattr(loss, "_user_loss", None),
        "loss_weights": getattr(loss, "_user_loss_weights", None),
        "metrics": getattr(metrics, "_user_metrics", None),
        "weighted_metrics": getattr(metrics, "_user_weighted_metrics", None),
    }


def output_names(model: keras.Model, y_pred: Any) -> list[str]:
    """A name for each output, in the order of `tree.flatten`: Keras', keys of a dict, else "output" with a number."""
    count = len(tree.flatten(y_pred))
    if isinstance(y_pred, dict) and len(y_pred) == count:
        return [str(key) for key in sorted(y_pred)]
    names = getattr(model, "output_names", None) or []
    return list(names) if len(names) == count else [f"output {i}" if count > 1 else "output" for i in range(count)]
