"""A watcher that has a record of the run and tells it what Keras calls."""

from typing import Any

import keras

from kerasmith._types import Logs
from kerasmith.callbacks.run_report.run_record import RunRecord
from kerasmith.callbacks.watcher import Watcher


class Recorded(Watcher):
    """Base of callbacks that read a `RunRecord`: alone in `fit` with a record of their own, or beside one that another has.

    A subclass calls the other methods of `_hooks` where it has to: first, so that the record has what has just happened.

    Args:
        record: a `RunRecord` that another callback keeps up to date; None for one of its own.
    """

    def __init__(self, record: RunRecord | None = None) -> None:
        super().__init__()
        self.record: RunRecord = RunRecord() if record is None else record
        self._hooks = self.record if record is None else keras.callbacks.Callback()

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        self._hooks.set_params(params)

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self._hooks.set_model(model)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._hooks.on_epoch_begin(epoch, logs)
