"""The one small model that callbacks are run with, as good as new for each run."""

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from kerasmith.checks.engine.lazy_keras import keras, ops

SAMPLES, FEATURES, BATCH = 8, 4, 2
STEPS = SAMPLES // BATCH
RATE = 0.01
# Attributes that Keras itself changes on a model in `fit`, or makes when it first needs them.
_KERAS_OWN = ("history", "stop_training", "stop_evaluating", "stop_predicting")


def data() -> tuple[np.ndarray, np.ndarray]:
    """(x, y): samples for a real `fit`, the same in each call."""
    x = np.linspace(-1, 1, SAMPLES * FEATURES, dtype="float32").reshape(SAMPLES, FEATURES) ** 3 + 0.25
    return x, (x[:, :1] > 0.25).astype("float32")


def fresh(purpose: str = "script", averages: bool = False) -> Any:
    """The model with its first weights, learning rate and attributes.

    Args:
        purpose: "script", "fit", or "linear": trained on the mean prediction, whose gradient does not depend on the weights.
        averages: whether the optimizer keeps a moving average of the weights.
    """
    pristine = _pristine(purpose, averages)
    if pristine.model is None or not pristine.reset():
        pristine.build()
    return pristine.model


def trust(model: Any) -> None:
    """Says that nobody has touched the model: its compiled step can be used again."""
    for purpose in ("fit", "linear"):
        for averages in (False, True):
            pristine = _pristine(purpose, averages)
            if pristine.model is model:
                pristine.step = model.train_function


def variables(model: Any) -> list[Any]:
    """All variables of the model and its optimizer."""
    return [*model.variables, *model.optimizer.variables]


def values(model: Any) -> list[np.ndarray]:
    """What `assign` puts back: arrays of all variables."""
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables(model)]


def assign(model: Any, arrays: Iterable[np.ndarray]) -> None:
    """Puts back what `values` returned."""
    for variable, array in zip(variables(model), arrays):
        variable.assign(array)


def weights(model: Any) -> np.ndarray:
    """All weights of the model as one vector."""
    return np.concatenate([np.ravel(ops.convert_to_numpy(variable)) for variable in model.weights])


def rate(model: Any) -> float | None:
    """The learning rate that the optimizer has; None in the middle of an epoch on JAX, where the step carries it on."""
    try:
        return float(ops.convert_to_numpy(model.optimizer.learning_rate))
    except TypeError:
        return None


def attributes(model: Any) -> dict[str, Any]:
    """{"optimizer.momentum": value, ...}: public Python attributes of the model, its layers, loss and optimizer."""
    owners = {"model": model, "optimizer": model.optimizer, **{f"layer {layer.name}": layer for layer in model.layers}}
    found = {}
    for name, owner in owners.items():
        for key, value in vars(owner).items():
            if not key.startswith("_") and key not in _KERAS_OWN and not key.endswith("_function"):
                found[f"{name}.{key}"] = value
        found[f"{name}.trainable"] = getattr(owner, "trainable", None)
    return found


@functools.cache
def _pristine(purpose: str, averages: bool) -> "_Pristine":
    return _Pristine(purpose, averages)


def _mean_prediction(y_true: Any, y_pred: Any) -> Any:
    return y_pred


class _Pristine:
    """A model, and what it was like when it was new."""

    def __init__(self, purpose: str, averages: bool) -> None:
        self.purpose, self.averages, self.model = purpose, averages, None

    def build(self) -> None:
        from kerasmith.keras_internals.learning_rate import rate_given

        dense = keras.layers.Dense(1, name="dense")
        self.model = keras.Sequential([keras.Input((FEATURES,), name="inputs"), dense], name="tiny")
        loss = _mean_prediction if self.purpose == "linear" else "mse"
        optimizer = keras.optimizers.SGD(RATE, use_ema=self.averages, name="sgd")
        self.model.compile(optimizer, loss, metrics=[keras.metrics.BinaryAccuracy(name="accuracy")])
        dense.kernel.assign(np.linspace(-0.5, 0.4, FEATURES, dtype="float32").reshape(FEATURES, 1))
        optimizer.build(self.model.trainable_variables)
        # The metrics of `compile` exist from the first batch on; those who look for a direction find them then.
        x, y = data()
        self.model.compute_metrics(*(ops.convert_to_tensor(array) for array in (x, y, y)))
        self.model.reset_metrics()
        self.model.stop_training = False
        self.values = values(self.model)
        self.attributes, self.optimizer, self.rate = attributes(self.model), optimizer, rate_given(optimizer)
        self.step = None

    def reset(self) -> bool:
        """Puts back the numbers; False if something else has changed."""
        from kerasmith.keras_internals.learning_rate import rate_given

        model = self.model
        now = attributes(model)
        same = (
            model.optimizer is self.optimizer
            and rate_given(self.optimizer) is self.rate
            and now.keys() == self.attributes.keys()
        )
        if not same or any(now[name] is not value and now[name] != value for name, value in self.attributes.items()):
            return False
        if len(variables(model)) != len(self.values):
            return False
        if self.purpose == "script":
            model.train_function = None
        elif model.train_function is not self.step:
            # The compiled step of a training without a callback is as good for the next one; any other may be wrapped.
            return False
        assign(model, self.values)
        model.reset_metrics()
        model.stop_training = False
        vars(model).pop("history", None)
        return True
