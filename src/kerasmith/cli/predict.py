"""`kerasmith predict RUN IMAGES --out DIR`."""

import argparse
import importlib
from typing import Any

from kerasmith.cli.arguments import add_traceback, number_within, whole_number
from kerasmith.cli.backend import add_backend, use_backend


def predict(options: argparse.Namespace) -> None:
    """Predicts images with the model of `kerasmith train`: masks, probabilities, overlays, tables of objects."""
    use_backend(options.backend)
    module = importlib.import_module("kerasmith.recipes.prediction")
    module.predict(
        options.run,
        options.images,
        out=options.out,
        flips=options.flips,
        overlap=options.overlap,
        threshold=options.threshold,
        batch_size=options.batch,
        probabilities=options.probabilities,
        overwrite=options.overwrite,
    )


def add_to(commands: Any) -> None:
    """The command's parser."""
    command = commands.add_parser(
        "predict",
        help="predict images with a trained model",
        description=predict.__doc__,
        epilog="What is complete is skipped: the same command goes on where it was interrupted.",
    )
    command.add_argument("run", metavar="RUN", help="the directory that `kerasmith train` wrote")
    command.add_argument("images", metavar="IMAGES", nargs="+", help="files, folders or patterns")
    command.add_argument("--out", metavar="DIR", required=True, help="where to write")
    command.add_argument("--flips", action="store_true", help="mean over mirrored copies; 4 times (3-D: 8 times) the work")
    command.add_argument(
        "--overlap", type=number_within(0, 1), default=0.5, metavar="X", help="of windows, a share; default: 0.5"
    )
    command.add_argument(
        "--threshold", type=number_within(0, 1), metavar="P", help="of foreground; default: what the training found"
    )
    command.add_argument("--batch", type=whole_number(1), metavar="N", help="windows at a time; default: 4, in 3-D 1")
    command.add_argument("--no-probabilities", dest="probabilities", action="store_false", help="write no probabilities")
    command.add_argument("--overwrite", action="store_true", help="replace files that are in DIR")
    add_backend(command)
    add_traceback(command)
    command.set_defaults(command=predict)
