"""What a metric of Keras says about better and worse."""

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
