"""`kerasmith report RUN [RUN ...]`: the page of a run made again, or runs compared."""

import argparse
import importlib
import importlib.util
import os
import sys
from typing import Any

from kerasmith.cli.arguments import add_traceback
from kerasmith.cli.backend import add_backend, use_backend


def report(options: argparse.Namespace) -> None:
    """Makes the page of a run from its directory, or compares several runs on one page."""
    # Pages need no backend: the lightest that Keras can be imported with here.
    if "keras" not in sys.modules:
        if importlib.util.find_spec("jax"):
            os.environ["KERAS_BACKEND"] = "numpy"
        else:
            use_backend(options.backend)
    importlib.import_module("kerasmith.recipes.run_pages").write(options.runs, options.out)


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
    add_backend(command)
    add_traceback(command)
    command.set_defaults(command=report)
