"""What is known of a run: its history, its clock, its model."""

import time
from datetime import UTC, datetime
from typing import Any

import keras
import numpy as np

from kerasmith._types import Logs
from kerasmith.base.direction import directions_of
from kerasmith.callbacks.copies import Copyable
from kerasmith.callbacks.epoch_counter import EpochCounter
from kerasmith.callbacks.log_values import scalars
from kerasmith.callbacks.run_report import events_found
from kerasmith.callbacks.run_report.event_log import EventLog
from kerasmith.files import run_events
from kerasmith.keras_internals import fit_call
from kerasmith.keras_internals.learning_rate import rate_curve, rates_of, schedule_of, steps_done
from kerasmith.keras_internals.optimizers import only_optimizer, training_optimizers
from kerasmith.report.model_description import describe_compilation, layer_table, parameter_counts
from kerasmith.report.training import LEARNING_RATE


class RunRecord(Copyable, keras.callbacks.Callback):
    """Collects what `HistoryCSV`, `SummaryFile` and `ReportPage` write; writes nothing itself.

    It works at the ends of epochs and never in a step. A second `fit` with the same object continues the history.

    Attributes:
        rows: one dict for each epoch: `epoch`, the logs, `learning_rate`.
        epoch_seconds: how long each of them took.
        status: "not started", "running", "completed", "stopped early", or "paused" where a callback says `pausing`; where a
            guard acted "repaired" (it ran to its end) or "stopped by a guard".
        events: the `EventLog`.
        started: when training began, as text (UTC).
        directions: {metric name: "max", "min" or None}.
        terms: names of the terms of losses, of which less is better.
        description: {name: text or number} of the model and its compilation.
        layers: an HTML table of the layers, None until training has ended.
        rate_curve: (positions in epochs, learning rates) of a schedule, finer than one an epoch; None until training has
            ended.
    """

    def __init__(self):
        super().__init__()
        self.rows: list[dict[str, Any]] = []
        self.epoch_seconds: list[float | None] = []
        self.status: str = "not started"
        self.started: str | None = None
        self.directions: dict[str, str | None] = {}
        self.terms: list[str] = []
        self.description: dict[str, Any] = {}
        self.layers: str | None = None
        self.rate_curve: tuple[np.ndarray, np.ndarray] | None = None
        self.events: EventLog = EventLog()
        self._epochs = EpochCounter()
        self._epoch = self._resumed = None
        self._milestones = []
        self._seconds = self._epoch_earlier = 0.0
        self._fit_start = self._epoch_start = None

    @property
    def seconds(self) -> float:
        """How long training took so far, in all calls of `fit`."""
        return self._seconds + _since(self._fit_start)

    @property
    def planned(self) -> int | None:
        """How many epochs there will be, None if that is not known."""
        epochs = (self.params or {}).get("epochs")
        return None if epochs is None else epochs + self._epochs.offset()

    @property
    def has_validation(self) -> bool:
        """Whether the latest epoch ended with a validation."""
        return bool(self.rows) and any(name.startswith("val_") for name in self.rows[-1])

    # What Keras calls.

    def on_train_begin(self, logs: Logs = None) -> None:
        self._fit_start = time.perf_counter()
        self.started = self.started or datetime.now(UTC).isoformat(timespec="seconds")
        self._epochs.begin_fit()
        self._epoch = self._resumed = None
        self.status = "running"
        run_events.listen(self)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch
        if self._resumed is not None and not self._resumed:
            self._resumed = {"kind": "resume", "text": f"went on in epoch {self._epochs.last + 1}", "by": "Resume"}
            self.events.add(**self._resumed, epoch=self._epochs.last)
        self._epoch_start, self._epoch_earlier = time.perf_counter(), 0.0
        self._milestones.append((self._steps(), epoch + self._epochs.offset(epoch)))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        number = self._epochs.end(epoch)
        row = {"epoch": number, **scalars(logs or {})}
        if LEARNING_RATE not in row:
            for name, rate in rates_of(training_optimizers(self.model)).items():
                row.setdefault(name, rate)
        self._milestones.append((self._steps(), number))
        self.epoch_seconds.append(self._epoch_earlier + _since(self._epoch_start))
        self._epoch_start, self._epoch_earlier = None, 0.0
        self.rows.append(row)
        self._read_model()
        self._add(events_found.lowered(self._callbacks(), self.rows))

    def on_train_end(self, logs: Logs = None) -> None:
        self._seconds, self._fit_start = self.seconds, None
        run_events.stop_listening(self)
        callbacks = self._callbacks()
        self._add(events_found.at_the_end(callbacks, self._epochs.offset(), self.rows[-1] if self.rows else {}))
        self.status = self._final_status(callbacks)
        self._read_model()
        self.layers = layer_table(self.model)
        self._read_rate_curve()
        if self.rate_curve is not None:
            self._add(events_found.restarts(*self.rate_curve))

    # What happened.

    def note(self, kind: str, text: str, *, by: str, epoch: int | None = None) -> None:
        """Adds an event; see `files.run_events.tell`."""
        epoch = self._epoch if epoch is None else epoch
        self.events.add(kind, text, by=by, epoch=0 if epoch is None else epoch + 1 + self._epochs.offset(epoch))

    def _add(self, found: Any) -> None:
        for kind, text, by, epoch in found:
            self.events.add(kind, text, by=by, epoch=epoch)

    def _final_status(self, callbacks: list[Any]) -> str:
        if any(getattr(callback, "pausing", False) for callback in callbacks):
            return "paused"
        finished = self.planned is None or not self.rows or self.rows[-1]["epoch"] >= self.planned
        if self.events.by_guards:
            return "repaired" if finished else "stopped by a guard"
        return "completed" if finished else "stopped early"

    def _callbacks(self) -> list[Any]:
        fit = fit_call.find()
        return [] if fit is None else list(fit.callbacks.callbacks)

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """The history and the clock, as plain data."""
        return {
            "rows": [dict(row) for row in self.rows],
            "epoch_seconds": list(self.epoch_seconds),
            "epoch_running": self._epoch_earlier + _since(self._epoch_start),
            "seconds": self.seconds,
            "milestones": [list(pair) for pair in self._milestones],
            "started": self.started,
            "events": [dict(entry) for entry in self.events.entries],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from what `state_dict` returned."""
        now = time.perf_counter()
        self.rows = [dict(row) for row in state["rows"]]
        self.epoch_seconds = list(state["epoch_seconds"])
        self._seconds, self.started = float(state["seconds"]), state["started"]
        self._milestones = [tuple(pair) for pair in state["milestones"]]
        self._epochs.load(self.rows[-1]["epoch"] if self.rows else 0)
        self.events = EventLog(state.get("events", ()))  # a checkpoint of version 0.1 has none
        if self._resumed:
            self.events.add(**self._resumed, epoch=self._epochs.last)
        else:
            self._resumed = {}
        self._epoch_earlier = float(state.get("epoch_running", 0.0))
        # What this process needed to get here is no training.
        self._fit_start = None if self._fit_start is None else now
        self._epoch_start = None if self._epoch_start is None else now

    # Reading the model.

    def _steps(self) -> int:
        optimizer = only_optimizer(self.model)
        return steps_done(optimizer) if hasattr(optimizer, "iterations") else 0

    def _read_model(self) -> None:
        self.directions = directions_of(self.model.metrics)
        columns = getattr(getattr(self.model, "loss_columns", None), "trackers", None) or ()
        self.terms = sorted({one.name for one in (*columns, *getattr(self.model, "loss_terms", ()))})
        self.description = {**describe_compilation(self.model), **parameter_counts(self.model)}

    def _read_rate_curve(self) -> None:
        schedule = schedule_of(only_optimizer(self.model))
        if schedule is None or len(self._milestones) < 2:
            return
        epochs = [epoch for _, epoch in self._milestones]
        steps = [step for step, _ in self._milestones]
        if np.all(np.diff(epochs) >= 0) and np.all(np.diff(steps) >= 0):
            positions, rates = rate_curve(schedule, self._milestones)
            # Epochs without a step leave several points at one position.
            distinct = np.flatnonzero(np.diff(positions, prepend=-1) > 0)
            self.rate_curve = positions[distinct], rates[distinct]


def _since(start: float | None) -> float:
    return 0.0 if start is None else time.perf_counter() - start
