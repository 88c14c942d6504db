"""A loss as a node in a graph of layers: what it is where labels and predictions are placeholders."""

from typing import Any

import keras
from keras import tree

from kerasmith._types import Config, Tensor
from kerasmith.base.configured import register


def has_placeholders(*inputs: Any) -> bool:
    """Whether a `KerasTensor`, which has a shape and no values, is among the inputs, in any nest."""
    return any(keras.utils.is_keras_tensor(leaf) for leaf in tree.flatten(inputs))


@register
class LossNode(keras.Operation):
    """The operation `loss(y_true, y_pred, sample_weight)` of a functional model, which saves and loads it.

    Args:
        loss: a loss of kerasmith.
        name: name of the operation; one of its own by default.
    """

    def __init__(self, loss: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self.loss = loss

    def call(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        return self.loss(y_true, y_pred, sample_weight)

    def get_config(self) -> Config:
        return {"loss": keras.saving.serialize_keras_object(self.loss), "name": self.name}

    @classmethod
    def from_config(cls, config: Config) -> "LossNode":
        return cls(keras.saving.deserialize_keras_object(config["loss"]), config["name"])
