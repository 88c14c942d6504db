"""`kerasmith report RUN [RUN ...]`: the page of a run made again, or runs compared."""

import argparse
import importlib
import importlib.util
import os
import sys
from typing import Any

from kerasmith.backends import BACKENDS
from kerasmith.cli.arguments import add_traceback
from kerasmith.cli.backend import add_backend, use_backend
from kerasmith.files import run_files


def report(options: argparse.Namespace) -> int:
    """Makes the page of a run from its directory, compares several runs on one page, or checks the numbers of a run."""
    if options.verify:
        return verify(options)
    # Pages need no backend: the lightest that Keras can be imported with here.
    if "keras" not in sys.modules:
        if importlib.util.find_spec("jax"):
            os.environ["KERAS_BACKEND"] = "numpy"
        else:
            use_backend(options.backend)
    importlib.import_module("kerasmith.recipes.run_pages").write(options.runs, options.out)
    return 0


def verify(options: argparse.Namespace) -> int:
    """Computes the numbers of a run anew, on the backend that it was trained on."""
    if len(options.runs) > 1 or options.out:
        raise ValueError("`--verify` takes one RUN and writes nothing. Call it once for each run")
    directory = run_files.run_directory(options.runs[0])
    environment = run_files.read_json(directory / run_files.SUMMARY).get("environment") or {}
    backend = str(environment.get("backend") or "").partition(" ")[0]
    if "keras" not in sys.modules:
        use_backend(options.backend or (backend if backend in BACKENDS else None))
    return importlib.import_module("kerasmith.recipes.verification").verify(directory)


def add_to(commands: Any) -> None:
    """The command's parser."""
    command = commands.add_parser(
        "report",
        help="make the page of a run again, or compare runs",
        description=report.__doc__,
        epilog="Of several runs, the first is what the others are compared with.",
    )
    command.add_argument("runs", metavar="RUN", nargs="+", help="directories of runs")
    command.add_argument("--out", metavar="FILE", help="page to write; default: RUN/report.html, of several ./compare.html")
    command.add_argument(
        "--verify",
        action="store_true",
        help="load the model, compute every number anew; status 1 where one differs, 2 where that cannot be done",
    )
    add_backend(command)
    add_traceback(command)
    command.set_defaults(command=report)
