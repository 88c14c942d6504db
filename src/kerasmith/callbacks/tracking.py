"""Columns, pictures and events for the tools that track experiments."""

from typing import Any

import numpy as np

from kerasmith._types import Config, Logs
from kerasmith.base.arguments import check_config
from kerasmith.callbacks.run_report.recorded import Recorded
from kerasmith.callbacks.tracking_tools import tool_of
from kerasmith.report.pixels import as_pixels, rgb, sheet


class Tracking(Recorded):
    """Sends what a training comes to to MLflow, trackio or Weights & Biases (since 0.2).

    The columns are those of `history.csv`, with the learning rate, which Keras' logs lack. Events are what the report calls
    "what happened": a number `events` and their texts. `PredictionSnapshots`, `EvaluationPictures` and `FieldPictures` give it
    their pictures with `tensorboard=Tracking(...)`. The step is the epoch, counted from 0, as in the tools' own callbacks.

    It writes to the run that is active and neither begins nor ends one. What a tool does not take is a warning, never the end
    of a training, and is sent with the next epoch. After a resume the epochs since the checkpoint are sent again: to a new run
    they are new, in the same one they are there twice.

    Args:
        tool: "mlflow", "trackio", "wandb", or the module; or an object with the methods of `tracking_tools.Tool`.
        config: {name: value}, what the run was made with, as its parameters.

    Raises:
        ImportError: if the tool is not installed.
        ValueError: for another tool; when training begins, if no run of the tool is active.

    Example:

    >>> import keras
    >>> class Printed:
    ...     def begin(self, config): print("begin", config)
    ...     def numbers(self, values, step): print(step, sorted(values))
    ...     def picture(self, name, picture, step): print(step, name)
    ...     def events(self, new, every, step): print(step, len(new))
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> _ = model.fit(x, y, verbose=0, callbacks=[Tracking(Printed(), config={"seed": 7})])
    begin {'seed': 7}
    0 ['learning_rate', 'loss']
    """

    def __init__(self, tool: Any, *, config: Config | None = None) -> None:
        super().__init__()
        check_config(config)
        self.tool = tool_of(tool)
        self.config: Config = dict(config or {})
        self._sent_rows = self._sent_events = 0

    def image(self, name: str, array: Any, step: int) -> None:
        """Sends a picture, or several as one.

        Args:
            name: what it is called.
            array: (H, W) or (H, W, 1 | 3 | 4), or a list of such; uint8, booleans, or floats within [0, 1].
            step: the epoch, from 0.
        """
        pictures = array if isinstance(array, (list, tuple)) else [array]
        pixels = [rgb(as_pixels(np.asarray(picture), name)) for picture in pictures]
        self.tool.picture(name, sheet(pixels), int(step))

    # What Keras calls.

    def on_train_begin(self, logs: Logs = None) -> None:
        self.record.on_train_begin(logs)
        with self.sparing("beginning", everything=False):
            self.tool.begin(self.config)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.record.on_epoch_end(epoch, logs)
        self._send()

    def on_train_end(self, logs: Logs = None) -> None:
        self.record.on_train_end(logs)
        self._send()

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """The history and what of it was sent, as plain data."""
        return {"record": self.record.state_dict(), "rows": self._sent_rows, "events": self._sent_events}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from what `state_dict` returned."""
        self.record.load_state_dict(state["record"])
        self._sent_rows, self._sent_events = int(state["rows"]), int(state["events"])

    def _send(self) -> None:
        with self.sparing("sending columns"):
            while self._sent_rows < len(self.record.rows):
                values = dict(self.record.rows[self._sent_rows])
                self.tool.numbers(values, values.pop("epoch") - 1)
                self._sent_rows += 1
        entries = self.record.events.entries
        if len(entries) > self._sent_events:
            texts = [f"epoch {entry['epoch']:g}, {entry['kind']}, {entry['by']}: {entry['text']}" for entry in entries]
            with self.sparing("sending events"):
                self.tool.events(texts[self._sent_events :], texts, max(self._sent_rows - 1, 0))
                self._sent_events = len(entries)
