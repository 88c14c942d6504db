"""A run as a page to look at."""

import dataclasses
import math
import pathlib
import time
from typing import Any

from kerasmith._types import Config, Path
from kerasmith.base.arguments import check_config
from kerasmith.callbacks.metric_pictures import metric_sections
from kerasmith.callbacks.run_report.run_output import RunOutput
from kerasmith.callbacks.run_report.run_record import RunRecord
from kerasmith.files.atomic_write import write_atomically
from kerasmith.report import environment
from kerasmith.report.origin import origin
from kerasmith.report.page import Section
from kerasmith.report.run_data import write_run_data
from kerasmith.report.run_page import run_page

_REFRESH_SECONDS = 10.0


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
        data_path: a file for all that the page is made of, to make it again; None for no such file (since 0.2).
        remarks: {name: text} for the table of the set-up.
        case_pictures: what `report.stored_pictures` gives of held-out cases, or None (since 0.2).

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
        self.data_path: pathlib.Path | None = None
        self.case_pictures: dict[str, Any] | None = None
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
        data = self.data()
        if self.data_path is not None:
            write_run_data(self.data_path, data)
        write_atomically(self.path, run_page(data, self.path.parent), make_directory=True)
        self._last_write = time.perf_counter()

    def move_to(self, path: pathlib.Path) -> None:
        super().move_to(path)
        if self.data_path is not None:
            self.data_path = path.with_suffix(".json")

    def data(self) -> dict[str, Any]:
        """What the page is made of; see `report.run_page`."""
        record = self.record
        sections = [dataclasses.asdict(section) for section in self._sections.values()]
        return {
            "title": self.title,
            "status": record.status,
            "started": record.started,
            "seconds": record.seconds,
            "planned": record.planned,
            "rows": record.rows,
            "epoch_seconds": record.epoch_seconds,
            "directions": record.directions,
            "terms": record.terms,
            "events": record.events.in_order(),
            "config": self.config,
            "compiled": record.description,
            "environment": environment(self.config.get("seed")),
            "origin": origin(),
            "results": self.tiles,
            "remarks": self.remarks,
            "steps": (record.params or {}).get("steps"),
            "rate_curve": record.rate_curve,
            "pictures": [dataclasses.asdict(section) for section in self._pictures],
            "sections": sections,
            "case_pictures": self.case_pictures,
            "layers": record.layers,
        }

    def _metric_pictures(self) -> list[Section]:
        return metric_sections(self.record.model.metrics, self.record.has_validation)
