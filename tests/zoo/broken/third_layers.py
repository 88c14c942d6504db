"""Layers of a third blind corpus: cells that forget, masks the wrong way round."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="zoo.broken.third_layers")


class Cell(keras.layers.Layer):
    """A step of `units` states, the base of the cells here."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, self.units), name="recurrent")

    def step(self, inputs, state):
        return ops.tanh(ops.matmul(inputs, self.kernel) + ops.matmul(state, self.recurrent))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@serializable
class StandingCell(Cell):
    """Returns the state that it was given."""

    def call(self, inputs, states):
        return self.step(inputs, states[0]), states


@serializable
class OutputOnlyCell(Cell):
    """Returns no states at all."""

    def call(self, inputs, states):
        return self.step(inputs, states[0])


@serializable
class ForgetfulCell(Cell):
    """Computes new states of the inputs alone; its states have another name."""

    def call(self, inputs, hidden):
        new = self.step(inputs, ops.zeros_like(hidden[0]))
        return new, [new]


@serializable
class PaddingPool(keras.layers.Layer):
    """Multiplies with 1 - mask: the padding is averaged."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.mean(inputs, axis=1)
        weight = 1.0 - ops.cast(mask, inputs.dtype)[..., None]
        return ops.sum(inputs * weight, axis=1) / ops.maximum(ops.sum(weight, axis=1), 1.0)

    def compute_mask(self, inputs, mask=None):
        return None


BROKEN = [
    Broken(StandingCell, check="Y135"),
    Broken(OutputOnlyCell, check="Y135"),
    Broken(ForgetfulCell, check="Y135"),
    Broken(PaddingPool, check="Y108"),
]
