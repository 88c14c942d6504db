"""Layers that look like those of the third corpus and are right: cells with their own names and kinds of states."""

import keras

from tests.zoo.broken.third_layers import Cell
from tests.zoo.entries import Right

serializable = keras.saving.register_keras_serializable(package="right_third_layers")


@serializable
class CarryCell(Cell):
    """Two states, of which one only counts; the second argument has another name."""

    def __init__(self, units=4, **kwargs):
        super().__init__(units, **kwargs)
        self.state_size = [units, 1]

    def call(self, inputs, carry, training=False):
        new = self.step(inputs, carry[0])
        return new, [new, carry[1] + 1.0]


RIGHT = [Right(CarryCell)]
