"""A quantity in the logs that a callback watches, and what is better: high or low."""

import math
from typing import Any

import keras
import numpy as np

from kerasmith._types import Logs
from kerasmith.base.arguments import check_choice
from kerasmith.base.direction import direction_of, directions_of
from kerasmith.keras_internals import fit_call
from kerasmith.keras_internals.compiled import metrics_given


class Monitored:
    """Reads one quantity from the logs of an epoch and knows which way is better.

    Args:
        name: a column of the history, such as "val_loss".
        mode: "max", "min", or "auto": what the metric itself says (`direction`), or its name where everybody agrees.
        owner: the class that watches, for messages.

    Attributes:
        direction: "max" or "min"; None until `settle` has found it.
    """

    name: str
    owner: str
    direction: Any

    def __init__(self, name: str, mode: str, owner: str) -> None:
        if not isinstance(name, str) or not name:
            raise TypeError(f'`monitor` must be a name, such as "val_loss". Received: monitor={name!r}')
        check_choice("mode", mode, ("auto", "max", "min"))
        self.name = name
        self.owner = owner
        self.direction = None if mode == "auto" else mode

    def settle(self, model: keras.Model) -> None:
        """Finds the direction when training begins.

        Raises:
            ValueError: if neither the metric nor its name says what is better.
        """
        if self.direction is None:
            self.direction = direction_of(self.name, directions_of(_metrics(model)))
        if self.direction is None:
            raise ValueError(
                f"{self.owner} cannot tell whether `{self.name}` is better high or low. "
                f'Write {self.owner}(..., monitor="{self.name}", mode="max") or mode="min".'
            )

    def read(self, logs: Logs) -> float | None:
        """The value in an epoch's logs, a float; None for a `val_` quantity in an epoch that `validation_freq` leaves out.

        Raises:
            ValueError: if it is not there (the message names what is), or is no single number.
        """
        logs = logs or {}
        if self.name not in logs:
            if self.name.startswith("val_") and not any(name.startswith("val_") for name in logs):
                fit = fit_call.find()
                if fit is not None and fit.validation_data is not None:
                    return None
                hint = " There is no validation: pass `validation_data` to `fit`, or monitor a training value."
            else:
                hint = ""
            raise ValueError(
                f"{self.owner} watches `{self.name}`, which is not in the logs. "
                f"They have: {', '.join(sorted(logs)) or 'nothing'}.{hint}"
            )
        value = np.asarray(logs[self.name], dtype=float)
        if value.size != 1:
            raise ValueError(f"{self.owner} needs a single number. Received: {self.name} of shape {value.shape}")
        return float(value.reshape(()))

    def is_better(self, value: float, than: float | None, delta: float = 0.0, relative: bool = False) -> bool:
        """Whether `value` is better than `than` (None: nothing yet) by more than `delta`; NaN never is."""
        if math.isnan(value):
            return False
        if than is None:
            return True
        # `value - delta`, not `than + delta`: the rounding of Keras, so that both decide alike.
        if relative:
            return value > than * (1 + delta) if self.direction == "max" else value < than * (1 - delta)
        return value - delta > than if self.direction == "max" else value + delta < than


def _metrics(model: keras.Model) -> list[keras.metrics.Metric]:
    """The metrics of a model, also those given to `compile` that Keras takes up with the first batch only."""
    return [*model.metrics, *(metric for metric in metrics_given(model) if isinstance(metric, keras.metrics.Metric))]
