"""A schedule that changes while a model trains takes effect, on JAX too."""

import keras
import numpy as np

from kerasmith.keras_internals.retrace import retrace
from kerasmith.schedules.scaled import Scaled


class Stop(keras.callbacks.Callback):
    """Sets the rate to 0 in the middle of an epoch."""

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 3:
            self.held = self.model.train_function
            self.model.optimizer.learning_rate = Scaled(0.1, 0.0)
            retrace(self.model)


def test_a_new_schedule_is_used_from_the_next_step_on():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(Scaled(0.1, 1.0)), "mse")
    x, y = np.ones((8, 1), "float32"), np.zeros((8, 1), "float32")
    model.fit(x, y, batch_size=1, verbose=0, callbacks=[Stop()])
    np.testing.assert_allclose(model.get_weights()[0], 0.8**3, rtol=1e-6)
    assert "train_step" not in vars(model)
