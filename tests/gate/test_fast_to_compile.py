"""What makes compilation cheaper in the gate still does so, with these versions of Keras and TensorFlow."""

import os

import keras
import numpy as np
import pytest

BACKEND = keras.backend.backend()
pytestmark = pytest.mark.skipif(os.environ.get("KERASMITH_FAST_TO_COMPILE") != "1", reason="the gate asks for it")


@pytest.mark.skipif(BACKEND != "tensorflow", reason="of TensorFlow alone")
def test_a_step_is_traced_once():
    traces = []

    class Model(keras.Sequential):
        def train_step(self, data):
            traces.append(self.optimizer.built)
            return super().train_step(data)

    model = Model([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, epochs=2, verbose=0)
    assert traces == [True]
