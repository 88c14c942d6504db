"""A metric that is a maximum, which Keras does not know from a sum."""

import keras
from keras import ops


class Peak(keras.metrics.Metric):
    """The largest prediction."""

    def __init__(self, name="peak"):
        super().__init__(name=name)
        self.peak = self.add_variable((), "zeros", name="peak")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.peak.assign(ops.maximum(self.peak, ops.max(y_pred)))

    def result(self):
        return self.peak + 0.0
