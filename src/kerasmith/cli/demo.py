"""`kerasmith demo NAME`: trains a recipe on real data."""

import argparse
import importlib
import inspect
import os
import pathlib
from typing import Any

from kerasmith.cli.arguments import add_traceback, whole_number
from kerasmith.cli.backend import add_backend, chosen_backend, use_backend
from kerasmith.cli.demo_list import ListDemos
from kerasmith.recipes import DEMOS
from kerasmith.recipes.finished_run import finished_run


def demo(options: argparse.Namespace) -> None:
    """Trains a recipe on real data and writes a run directory."""
    backend = chosen_backend(options.backend)
    out = options.out or os.path.join("runs", f"{options.name}-{backend}")
    asked = {name: getattr(options, name) for name in ("epochs", "seed") if getattr(options, name) is not None}
    if not options.overwrite and options.weights is None:
        finished = finished_run(pathlib.Path(out).expanduser(), options.name, asked)
        if finished is not None:
            print(finished)
            return
    use_backend(backend, trains=True)
    recipe = importlib.import_module(DEMOS[options.name].module)
    further = {}
    if options.weights is not None:
        if "weights" not in inspect.signature(recipe.run).parameters:
            raise ValueError(f"`--weights` belongs to `kerasmith demo defects`. Received: demo {options.name}")
        further["weights"] = options.weights
    recipe.run(out=out, epochs=options.epochs, seed=options.seed or 0, overwrite=options.overwrite, **further)


def add_to(commands: Any) -> None:
    """The command's parser."""
    about = "\n".join(f"  {name:<10} {entry.description}" for name, entry in DEMOS.items())
    command = commands.add_parser(
        "demo",
        help="train a recipe on real data and write a report",
        description=f"{demo.__doc__}\n\n{about}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("name", choices=sorted(DEMOS), help="which recipe")
    command.add_argument("--list", action=ListDemos, help="what each shows, its data, licence, time and figures; runs nothing")
    add_backend(command)
    command.add_argument("--out", metavar="DIR", help="run directory; default: runs/NAME-BACKEND")
    command.add_argument("--epochs", type=whole_number(1), metavar="N", help="default: what the recipe was tuned for")
    command.add_argument("--seed", type=whole_number(0), metavar="N", help="default: 0")
    command.add_argument("--overwrite", action="store_true", help="begin anew and replace the files of an earlier run in DIR")
    command.add_argument("--weights", metavar="FILE", help="of defects: weights of ResNet50 without its top; default: random")
    add_traceback(command)
    command.set_defaults(command=demo)
