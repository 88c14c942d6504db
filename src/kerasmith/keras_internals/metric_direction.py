"""What a metric of Keras says about better and worse."""

import copy
from typing import Any, Literal


class SaysDirection:
    """Tells Keras' callbacks of mode "auto" what `direction` says."""

    direction: Literal["max", "min"]

    @property
    def _direction(self) -> str:
        # What Keras' EarlyStopping and ModelCheckpoint look for.
        return "up" if self.direction == "max" else "down"


def direction_in_keras(metric: Any) -> str | None:
    """ "max" or "min" if a metric says so in Keras' way, else None."""
    return {"up": "max", "down": "min"}.get(getattr(metric, "_direction", None))


def direction_of_monitor(callback: Any, model: Any) -> str | None:
    """ "max" or "min": what a callback that watches a quantity takes for better; "unknown" where Keras will raise for that.

    Args:
        callback: any; None comes back for one that Keras does not direct.
        model: with its metrics built.
    """
    if not hasattr(callback, "_set_monitor_op"):
        return {"max": "max", "min": "min"}.get(str(getattr(callback, "mode", None)))
    from keras import ops

    trial = copy.copy(callback)
    trial.set_model(model)
    try:
        trial._set_monitor_op()
    except ValueError:
        return "unknown"
    return "min" if trial.monitor_op is ops.less else "max"
