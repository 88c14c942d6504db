"""Who begins or ends an epoch of a dataset; Keras does not say."""

import sys
from typing import Any, NamedTuple

import keras

_PURPOSES = ("fit", "evaluate", "predict", "_symbolic_build", "_maybe_symbolic_build")


class EpochCaller(NamedTuple):
    """What calls `on_epoch_begin` or `on_epoch_end` of a dataset.

    Attributes:
        adapter: the data adapter of Keras, or None in a loop of the user's own.
        purpose: the method of `keras.Model` that reads the data: "fit", "evaluate", "predict", "_symbolic_build" (a look at
            one batch); None in a loop of the user's own.
        steps_per_epoch: as given to `fit`, or None.
    """

    adapter: Any = None
    purpose: Any = None
    steps_per_epoch: Any = None

    @property
    def trains(self) -> bool:
        """Whether the epoch is one of training."""
        return self.purpose in ("fit", None)


def find(dataset: Any) -> EpochCaller:
    """The `EpochCaller` seen from a hook of `dataset`."""
    frame, adapter = sys._getframe(1), None
    while frame is not None:
        owner = frame.f_locals.get("self")
        if adapter is None and getattr(owner, "py_dataset", None) is dataset:
            adapter = owner
        if frame.f_code.co_name in _PURPOSES and isinstance(owner, keras.Model):
            return EpochCaller(adapter, frame.f_code.co_name, frame.f_locals.get("steps_per_epoch"))
        frame = frame.f_back
    return EpochCaller(adapter)
