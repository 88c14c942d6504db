"""`kerasmith report --verify RUN`: every number of a run computed anew, from its model and its data."""

import importlib
import json
import math
import numbers
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
from rich.console import Console
from rich.text import Text

from kerasmith.base.direction import best_index, direction_of
from kerasmith.files import run_files
from kerasmith.recipes import DEMOS
from kerasmith.recipes.unfinished_run import show

_CONFIG = "config.resolved.yaml"
_TOLERANCE = 1e-5
"""How far a number may be from the one computed anew: what float32 leaves open. The data and the backend are the same."""


def verify(run: str | os.PathLike[str], console: Console | None = None) -> int:
    """Loads the model of a run, computes the numbers of `summary.json` and `cases.csv` anew, and compares the page with them.

    Args:
        run: the directory of a finished run of `kerasmith train` or `kerasmith demo`.
        console: a `rich.console.Console`.

    Returns:
        0 if all agree, 1 if one differs.

    Raises:
        ValueError: if the run is not finished, its data are not known or not there any more, or its model cannot be loaded.
    """
    directory, console = run_files.run_directory(run), console or Console()
    summary = run_files.read_json(directory / run_files.SUMMARY)
    if not summary:
        raise ValueError(f"{directory} has no {run_files.SUMMARY}: its training is not finished. Run it again to go on")
    anew, cases = _computed(directory, summary)
    rows = run_files.read_history(directory / run_files.HISTORY)
    stored = dict(_numbers({k: v for k, v in summary.items() if k in anew}))
    pairs = [(name, stored.get(name), value) for name, value in _numbers(anew)]
    pairs += [(f"case {name}", before, value) for name, before, value in _of_cases(directory, cases)]
    pairs += [(f"best {name}", before, value) for name, before, value in _of_history(summary, rows)]
    pairs += [(f"page, {name}", before, value) for name, before, value in _of_page(directory, summary, rows)]
    differing = [(name, before, value) for name, before, value in pairs if not is_same(before, value)]
    for name, before, value in differing:
        show(console, Text(f"differs: {name} is stored as {before}, computed as {value}"))
    of = ", ".join(name for name, _ in _numbers(anew))
    verdict = f"{len(differing)} differ" if differing else "all agree"
    show(console, Text(f"{len(pairs)} numbers compared, {verdict}. Computed anew from the model and the data: {of}"))
    return 1 if differing else 0


def is_same(before: Any, value: Any) -> bool:
    """Whether two numbers are the same but for what float32 leaves open; NaN and a missing number are the same.

    >>> is_same(0.5, 0.500001), is_same(0.5, 0.501), is_same(None, float("nan")), is_same(3, 4)
    (True, False, True, False)
    """
    missing = [one is None or (isinstance(one, float) and math.isnan(one)) for one in (before, value)]
    if any(missing):
        return all(missing)
    if not (isinstance(before, numbers.Real) and isinstance(value, numbers.Real)):
        return bool(before == value)
    return math.isclose(before, value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE * 0.1)


def _computed(directory: Path, summary: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]] | None]:
    """What the model comes to on the data of the run: figures, and cases if there are any."""
    if (directory / _CONFIG).is_file():
        return importlib.import_module("kerasmith.recipes.training.verification").computed(directory)
    recipe = summary.get("recipe")
    module = importlib.import_module(DEMOS[recipe].module) if recipe in DEMOS else None
    if module is None or not hasattr(module, "computed"):
        raise ValueError(
            f"The data of {directory} are not known, so its numbers cannot be computed anew. Expected a run of "
            "`kerasmith train` or of `kerasmith demo`"
        )
    path = directory / "model.keras"
    if not path.is_file():
        raise ValueError(f"{directory} has no model.keras, so its numbers cannot be computed anew")
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"The model {path} cannot be loaded: {reason}") from error
    return module.computed(model, summary)


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(place, number) of all numbers in nested dicts and lists."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _numbers(item, f"{name}.{i}")
    elif value is None or (isinstance(value, numbers.Real) and not isinstance(value, bool)):
        yield name, value


def _of_cases(directory: Path, cases: list[dict[str, Any]] | None) -> Iterator[tuple[str, Any, Any]]:
    stored = {row["case"]: row for row in run_files.read_cases(directory / run_files.CASES)}
    if cases is None or not stored:
        return
    anew = {row["case"]: row for row in cases}
    yield "count", len(stored), len(anew)
    for case, row in anew.items():
        for name, value in row.items():
            if name != "case":
                yield f"{case}, {name}", stored.get(case, {}).get(name), value


def _of_history(summary: Mapping[str, Any], rows: list[dict[str, Any]]) -> Iterator[tuple[str, Any, Any]]:
    """The best values of `summary.json` beside those of `history.csv`."""
    for name, best in (summary.get("best") or {}).items():
        index = best_index([row.get(name) for row in rows], direction_of(name, summary.get("directions")))
        yield name, best["value"], None if index is None else rows[index].get(name)


def _of_page(directory: Path, summary: Mapping[str, Any], rows: list[dict[str, Any]]) -> Iterator[tuple[str, Any, Any]]:
    """The results and the last epoch that the page carries along, beside the files."""
    path = directory / "report.html"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, flags=re.DOTALL)
    if data is None:
        return
    try:
        page = json.loads(data.group(1))
    except ValueError:
        yield "its data", "unreadable", "JSON"
        return
    for name, value in _numbers(page.get("results") or {}):
        if name != "seconds":
            yield name, value, dict(_numbers(summary)).get(name)
    yield "epochs", len(page.get("rows") or []), len(rows)
    for own, row in list(zip(page.get("rows") or [], rows, strict=False)):
        for name, value in row.items():
            if not is_same(own.get(name), value):
                yield f"{name} of epoch {row['epoch']}", own.get(name), value
