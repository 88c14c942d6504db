"""The page of a run, from what is known of it as plain data."""

import numbers
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasmith.files.plain_data import flat_text, plain
from kerasmith.report.case_pictures import case_sections
from kerasmith.report.events import event_sections
from kerasmith.report.numbers import format_duration
from kerasmith.report.page import Section, render
from kerasmith.report.tables import key_value_table
from kerasmith.report.templating import Markup, render_template
from kerasmith.report.training import epoch_table, headline, training_sections, value_table

_MOST_TILES = 10
_IN_PAGE = (
    "title", "status", "started", "seconds", "planned", "rows", "epoch_seconds", "directions", "events", "config", "compiled",
    "environment", "origin", "results",
)  # fmt: skip
"""What the page carries along as JSON; the rest of the data is its HTML."""


def run_page(data: Mapping[str, Any], directory: Path | None = None) -> Markup:
    """The page.

    Args:
        data: {"title", "status", "started", "seconds", "planned", "rows", "epoch_seconds", "directions", "events", "config",
            "compiled", "environment", "origin", "results", "remarks", "steps", "rate_curve", "pictures", "sections",
            "case_pictures", "terms", "layers"}, as `ReportPage` has it.
        directory: files of the run that are there are linked.
    """
    rows, known, events, terms = data["rows"], data["directions"], data["events"], data["terms"]
    sections = [*event_sections(events), *training_sections(rows, known, data["rate_curve"], events, terms)]
    sections += [Section(**section) for section in (*data["pictures"], *data["sections"])]
    sections += case_sections(data["case_pictures"])
    if rows:
        sections.append(Section("Values", value_table(rows, known, terms)))
        sections.append(Section("Every epoch", epoch_table(rows, known, _seconds(data), terms), collapsed=True))
    if data["layers"]:
        sections.append(Section("Layers", data["layers"], collapsed=True))
    sections.append(Section("Set-up", _setup(data)))
    return render(
        data["title"], sections, _tiles(data), lead=_lead(data), footer=_footer(directory),
        data=plain({name: data[name] for name in _IN_PAGE}),
    )  # fmt: skip


def _seconds(data: Mapping[str, Any]) -> Sequence[float | None] | None:
    return data["epoch_seconds"] if len(data["epoch_seconds"]) == len(data["rows"]) else None


def _tiles(data: Mapping[str, Any]) -> dict[str, Any]:
    results, of = data["results"], data["results"].get("of")
    own: dict[str, Any] = {k: v for k, v in results.items() if isinstance(v, numbers.Real) and not isinstance(v, bool)}
    own = {
        k.replace("_", " "): (v, str(of)) if of and isinstance(v, float) and "threshold" not in k else v
        for k, v in own.items()
        if k not in ("seconds", "parameters")
    }
    measured = headline(data["rows"], data["directions"])
    tiles: dict[str, Any] = {**own, **dict(list(measured.items())[: max(2, _MOST_TILES - 3 - len(own))])}
    count, trainable = (data["compiled"].get(name) for name in ("parameters", "trainable"))
    if count is not None:
        tiles["parameters"] = count if trainable == count else (count, f"{trainable:,} trainable")
    took = [s for s in data["epoch_seconds"] if s is not None]
    if took:
        usual = f"{format_duration(float(np.median(took)))} for an epoch"
        tiles["training time"] = (format_duration(data["seconds"]), usual)
    return tiles


def _lead(data: Mapping[str, Any]) -> str:
    rows, planned, started = data["rows"], data["planned"], data["started"]
    done = f"{rows[-1]['epoch'] if rows else 0}"
    acted = sum(event["kind"] in ("rollback", "not finite") for event in data["events"])
    status = {
        "completed": f"Completed {done} epochs",
        "repaired": f"Ran {done} epochs, and a guard acted: {acted} x",
        "stopped by a guard": f"Stopped by a guard after {done} of {planned} epochs",
        "stopped early": f"Stopped early after {done} of {planned} epochs",
        "paused": f"Paused after {done} of {planned} epochs",
        "running": f"Not finished: {done} of {planned or '?'} epochs so far",
        "not started": "Not started",
    }.get(data["status"], f"{data['status']}: {done} epochs")
    return " · ".join(filter(None, (status, started and started.replace("T", " ").replace("+00:00", " UTC"))))


def _setup(data: Mapping[str, Any]) -> Markup:
    compiled = {k: v for k, v in data["compiled"].items() if k not in ("parameters", "trainable")}
    if data["steps"]:
        compiled["steps per epoch"] = data["steps"]
    compiled |= data["remarks"]
    blocks = [("Configuration", {k: flat_text(v) for k, v in data["config"].items()}), ("Compiled with", compiled),
              ("Environment", data["environment"]), ("How it was started", data["origin"])]  # fmt: skip
    tables = [(title, key_value_table(values)) for title, values in blocks if values]
    return render_template("setup.html", blocks=tables)


def _footer(directory: Path | None) -> Markup | None:
    names = ("history.csv", "cases.csv", "summary.json", "report.json", "model.keras")
    there = [name for name in names if directory is not None and (directory / name).exists()]
    return render_template("files.html", names=there) if there else None
