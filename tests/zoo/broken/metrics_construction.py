"""Metrics that cannot be made, or that are made under a name that is taken."""

import keras
from keras import ops

from tests.zoo.entries import Broken

serializable = keras.saving.register_keras_serializable(package="broken_metrics")

REGRESSION = {"y_true": "float32[4,3](-2,2)", "y_pred": "float32[4,3](-2,2)"}
BINARY = {"y_true": "float32[4,1]{0,1}", "y_pred": "float32[4,1](0,1)"}


@serializable
class OldAddWeight(keras.metrics.Metric):
    """`add_weight("total")`: Keras 2 took the name first, Keras 3 the shape; guide "Migrating Keras 2 code"."""

    def __init__(self, name="old_add_weight", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight("total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(ops.sum(ops.abs(y_true - y_pred)))

    def result(self):
        return self.total + 0.0


_MADE = []


@serializable
class OnceOnly(keras.metrics.MeanMetricWrapper):
    """Refuses a second metric of its name, and loading builds it again; no thread, constructed."""

    def __init__(self, name="once_only", dtype=None):
        if name in _MADE:
            raise ValueError(f"a metric named {name} exists")
        _MADE.append(name)
        super().__init__(keras.losses.mean_absolute_error, name=name, dtype=dtype)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


@serializable
class CalledLoss(keras.metrics.MeanMetricWrapper):
    """Is called "loss": hides the loss from History and ModelCheckpoint; no thread, measured (duplicate keys overwrite)."""

    def __init__(self, name="loss", dtype=None):
        super().__init__(keras.losses.mean_absolute_error, name=name, dtype=dtype)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


@serializable
class RoundedAccuracy(keras.metrics.MeanMetricWrapper):
    """Is called "accuracy", as is the metric of `metrics=["accuracy"]` beside it; no thread, measured as above."""

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(keras.metrics.binary_accuracy, name=name, dtype=dtype)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


BROKEN = [
    Broken(OldAddWeight, "X100", REGRESSION),
    Broken(OnceOnly, "X100", REGRESSION),
    Broken(CalledLoss, "X112", REGRESSION),
    Broken(RoundedAccuracy, "X112", BINARY),
]
