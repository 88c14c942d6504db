"""What a demo says of a run that is finished: nothing is trained, and nothing heavy imported."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasmith.files import run_files

_NO_FIGURES = ("seconds", "parameters")


def finished_run(directory: Path, recipe: str, asked: Mapping[str, Any]) -> str | None:
    """A few lines about the finished run of a directory; None where there is none, or it is not the one that was asked for.

    Args:
        directory: of the run.
        recipe: name of the demo.
        asked: {name of a setting: value}, those that were asked for by name.
    """
    if not (directory / run_files.SUMMARY).is_file() or (directory / "checkpoints").is_dir():
        return None
    try:
        summary = run_files.read_json(directory / run_files.SUMMARY)
    except ValueError:
        return None
    config = summary.get("config") or {}
    if summary.get("recipe") != recipe or any(config.get(name) != value for name, value in asked.items()):
        return None
    figures = {
        name.replace("_", " "): value
        for name, value in summary.items()
        if isinstance(value, float) and name not in _NO_FIGURES
    }
    lines = [f"{directory} holds this run: {summary.get('title', '')}, {summary.get('status', '')}."]
    lines += [f"  {name}: {value:.4g}" for name, value in figures.items()]
    report = directory / "report.html"
    lines += [f"report: {report}"] if report.is_file() else []
    return "\n".join([*lines, "To train anew: --overwrite, or another directory with --out."])
