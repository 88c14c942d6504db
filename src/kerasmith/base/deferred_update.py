"""Metrics that work on the host, in steps of TensorFlow that XLA compiles: they take up a batch after its step."""

import math
from typing import Any

import keras
from keras import ops, tree

from kerasmith._types import Function, Tensor
from kerasmith.distribution import replica_count
from kerasmith.keras_internals.tensors import compiled_by_xla, keras_mask, output_spec, outside_of_the_step, set_keras_mask
from kerasmith.keras_internals.xla_steps import ONE_STEP_AFTER_THE_OTHER, StepBuffer


class DeferredUpdate:
    """Mixin for metrics: under XLA those that work on the host go through `defer` and `unknown`.

    Attributes:
        works_on_host: whether `update_state` calls the host (since 0.2).
    """

    works_on_host: bool = False
    _buffer = None

    @property
    def variables(self) -> list[Any]:
        """As in Keras; what the last step has left is in them."""
        self.catch_up()
        return super().variables

    def reset_state(self) -> None:
        """Forgets all data."""
        if self._buffer is not None:
            self._buffer.clear()
        super().reset_state()

    def catch_up(self) -> None:
        """Adds the batch of the last step, where values can be read."""
        if self._buffer is not None and keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            if tf.executing_eagerly():
                self._buffer.drain()

    def is_deferred(self) -> bool:
        """Whether this is a step that cannot call the host, as this metric would."""
        return self.works_on_host and compiled_by_xla()

    def defer(self, update_state: Function, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        """Leaves a batch to the host."""
        if replica_count() > 1:
            raise RuntimeError(ONE_STEP_AFTER_THE_OTHER)
        given = (y_true, y_pred, sample_weight, keras_mask(y_pred))
        given = [None if x is None else ops.convert_to_tensor(x) for x in given]
        if not self.variables:  # as Keras' symbolic build does; results have no keys without
            specs = [x if x is None else keras.KerasTensor(x.shape, x.dtype.name) for x in given[:3]]
            with outside_of_the_step():
                output_spec(lambda *batch: update_state(self, *batch), *specs)
        if self._buffer is None:
            object.__setattr__(self, "_buffer", StepBuffer(self._take))
        self._buffer.write(tuple(x is not None for x in given), [x for x in given if x is not None])

    def _take(self, is_given, *tensors):
        left = iter(tensors)
        y_true, y_pred, sample_weight, mask = (next(left) if there else None for there in is_given)
        if mask is not None:
            set_keras_mask(y_pred, mask)
        self.update_state(y_true, y_pred, sample_weight)

    def unknown(self, result: Function) -> Any:
        """NaN for each number of the result: what is known within the step is not that of its batch."""
        with outside_of_the_step():
            known = result(self)
        return tree.map_structure(lambda value: ops.full((), math.nan, value.dtype), known)
