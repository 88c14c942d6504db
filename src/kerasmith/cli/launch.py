"""`kerasmith launch --engine torch --processes 2 script.py`: one training in several processes of this machine."""

import argparse
import functools
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from kerasmith.cli.arguments import add_traceback, whole_number
from kerasmith.cli.launching.engines import ENGINES, engine, port_to_meet
from kerasmith.cli.launching.processes import Processes, show_with_ranks
from kerasmith.cli.launching.ray_log import RAY_QUIET, WorkersOfRay
from kerasmith.cli.launching.verdict import callers, ending, verdict


def launch(options: argparse.Namespace) -> int:
    """Starts a script several times as one training, and ends all of it when one process fails."""
    script = Path(options.script)
    if not script.is_file():
        raise ValueError(f"There is no script {options.script!r}. Name a Python file, then its arguments.")
    found, backend = engine(options.engine, os.environ.get("KERAS_BACKEND"))
    port = port_to_meet(options.port)
    directory = Path(tempfile.mkdtemp(prefix="kerasmith-launch-"))
    shared = {
        **os.environ,
        "KERAS_BACKEND": backend,
        # Ray is none of its own: its workers meet as those of the backend do.
        "KERASMITH_ENGINE": backend if found.driver else options.engine,
        "KERASMITH_LAUNCH_DIRECTORY": str(directory),
        "PYTHONUNBUFFERED": "1",
        # As torchrun: each process would otherwise take all cores.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // options.processes))),
    }
    command = [str(script), *options.arguments]
    try:
        if found.driver:
            drives = [sys.executable, "-m", found.driver, str(options.processes), *command]
            failed = Processes(drives, [{**shared, **RAY_QUIET}], WorkersOfRay()).wait()
        else:
            environments = [{**shared, **found.variables(rank, options.processes, port)} for rank in range(options.processes)]
            # On a terminal the bar of rank 0 is drawn by itself.
            direct = 0 if sys.stdout.isatty() else None
            started = Processes([sys.executable, *command], environments, show_with_ranks, direct=direct)
            failed = started.wait(functools.partial(ending, directory, options.processes))
        missing = sorted({*range(options.processes)} - {*callers(directory, options.processes)})
        end = verdict(directory, failed, options.processes)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if len(missing) == options.processes and not failed:
        print(
            f"warning: {options.script} has not called `kerasmith.distribution.setup()`: each of the {options.processes} "
            "processes has trained for itself, on all data. Write it before the model is made.",
            file=sys.stderr,
        )
    if end.text:
        print(f"error: {end.text}", file=sys.stderr)
    return end.status


def add_to(commands: Any) -> None:
    """The command's parser."""
    command = commands.add_parser(
        "launch",
        help="train in several processes",
        description=launch.__doc__,
        epilog="The script calls `kerasmith.distribution.setup()` before it makes its model. See docs/replicas.md.",
    )
    command.add_argument("--engine", choices=sorted(ENGINES), required=True, help="what joins the processes")
    command.add_argument("--processes", type=whole_number(1), required=True, metavar="N", help="how many")
    command.add_argument("--port", type=whole_number(1), metavar="PORT", help="where they meet; default: a free one")
    add_traceback(command)
    command.add_argument("script", metavar="SCRIPT", help="a Python file")
    command.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="its arguments")
    command.set_defaults(command=launch)
