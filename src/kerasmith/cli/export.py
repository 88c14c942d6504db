"""`kerasmith export RUN`."""

import argparse
import importlib
from typing import Any

from kerasmith.cli.arguments import add_traceback
from kerasmith.cli.backend import add_backend, use_backend


def export(options: argparse.Namespace) -> None:
    """Writes the model of a run as a file that runs without kerasmith, and runs it once so."""
    use_backend(options.backend)
    importlib.import_module("kerasmith.recipes.run_export").export(options.run, options.out, overwrite=options.overwrite)


def add_to(commands: Any) -> None:
    """The command's parser."""
    command = commands.add_parser(
        "export",
        help="write a trained model for use without kerasmith",
        description=export.__doc__,
        epilog="A SavedModel on TensorFlow and JAX, a torch.export program on PyTorch; export.json says what goes in and out.",
    )
    command.add_argument("run", metavar="RUN", help="the directory that `kerasmith train` wrote")
    command.add_argument("--out", metavar="DIR", help="directory to write; default: RUN/export")
    command.add_argument("--overwrite", action="store_true", help="replace an earlier export")
    add_backend(command)
    add_traceback(command)
    command.set_defaults(command=export)
