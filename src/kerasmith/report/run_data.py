"""What is known of a run as plain data, in files from which its page can be made again."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kerasmith.base.direction import direction_of
from kerasmith.files import run_files
from kerasmith.files.atomic_write import write_atomically
from kerasmith.files.plain_data import plain
from kerasmith.report.templating import Markup

_EMPTY: dict[str, Any] = {
    "status": "running", "started": None, "seconds": 0.0, "planned": None, "rows": [], "epoch_seconds": [], "directions": {},
    "events": [], "config": {}, "compiled": {}, "environment": {}, "origin": {}, "results": {}, "remarks": {}, "steps": None,
    "rate_curve": None, "pictures": [], "sections": [], "layers": None,
    "case_pictures": None, "terms": [],
}  # fmt: skip
_OF_RUN = {
    "title", "status", "started", "epochs", "seconds", "parameters", "trainable", "final", "best", "directions", "events",
    "epoch_seconds", "config", "environment",
}  # fmt: skip
"""Keys of summary.json that are no results of a recipe."""


def write_run_data(path: Path, data: Mapping[str, Any]) -> None:
    """Writes the data of a page, without the rows, which `history.csv` has."""
    text = json.dumps(plain({**data, "rows": []}), ensure_ascii=False, allow_nan=False)
    write_atomically(path, text + "\n", make_directory=True)


def read_run_data(directory: Path) -> dict[str, Any]:
    """The data of `run_page`, from the files of a run; what is not there is empty.

    Raises:
        ValueError: if there is no run, or a file of it cannot be read.
    """
    directory = run_files.run_directory(directory)
    summary = run_files.read_json(directory / run_files.SUMMARY)
    known = {name: summary[name] for name in _EMPTY.keys() & summary.keys() | ({"title"} & summary.keys())}
    # Both are written one after the other; `report.json` also while training runs, and with all digits.
    data = {**_EMPTY, "title": directory.resolve().name, **known, **run_files.read_json(directory / run_files.DATA)}
    data["results"] = {**data["results"], **{name: value for name, value in summary.items() if name not in _OF_RUN}}
    for name in ("parameters", "trainable"):
        if name in summary:
            data["compiled"] = {**data["compiled"], name: summary[name]}
    data["rows"] = run_files.read_history(directory / run_files.HISTORY)
    if data["rate_curve"] is not None:
        data["rate_curve"] = tuple(np.asarray(part, float) for part in data["rate_curve"])
    data["layers"] = Markup(data["layers"]) if data["layers"] else None
    return data


def write_cases(path: Path, cases: Iterable[Mapping[str, Any]]) -> None:
    """Writes `cases.csv`; floats read back exactly.

    Raises:
        ValueError: for cases without a name, or two of one name.
    """
    cases = [dict(case) for case in cases]
    names = [case.get("case") for case in cases]
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise ValueError(f"Each case has a name of its own in `case`. Received: {names[:8]}")
    columns = list(dict.fromkeys(["case", *(name for case in cases for name in case)]))
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in case.items()} for case in cases)
    write_atomically(path, file.getvalue(), make_directory=True)


def best_value(data: Mapping[str, Any]) -> tuple[str, float, int] | None:
    """(name, best value, epoch) of the quantity that says most of a run, None without one."""
    names = dict.fromkeys(name for row in data["rows"] for name in row)
    directed = {name: direction for name in names if (direction := direction_of(name, data["directions"]))}
    name = run_files.monitored(directed)
    points = [(row[name], row["epoch"]) for row in data["rows"] if name in row and math.isfinite(row[name])] if name else []
    if not points or name is None:
        return None
    value, epoch = (max if directed[name] == "max" else min)(points, key=lambda point: point[0])
    return name, value, epoch


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else repr(value.item() if isinstance(value, np.generic) else value)
