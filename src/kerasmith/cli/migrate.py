"""`kerasmith migrate CALL`: what a call of another library is here."""

import argparse
from typing import Any

from kerasmith.cli.arguments import add_traceback

EXITS = "Exit status: 0 the line says the same, 1 something has no counterpart here, 2 the call is not known."


def migrate(options: argparse.Namespace) -> int:
    """Prints our line for a call of another library, and says where the original differs. The call is parsed, never run."""
    from kerasmith.migration import known_calls
    from kerasmith.migration import migrate as find

    if options.list or options.call is None:
        for path, call in sorted(known_calls().items()):
            print(f"{path:<66} {call.ours.replace('{', '').replace('}', '') or '-'}")
        return 0
    line = find(options.call)
    print(line)
    return 1 if line.lost or not line.ours else 0


def add_to(commands: Any) -> None:
    """The command's parser."""
    command = commands.add_parser(
        "migrate", help="say what a call of another library is here", description=migrate.__doc__, epilog=EXITS
    )
    command.add_argument("call", nargs="?", help="such as 'monai.losses.DiceCELoss(sigmoid=True)'")
    command.add_argument("--list", action="store_true", help="name every call that is known")
    add_traceback(command)
    command.set_defaults(command=migrate)
