"""A step of one of several workers: losses and metrics are computed from the predictions for the whole batch."""

from typing import Any

import tensorflow as tf
from keras import tree

from kerasmith.distribution._alone import alone
from kerasmith.distribution._running import RUNNING
from kerasmith.keras_internals.tensors import keras_mask, set_keras_mask

# What workers can exchange.
_SENT = (tf.float16, tf.float32, tf.float64, tf.int32, tf.int64)


def part_of(samples: Any, rank: int, count: int) -> tuple[Any, Any]:
    """(first, size) of the part of a process, of samples that are divided as evenly as they can be."""
    size, more = samples // count, samples % count
    return rank * size + tf.minimum(rank, more), size + tf.cast(rank < more, size.dtype)


class WholeStep:
    """What a step of several workers puts in place of Keras' loss and metrics.

    Each worker has its part of a batch, and computes the loss from the predictions of all: the sum over workers of the
    gradients of a `count`-th of it is the gradient of the whole, as predictions of the own part carry theirs `count` times.

    Args:
        rank, count: of this worker, and how many there are.
    """

    def __init__(self, rank: int, count: int) -> None:
        self._rank, self._count = rank, count
        self._own: Any = None
        self._whole: Any = None

    def loss(self, own: Any, model: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """The loss of the whole batch, with the gradient of this worker's part."""
        if tf.distribute.get_replica_context() is None:
            return own(model, x, y, y_pred, sample_weight, training)
        first = tree.flatten(y_pred)[0]
        self._own = tf.shape(first)[0]
        self._whole = self._sum(self._own)
        expected = part_of(self._whole, self._rank, self._count)[1]
        same = tf.debugging.assert_equal(
            self._own, expected, "Processes have other numbers of samples: every one must iterate over the same batches."
        )
        with tf.control_dependencies([] if same is None else [same]):
            self._whole = tf.identity(self._whole)
        y, y_pred, sample_weight = self._of_all(y), self._of_all(y_pred, True), self._of_all(sample_weight)
        if any("x" in term.asks for term in getattr(getattr(model, "objective", None), "terms", ())):
            x = self._of_all(x)
        RUNNING.rows_of_all = self._rows_of_all
        try:
            with alone():
                value = own(model, x, y, y_pred, sample_weight, training)
        finally:
            RUNNING.rows_of_all = None
        return _scaled_gradient(value, 1.0 / self._count)

    def _rows_of_all(self, values):
        return self._of_all(values, True)

    def added(self, own: Any, model: Any, value: Any) -> Any:
        """What layers have added, which is a mean over the samples of this worker, as that over all."""
        value = own(model, value)
        if tf.distribute.get_replica_context() is None or self._whole is None:
            return value
        share = tf.cast(self._own, value.dtype) / tf.cast(self._whole, value.dtype)
        part = tf.where(self._own > 0, value, tf.zeros_like(value)) * share
        whole = self._sum(tf.stop_gradient(part))
        return _scaled_gradient(part, float(self._count)) + tf.stop_gradient(whole - part)

    def metrics(self, own: Any, model: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """The logs of the whole batch."""
        if tf.distribute.get_replica_context() is None:
            return own(model, x, y, y_pred, sample_weight)
        y, y_pred, sample_weight = self._of_all(y), self._of_all(y_pred), self._of_all(sample_weight)
        with alone():
            return own(model, x, y, y_pred, sample_weight)

    def samples(self) -> Any:
        """How many samples the step under way has; None outside of one."""
        return None if tf.distribute.get_replica_context() is None else self._whole

    def _sum(self, value):
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)

    def _of_all(self, values, with_gradient=False):
        return tree.map_structure(lambda one: None if one is None else self._gathered(one, with_gradient), values)

    def _gathered(self, value, with_gradient):
        # Converting would lose it.
        mask = keras_mask(value)
        value = tf.convert_to_tensor(value)
        kind = value.dtype
        sent = value if kind in _SENT else tf.cast(value, tf.float32 if kind.is_floating else tf.int64)
        whole = tf.distribute.get_replica_context().all_gather(tf.stop_gradient(sent), axis=0)
        whole = tf.cast(whole, kind)
        whole.set_shape([None, *value.shape[1:]])
        if with_gradient:
            whole = self._with_own_gradient(whole, value)
        if mask is not None:
            set_keras_mask(whole, self._gathered(mask, False))
        return whole

    def _with_own_gradient(self, whole, value):
        first, size = part_of(tf.shape(whole)[0], self._rank, self._count)
        own = _scaled_gradient(value, float(self._count))
        return tf.concat([whole[:first], own, whole[first + size :]], axis=0)


def _scaled_gradient(value, factor):
    @tf.custom_gradient
    def same(x: Any) -> Any:
        return tf.identity(x), lambda upstream: upstream * tf.cast(factor, upstream.dtype)

    return same(value)
