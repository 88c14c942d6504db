"""Writes the run directory: history, model, summary and a report to look at."""

import math
import numbers
import os
import time
import warnings
from datetime import UTC, datetime

import keras
import numpy as np

from kerasmith.callbacks import run_directory
from kerasmith.callbacks.learning_rate_log import rate_curve, rate_now, schedule_of, steps_done
from kerasmith.callbacks.metric_pictures import metric_sections
from kerasmith.report.directions import best_index, direction_of, directions_of
from kerasmith.report.environment import environment
from kerasmith.report.files import HistoryFile, json_text, plain, write_atomically
from kerasmith.report.markup import Markup
from kerasmith.report.model_facts import compile_facts, layer_table, parameter_counts
from kerasmith.report.numbers import format_duration
from kerasmith.report.page import Section, render
from kerasmith.report.tables import key_value_table
from kerasmith.report.training import LEARNING_RATE, epoch_table, headline, training_sections, value_table

_REFRESH_SECONDS = 10.0
_MOST_TILES = 10


class RunReport(keras.callbacks.Callback):
    """Makes a training run visible: `report.html`, `history.csv`, `model.keras` and `summary.json` in one directory.

    `history.csv` grows by a row with each epoch and is readable after each, also when the run is killed; the report is
    refreshed every ten seconds at most. When the training ends, the model and the summary are written. Each file is
    replaced in one step. A second `fit` with the same object continues the history.

    Args:
        directory: the run directory; created and checked at once.
        overwrite: replace the files of an earlier run; see `run_directory.prepare`.
        title: the heading of the report, the directory's name by default.
        config: {name: value}, what the run was made with; shown and saved. A `seed` is repeated in the environment.

    Raises:
        ValueError: if the directory cannot be written, or holds files and `overwrite` is False.

    Example:

    >>> import tempfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     report = RunReport(scratch, config={"seed": 7})
    ...     _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[report])
    ...     sorted(path.name for path in report.directory.iterdir())
    ['history.csv', 'model.keras', 'report.html', 'summary.json']
    """

    def __init__(self, directory, *, overwrite=False, title=None, config=None):
        super().__init__()
        if config is not None and not isinstance(config, dict):
            raise ValueError(f'`config` must be a dict, such as {{"seed": 7}}. Received: config={config!r}')
        self.directory = run_directory.prepare(directory, overwrite=overwrite)
        self.title = title or self.directory.resolve().name
        self.config = dict(config or {})
        self.status = "not started"
        self._history = HistoryFile(self.directory / run_directory.HISTORY)
        self._epoch_seconds = []
        self._seconds = 0.0
        self._fit_start = self._epoch_start = None
        self._offset = None
        self._milestones = []
        self._facts, self._layers, self._known = {}, None, {}
        self._rate_curve = None
        self._sections, self._summary, self._pictures = {}, {}, []
        self._save_problem = None
        self._started = None
        self._last_write = -math.inf

    @property
    def rows(self):
        """One dict for each epoch: `epoch`, the logs, `learning_rate`."""
        return [dict(row) for row in self._history.rows]

    def add_section(self, title, html):
        """Adds a part to the report, or replaces the one with this title. `html` goes in as it is."""
        self._sections[title] = Section(title, html)

    def add_summary(self, **values):
        """Adds values to `summary.json`; numbers are also tiles on top of the report. They win over values of the run."""
        self._summary.update(values)

    def write(self):
        """Writes `summary.json` and `report.html` again, with what was added since."""
        write_atomically(self.directory / run_directory.SUMMARY, json_text(self.summary()))
        self._write_report()

    def summary(self):
        """What `summary.json` holds."""
        rows, names = self._history.rows, self._history.columns
        best = {}
        for name in names:
            index = best_index([row.get(name) for row in rows], direction_of(name, self._known))
            if index is not None and name != LEARNING_RATE:
                best[name] = {"value": rows[index][name], "epoch": rows[index]["epoch"]}
        run = {
            "title": self.title,
            "status": self.status,
            "started": self._started,
            "epochs": len(rows),
            "seconds": round(self._seconds, 3),
            **parameter_counts_only(self._facts),
            "final": {k: v for k, v in (rows[-1] if rows else {}).items() if k != "epoch"},
            "best": best,
            "epoch_seconds": [None if s is None else round(s, 3) for s in self._epoch_seconds],
            "config": self.config,
            "environment": environment(self.config.get("seed")),
        }
        return plain({**run, **self._summary})

    # What Keras calls.

    def on_train_begin(self, logs=None):
        self._fit_start = time.perf_counter()
        self._started = self._started or datetime.now(UTC).isoformat(timespec="seconds")
        self._offset = None
        self.status = "running"

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_start = time.perf_counter()
        if self._offset is None:
            last = self._history.rows[-1]["epoch"] if self._history.rows else 0
            # A `fit` that counts from the beginning again continues; one with `initial_epoch` counts on by itself.
            self._offset = 0 if epoch >= last else last - epoch
            self._milestones.append((self._steps(), epoch + self._offset))

    def on_epoch_end(self, epoch, logs=None):
        if self._offset is None:
            self.on_epoch_begin(epoch)
        number = epoch + 1 + self._offset
        row = {"epoch": number, **scalars(logs or {})}
        if LEARNING_RATE not in row:
            rate = rate_now(self.model.optimizer)
            if rate is not None:
                row[LEARNING_RATE] = rate
        self._milestones.append((self._steps(), number))
        self._epoch_seconds.append(time.perf_counter() - self._epoch_start)
        self._history.append(row)
        self._read_model()
        self._pictures = metric_sections(self.model.metrics, any(name.startswith("val_") for name in row))
        if time.perf_counter() - self._last_write > _REFRESH_SECONDS:
            self._write_report()

    def on_train_end(self, logs=None):
        self._seconds += self._running()
        self._fit_start = None
        planned, rows = (self.params or {}).get("epochs"), self._history.rows
        finished = planned is None or not rows or rows[-1]["epoch"] - (self._offset or 0) >= planned
        self.status = "completed" if finished else "stopped early"
        self._read_model()
        self._layers = layer_table(self.model)
        self._read_rate_curve()
        self._save_model()
        self.write()

    # State for a run that is resumed in another process.

    def state_dict(self):
        """The history and the clock, as plain data."""
        return {
            "rows": self.rows,
            "epoch_seconds": list(self._epoch_seconds),
            "seconds": self._seconds + self._running(),
            "milestones": [list(pair) for pair in self._milestones],
            "started": self._started,
        }

    def load_state_dict(self, state):
        """Continues from what `state_dict` returned; `history.csv` is written again."""
        self._epoch_seconds = list(state["epoch_seconds"])
        self._seconds, self._started = float(state["seconds"]), state["started"]
        self._milestones = [tuple(pair) for pair in state["milestones"]]
        self._history.replace(state["rows"])

    # Parts.

    def _running(self):
        return 0.0 if self._fit_start is None else time.perf_counter() - self._fit_start

    def _steps(self):
        optimizer = getattr(self.model, "optimizer", None)
        return steps_done(optimizer) if hasattr(optimizer, "iterations") else 0

    def _read_model(self):
        self._known = directions_of(self.model.metrics)
        self._facts = {**compile_facts(self.model), **parameter_counts(self.model)}

    def _read_rate_curve(self):
        schedule = schedule_of(self.model.optimizer)
        if schedule is None or len(self._milestones) < 2:
            return
        epochs = [epoch for _, epoch in self._milestones]
        steps = [step for step, _ in self._milestones]
        if np.all(np.diff(epochs) >= 0) and np.all(np.diff(steps) >= 0):
            positions, rates = rate_curve(schedule, self._milestones)
            # Epochs without a step leave several points at one position.
            kept = np.flatnonzero(np.diff(positions, prepend=-1) > 0)
            self._rate_curve = positions[kept], rates[kept]

    def _save_model(self):
        path = self.directory / run_directory.MODEL
        draft = path.with_name(f".{path.name}.{os.getpid()}.tmp.keras")
        self._save_problem = None
        try:
            self.model.save(draft)
            os.replace(draft, path)
        except Exception as problem:  # whatever a user's layers raise, the run's other results must survive
            self._save_problem = f"{type(problem).__name__}: {problem}"
            warnings.warn(f"RunReport could not save the model. {self._save_problem}", stacklevel=2)
        finally:
            draft.unlink(missing_ok=True)

    def _write_report(self):
        self._last_write = time.perf_counter()
        rows, known = self._history.rows, self._known
        seconds = self._seconds + self._running()
        sections = [*training_sections(rows, known, self._rate_curve), *self._pictures, *self._sections.values()]
        if rows:
            sections.append(Section("Values", value_table(rows, known)))
            sections.append(Section("Every epoch", epoch_table(rows, known, self._epoch_seconds), collapsed=True))
        if self._layers:
            sections.append(Section("Layers", self._layers, collapsed=True))
        sections.append(Section("Set-up", self._setup()))
        html = render(self.title, sections, self._tiles(seconds), lead=self._lead(), footer=self._footer())
        write_atomically(self.directory / run_directory.REPORT, html)

    def _tiles(self, seconds):
        own = {k: v for k, v in self._summary.items() if isinstance(v, numbers.Real) and not isinstance(v, bool)}
        own = {k.replace("_", " "): v for k, v in own.items() if k not in ("seconds", "parameters")}
        measured = headline(self._history.rows, self._known)
        tiles = {**own, **dict(list(measured.items())[: max(2, _MOST_TILES - 3 - len(own))])}
        count = self._facts.get("parameters")
        if count is not None:
            trainable = self._facts.get("trainable")
            tiles["parameters"] = count if trainable == count else (count, f"{trainable:,} trainable")
        took = [s for s in self._epoch_seconds if s is not None]
        if took:
            tiles["training time"] = (format_duration(seconds), f"{format_duration(float(np.median(took)))} for an epoch")
        return tiles

    def _lead(self):
        rows, planned = self._history.rows, (self.params or {}).get("epochs")
        planned = None if planned is None else planned + (self._offset or 0)
        done = f"{rows[-1]['epoch'] if rows else 0}"
        said = {
            "completed": f"Completed {done} epochs",
            "stopped early": f"Stopped early after {done} of {planned} epochs",
            "running": f"Not finished: {done} of {planned} epochs so far",
            "not started": "Not started",
        }[self.status]
        return " · ".join(filter(None, (said, self._started and self._started.replace("T", " ").replace("+00:00", " UTC"))))

    def _setup(self):
        facts = {k: v for k, v in self._facts.items() if k not in ("parameters", "trainable")}
        steps = (self.params or {}).get("steps")
        if steps:
            facts["steps per epoch"] = steps
        if self._save_problem:
            facts["model.keras"] = f"not saved. {self._save_problem}"
        blocks = [("Configuration", {k: flat(v) for k, v in self.config.items()}), ("Compiled with", facts),
                  ("Environment", environment(self.config.get("seed")))]  # fmt: skip
        parts = [f"<div><h3>{title}</h3>{key_value_table(values)}</div>" for title, values in blocks if values]
        return Markup(f'<div class="columns">{"".join(parts)}</div>')

    def _footer(self):
        names = (run_directory.HISTORY, run_directory.SUMMARY, run_directory.MODEL)
        there = [name for name in names if (self.directory / name).exists()]
        return Markup("Beside this file: " + ", ".join(f'<a href="{name}">{name}</a>' for name in there)) if there else None


def scalars(logs):
    """The logs as {name: float}; entry i of a vector becomes `<name>_<i>`."""
    found = {}
    for name, value in logs.items():
        array = np.asarray(keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value, dtype=float)
        if array.ndim == 0:
            found[name] = float(array)
        else:
            found.update({f"{name}_{i}": float(v) for i, v in enumerate(array.ravel())})
    return found


def flat(value):
    """A configuration value as one cell: numbers as they are, anything else as text."""
    if isinstance(value, (str, int, float)) or value is None:
        return value
    return ", ".join(f"{k}: {flat(v)}" for k, v in value.items()) if isinstance(value, dict) else str(plain(value))


def parameter_counts_only(facts):
    """The part of the facts that counts parameters."""
    return {k: facts[k] for k in ("parameters", "trainable") if k in facts}
