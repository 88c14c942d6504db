"""`kerasmith list DIR`: the runs in a directory. Needs no Keras."""

import argparse
import math
import textwrap
from pathlib import Path
from typing import Any

from kerasmith.cli.arguments import add_traceback

_WIDTH = 80


def list_runs(options: argparse.Namespace) -> None:
    """Shows the runs in a directory: name, state, epochs, the best value of what is monitored, training time."""
    from kerasmith.files import run_files

    top = Path(options.dir).expanduser()
    if not top.is_dir():
        raise ValueError(f"There is no directory {top}. Expected one that holds runs, such as `runs`")
    found = [top] if run_files.is_run(top) else sorted(p for p in _directories(top) if run_files.is_run(p))
    if not found:
        raise ValueError(f"{top} holds no runs. Expected directories with history.csv or summary.json")
    rows = [("run", "state", "epochs", "best", "time"), *(_row(path, top) for path in found)]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    space = _WIDTH - sum(widths[1:3]) - widths[4] - 8
    # Names and values share what is left; the value is what somebody looks for.
    widths[3] = min(widths[3], max(space - min(widths[0], 24), 12))
    widths[0] = min(widths[0], space - widths[3])
    for row in rows:
        name, state, epochs, best, time = (_cut(text, width) for text, width in zip(row, widths, strict=True))
        line = f"{name:<{widths[0]}}  {state:<{widths[1]}}  {epochs:>{widths[2]}}  {best:<{widths[3]}}  {time:>{widths[4]}}"
        print(line.rstrip())


def add_to(commands: Any) -> None:
    """The command's parser."""
    command = commands.add_parser("list", help="show the runs in a directory", description=list_runs.__doc__)
    command.add_argument("dir", metavar="DIR", nargs="?", default="runs", help="searched three levels deep; default: runs")
    add_traceback(command)
    command.set_defaults(command=list_runs)


def _directories(top: Path) -> list[Path]:
    return [path for pattern in ("*", "*/*", "*/*/*") for path in top.glob(pattern) if path.is_dir()]


def _row(path: Path, top: Path) -> tuple[str, str, str, str, str]:
    from kerasmith.files import run_files
    from kerasmith.files.lock import FileLock

    name = str(path.relative_to(top)) if path != top else path.resolve().name
    try:
        summary = run_files.read_json(path / run_files.SUMMARY)
        data = run_files.read_json(path / run_files.DATA)
        rows = run_files.read_history(path / run_files.HISTORY)
    except ValueError as problem:
        return name, "unreadable", "–", textwrap.shorten(str(problem), 40), "–"
    lock = path / ".report.html.lock"
    state = summary.get("status") or ("running" if lock.exists() and _is_locked(FileLock(lock)) else "unfinished")
    epochs = str(rows[-1]["epoch"]) if rows else "0"
    seconds = summary.get("seconds", data.get("seconds"))
    return name, state, epochs, _best(summary, data, rows), _clock(seconds)


def _is_locked(lock: Any) -> bool:
    try:
        if not lock.acquire():
            return True
    except OSError:
        return False
    lock.release()
    return False


def _best(summary: dict[str, Any], data: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    from kerasmith.files import run_files

    best = summary.get("best") or {}
    if not best:  # it is not finished
        directions = data.get("directions") or {}
        for name in dict.fromkeys(name for row in rows for name in row):
            direction = "min" if name.endswith("loss") else directions.get(name.removeprefix("val_"))
            values = [(row[name], row["epoch"]) for row in rows if name in row and math.isfinite(row[name])]
            if values and direction in ("min", "max"):
                value, epoch = (max if direction == "max" else min)(values, key=lambda pair: pair[0])
                best[name] = {"value": value, "epoch": epoch}
    name = run_files.monitored(best)
    return "–" if name is None else f"{name} {best[name]['value']:.4g} ({best[name]['epoch']})"


def _clock(seconds: Any) -> str:
    if not isinstance(seconds, (int, float)):
        return "–"
    whole = round(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 1)] + "…"
