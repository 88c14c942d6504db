"""A named place in a model whose tensor the terms of an objective can read."""

from typing import Any

import keras

from kerasmith._types import Config, DType, Tensor
from kerasmith.base import register
from kerasmith.base.keywords import KnowsKeywords
from kerasmith.keras_internals.layers import all_layers
from kerasmith.objectives.step_record import current


@register
class Tap(KnowsKeywords, keras.layers.Layer):
    """Identity; shows the tensor that flows through it to the terms of an `Objective`, as `features[name]`.

    Args:
        name: how the terms call it.
        dtype: see `keras.layers.Layer`.

    Call arguments:
        inputs: any tensor; a mask is passed on.

    Returns:
        The same tensor.

    Example:

    >>> from keras import ops
    >>> from kerasmith import Model, Objective, Tap, Term
    >>> inputs = keras.Input((3,))
    >>> hidden = Tap("hidden")(keras.layers.Dense(4, activation="relu")(inputs))
    >>> model = Model(inputs, keras.layers.Dense(1)(hidden))
    >>> def sparse(features):
    ...     return ops.mean(ops.abs(features["hidden"]), axis=-1)
    >>> model.compile("sgd", Objective({"fit": "mse", "sparse": Term(sparse, weight=0.01)}))
    >>> sorted(model.evaluate(ops.ones((2, 3)), ops.ones((2, 1)), return_dict=True, verbose=0))
    ['fit', 'loss', 'sparse']
    """

    def __init__(self, name: str, *, dtype: DType = None) -> None:
        if not isinstance(name, str) or not name:
            raise TypeError(f'A Tap needs the name that terms read it by, `Tap("hidden")`. Received: name={name!r}')
        super().__init__(name=name, dtype=dtype)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        record = current()
        if record is None:
            return inputs
        # What a task sends back here is the gradient by the shift; JAX knows no other way into the middle of a function.
        outputs = inputs + record.shifts[self.name] if self.name in record.shifts else inputs
        if record.seen is not None:
            record.seen.setdefault(self.name, []).append(outputs)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> Config:
        return {"name": self.name, "dtype": super().get_config()["dtype"]}


def taps_of(model: keras.Model) -> list[str]:
    """Names of the taps of a model, nested models included."""
    return [layer.name for layer in all_layers(model, include_self=False) if isinstance(layer, Tap)]
