"""A run as a page to look at."""

import math
import numbers
import time
from typing import Any

import numpy as np

from kerasmith._types import Config, Path
from kerasmith.base.arguments import check_config
from kerasmith.callbacks.metric_pictures import metric_sections
from kerasmith.callbacks.run_report import run_directory
from kerasmith.callbacks.run_report.run_output import RunOutput
from kerasmith.callbacks.run_report.run_record import RunRecord
from kerasmith.files.atomic_write import write_atomically
from kerasmith.files.plain_data import flat_text
from kerasmith.report import environment
from kerasmith.report.events import event_sections
from kerasmith.report.numbers import format_duration
from kerasmith.report.page import Section, render
from kerasmith.report.tables import key_value_table
from kerasmith.report.templating import Markup, render_template
from kerasmith.report.training import epoch_table, headline, training_sections, value_table

_REFRESH_SECONDS = 10.0
_MOST_TILES = 10


class ReportPage(RunOutput):
    """A self-contained HTML page: curves, what stands out, tables of values, pictures that metrics draw, set-up.

    It is refreshed after epochs, every ten seconds at most, and when training ends. Files of the run beside it (`history.csv`,
    `summary.json`, `model.keras`) are linked.

    Args:
        path: the file; its directory must exist.
        title: the heading, the directory's name by default.
        config: {name: value}, what the run was made with; shown.
        record: see `RunOutput`.

    Attributes:
        tiles: {label: number or text} shown on top, before those of the run.
        remarks: {name: text} for the table of the set-up.

    Raises:
        ValueError: if the directory does not exist or `config` is no dict.

    Example:

    >>> import keras, tempfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((4, 2)), keras.ops.ones((4, 1))
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     page = ReportPage(scratch + "/report.html", title="First try")
    ...     page.add_section("Notes", "<p>Half of the data.</p>")
    ...     _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[page])
    ...     "Completed 2 epochs" in page.path.read_text()
    True
    """

    def __init__(self, path: Path, *, title: str | None = None, config: Config | None = None, record: RunRecord | None = None):
        super().__init__(path, record)
        check_config(config)
        self.config: Config = dict(config or {})
        self.title: str = title or self.path.resolve().parent.name
        self.tiles: dict[str, Any] = {}
        self.remarks: dict[str, str] = {}
        self._sections, self._pictures = {}, []
        self._last_write = -math.inf

    def add_section(self, title: str, html: str) -> None:
        """Adds a section, or replaces the one with this title. `html` goes in as it is."""
        self._sections[title] = Section(title, html)

    def after_epoch(self) -> None:
        with self.sparing("drawing the pictures of metrics"):
            self._pictures = self._metric_pictures()
        if time.perf_counter() - self._last_write > _REFRESH_SECONDS:
            with self.sparing(f"writing {self.path}"):
                self.write()

    def after_training(self) -> None:
        # After a resume with no epoch left, the metrics have what was saved.
        with self.sparing("drawing the pictures of metrics"):
            self._pictures = self._pictures or self._metric_pictures()
        with self.sparing(f"writing {self.path}"):
            self.write()

    def write(self) -> None:
        """Replaces the page."""
        record = self.record
        rows, known, events = record.rows, record.directions, record.events.in_order()
        sections = [*event_sections(events), *training_sections(rows, known, record.rate_curve, events)]
        sections += [*self._pictures, *self._sections.values()]
        if rows:
            sections.append(Section("Values", value_table(rows, known)))
            sections.append(Section("Every epoch", epoch_table(rows, known, record.epoch_seconds), collapsed=True))
        if record.layers:
            sections.append(Section("Layers", record.layers, collapsed=True))
        sections.append(Section("Set-up", self._setup()))
        page = render(self.title, sections, self._tiles(), lead=self._lead(), footer=self._footer())
        write_atomically(self.path, page, make_directory=True)
        self._last_write = time.perf_counter()

    # What the page holds.

    def _metric_pictures(self) -> list[Section]:
        return metric_sections(self.record.model.metrics, self.record.has_validation)

    def _tiles(self) -> dict[str, Any]:
        record = self.record
        own = {k: v for k, v in self.tiles.items() if isinstance(v, numbers.Real) and not isinstance(v, bool)}
        own = {k.replace("_", " "): v for k, v in own.items() if k not in ("seconds", "parameters")}
        measured = headline(record.rows, record.directions)
        tiles: dict[str, Any] = {**own, **dict(list(measured.items())[: max(2, _MOST_TILES - 3 - len(own))])}
        count = record.description.get("parameters")
        if count is not None:
            trainable = record.description.get("trainable")
            tiles["parameters"] = count if trainable == count else (count, f"{trainable:,} trainable")
        took = [s for s in record.epoch_seconds if s is not None]
        if took:
            usual = f"{format_duration(float(np.median(took)))} for an epoch"
            tiles["training time"] = (format_duration(record.seconds), usual)
        return tiles

    def _lead(self) -> str:
        rows, planned, started = self.record.rows, self.record.planned, self.record.started
        done = f"{rows[-1]['epoch'] if rows else 0}"
        status = {
            "completed": f"Completed {done} epochs",
            "stopped early": f"Stopped early after {done} of {planned} epochs",
            "repaired": f"Ran {done} epochs, and a guard acted: {self.record.events.by_guards} x",
            "stopped by a guard": f"Stopped by a guard after {done} of {planned} epochs",
            "paused": f"Paused after {done} of {planned} epochs",
            "running": f"Not finished: {done} of {planned} epochs so far",
            "not started": "Not started",
        }[self.record.status]
        return " · ".join(filter(None, (status, started and started.replace("T", " ").replace("+00:00", " UTC"))))

    def _setup(self) -> Markup:
        description = {k: v for k, v in self.record.description.items() if k not in ("parameters", "trainable")}
        steps = (self.record.params or {}).get("steps")
        if steps:
            description["steps per epoch"] = steps
        description |= self.remarks
        blocks = [("Configuration", {k: flat_text(v) for k, v in self.config.items()}), ("Compiled with", description),
                  ("Environment", environment(self.config.get("seed")))]  # fmt: skip
        tables = [(title, key_value_table(values)) for title, values in blocks if values]
        return render_template("setup.html", blocks=tables)

    def _footer(self) -> Markup | None:
        names = (run_directory.HISTORY, run_directory.SUMMARY, run_directory.MODEL)
        there = [name for name in names if (self.path.parent / name).exists()]
        return render_template("files.html", names=there) if there else None
