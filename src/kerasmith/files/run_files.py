"""What a run leaves in its directory, read with the standard library alone."""

import csv
import json
import math
import os
from pathlib import Path
from typing import Any

HISTORY, SUMMARY, DATA, CASES = "history.csv", "summary.json", "report.json", "cases.csv"


def is_run(directory: str | os.PathLike[str]) -> bool:
    """Whether a directory holds a run, finished or not."""
    return any((Path(directory) / name).is_file() for name in (HISTORY, SUMMARY, DATA))


def run_directory(directory: str | os.PathLike[str]) -> Path:
    """The directory as a path.

    Raises:
        ValueError: if it holds no run; says what was expected.
    """
    path = Path(directory).expanduser()
    if not path.exists():
        raise ValueError(f"There is no directory {path}. Expected the directory of a run, with {HISTORY} or {SUMMARY}")
    if not path.is_dir():
        raise ValueError(f"{path} is a file. Expected the directory of a run, with {HISTORY} or {SUMMARY}")
    if not is_run(path):
        inside = sorted(one.name for one in path.iterdir() if one.is_dir() and is_run(one))
        hint = f" There are runs in it: {', '.join(inside[:5])}; `kerasmith list {path}` shows them" if inside else ""
        raise ValueError(
            f"{path} holds no run. Expected {HISTORY} or {SUMMARY}, which RunReport and kerasmith train write.{hint}"
        )
    return path


def read_history(path: Path) -> list[dict[str, Any]]:
    """The rows of `history.csv`, numbers as they were; [] of a file that is not there.

    Raises:
        ValueError: for a file that is no history.
    """
    if not path.is_file():
        return []
    try:
        with open(path, encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        rows = [{name: _number(text) for name, text in line.items() if name and text not in ("", None)} for line in lines]
    except (OSError, UnicodeError, csv.Error, ValueError) as problem:
        raise ValueError(f"{path} cannot be read: {problem}. Expected a table of numbers with a column `epoch`") from None
    return [row for row in rows if "epoch" in row]


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; {} of a file that is not there.

    Raises:
        ValueError: for a file that is none.
    """
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ValueError(f"{path} cannot be read: {problem}. Expected what a run writes there") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path} holds no JSON object. Expected what a run writes there")
    return value


def read_cases(path: Path) -> list[dict[str, Any]]:
    """The rows of `cases.csv`: `case` and `digest` as text, all else numbers; [] of a file that is not there.

    Raises:
        ValueError: for a file that is no such table.
    """
    if not path.is_file():
        return []
    try:
        with open(path, encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        return [
            {name: text if name in ("case", "digest") else _number(text) for name, text in line.items() if name and text}
            for line in lines
        ]
    except (OSError, UnicodeError, csv.Error, ValueError) as problem:
        raise ValueError(f"{path} cannot be read: {problem}. Expected a table with a column `case` and numbers") from None


def monitored(best: dict[str, Any]) -> str | None:
    """The name that says most of a run, of {name: ...} of those with a direction: a metric of the validation, else a loss."""
    names = [name for name in best if name not in ("epoch", "learning_rate")]
    validation = [name for name in names if name.startswith("val_")]
    for among in (validation, names):
        metrics = [name for name in among if not name.endswith("loss")]
        if metrics and among:
            return metrics[0]
        if among:
            return among[0]
    return None


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if math.isfinite(value) and text.lstrip("-").isdigit() else value
