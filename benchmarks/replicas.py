"""What a step of `fit` costs two processes of PyTorch: exchanges, bytes and processor time, beside the gradients alone."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

STEP = pathlib.Path(__file__).with_name("replicas_step.py")
ROWS = (
    ("mse", "no metric"),
    ("mse", "mae"),
    ("mse", "AUC"),
    ("Dice", "no metric"),
    ('Dice(scope="batch")', "no metric"),
    ("a function of the batch", "no metric"),
)
HEAD = ("loss", "metrics", "exchanges a step", "bytes a step", "bytes of gradients", "processor time")


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints one table; arguments as of `losses.run`, `only` is part of a loss or metric. Asked of PyTorch alone."""
    chosen = [row for row in ROWS if only.lower() in " ".join(row).lower()][: 1 if quick else None]
    if not chosen:
        raise ValueError(f"`--only` must be part of one of {', '.join(map(str, ROWS))}. Received: --only {only}")
    lines = []
    for row, floor, found in zip(chosen, _steps("gradients", chosen), _steps("kerasmith", chosen)):
        ratio = np.median(found["seconds"]) / np.median(floor["seconds"])
        sizes = (f"{found['exchanges']:.2f}", f"{found['bytes']:.0f}", f"{found['gradients']}", f"{ratio:.2f}")
        lines.append((*row, *sizes))
    note = "processor time of a step of both processes; 1 is a `fit` that averages gradients and nothing else"
    if markdown:
        print(f"{note}\n\n| {' | '.join(HEAD)} |\n|---|---|{'--:|' * 4}")
        print("\n".join(f"| {' | '.join(line)} |" for line in lines))
        return
    table = Table(title="replicas, torch, two processes", caption=note, box=box.SIMPLE_HEAD)
    for index, name in enumerate(HEAD):
        table.add_column(name, justify="right" if index > 1 else "left")
    for line in lines:
        table.add_row(*line)
    Console().print(table)


def _steps(how, rows):
    """What both processes found for each row: seconds are their sum, the rest is that of the first."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "kerasmith", "launch", "--engine", "torch", "--processes", "2", str(STEP)]
        subprocess.run([*command, how, json.dumps(rows), folder], check=True, capture_output=True, env=_environment())
        found = [json.loads(pathlib.Path(folder, f"{rank}.json").read_text()) for rank in range(2)]
    return [{**first, "seconds": np.add(first["seconds"], second["seconds"])} for first, second in zip(*found)]


def _environment():
    here = str(STEP.parents[1])
    paths = [here, str(pathlib.Path(here, "src")), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
