"""Where Keras on TensorFlow computes the loss and the metrics of a step in one of several workers."""

from collections.abc import Callable
from typing import Any

import keras


def let_workers_fit() -> None:
    """From now on Keras builds a model under several workers from a batch of its own worker, and takes the logs of its own.

    Keras 3.15 reduces a first batch over the workers, which is spread over them and no tensor, and logs along an axis that a
    number does not have; it fails in both.
    """
    from keras import tree
    from keras.src.backend.tensorflow import trainer

    of_keras = trainer.reduce_per_replica

    def reduce_per_replica(values: Any, strategy: Any, reduction: str) -> Any:
        if reduction != "auto":
            return of_keras(values, strategy, reduction)
        return tree.map_structure(lambda one: strategy.experimental_local_results(one)[0], values)

    def _maybe_symbolic_build(self: Any, iterator: Any = None, data_batch: Any = None) -> None:
        strategy = self.distribute_strategy
        if iterator is not None:
            for _, _, batches in iterator:
                data_batch = next(batches)
                break
        data_batch = tree.map_structure(lambda leaf: strategy.experimental_local_results(leaf)[0], data_batch)
        with strategy.scope():
            self._symbolic_build(data_batch=data_batch)

    trainer.reduce_per_replica = reduce_per_replica
    keras.Model._maybe_symbolic_build = _maybe_symbolic_build


def replace_loss_and_metrics(
    loss: Callable[..., Any], added: Callable[..., Any], metrics: Callable[..., Any], samples: Callable[[], Any]
) -> None:
    """From now on a step computes its loss and its metrics by other functions.

    Args:
        loss: (Keras' own, model, x, y, y_pred, sample_weight, training) -> the loss.
        added: (Keras' own, model, loss) -> what layers have added to it.
        metrics: (Keras' own, model, x, y, y_pred, sample_weight) -> the logs.
        samples: () -> how many samples the step has, or None outside of one.
    """
    from keras.src.losses import loss as module

    def same(value: Any) -> Any:
        return value

    # Keras divides each loss by the number of workers, and multiplies what it shows.
    module.scale_loss_for_distribution = same
    module.unscale_loss_for_distribution = same
    own_loss, own_added, own_metrics = (
        keras.Model._compute_loss,
        keras.Model._aggregate_additional_loss,
        keras.Model.compute_metrics,
    )
    own_update, own_variable = keras.metrics.Mean.update_state, keras.Metric.add_variable

    def _compute_loss(
        self: Any, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        return loss(own_loss, self, x, y, y_pred, sample_weight, training)

    def _aggregate_additional_loss(self: Any, value: Any) -> Any:
        return added(own_added, self, value)

    def compute_metrics(self: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return metrics(own_metrics, self, x, y, y_pred, sample_weight)

    def update_state(self: Any, values: Any, sample_weight: Any = None) -> Any:
        # Of the column `loss`, whose weight is the number of samples.
        whole = (
            samples() if self.name == "loss" and sample_weight is not None and not hasattr(values, "_keras_history") else None
        )
        return own_update(self, values, sample_weight if whole is None or getattr(values, "shape", 1) != () else whole)

    def add_variable(
        self: Any, shape: Any, initializer: Any, dtype: Any = None, aggregation: Any = None, name: Any = None
    ) -> Any:
        # Every worker sees the whole batch.
        return own_variable(self, shape, initializer, dtype, "only_first_replica", name)

    keras.Model._compute_loss = _compute_loss
    keras.Model._aggregate_additional_loss = _aggregate_additional_loss
    keras.Model.compute_metrics = compute_metrics
    keras.metrics.Mean.update_state = update_state
    keras.Metric.add_variable = add_variable
