"""`kerasmith new KIND NAME`: a part to begin with, and its test."""

import argparse
import pathlib
from typing import Any

from kerasmith.checks.engine.registry import KINDS
from kerasmith.cli.arguments import add_traceback


def new(options: argparse.Namespace) -> None:
    """Writes a documented part that passes `kerasmith check`, and a test of it."""
    from rich.console import Console

    from kerasmith.checks import scaffold

    console = Console(highlight=False)
    paths = scaffold.write(options.kind, options.name, pathlib.Path(options.dir))
    for path in paths:
        console.print(f"wrote {path}", markup=False)
    name = scaffold.class_name(options.name)
    console.print(f"\nNow: kerasmith check {paths[0]}:{name}\n     pytest {paths[1]}", markup=False)


def add_to(commands: Any) -> None:
    """The command's parser."""
    command = commands.add_parser("new", help="begin a part of your own, with a test", description=new.__doc__)
    command.add_argument("kind", choices=KINDS)
    command.add_argument("name", help="of the class: MyLoss")
    command.add_argument("--dir", default=".", metavar="DIR", help="where to write; default: here")
    add_traceback(command)
    command.set_defaults(command=new)
