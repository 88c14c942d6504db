"""The command line: `kerasmith demo nuclei`, `kerasmith check path.py:Name`. Starts without importing Keras."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

import kerasmith
from kerasmith.cli import check, demo, export, launch, list_runs, migrate, new, predict, report, train


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status: 0 done, 1 faults found, 2 bad input, 130 interrupted, 141 nobody reads."""
    parser = argparse.ArgumentParser(prog="kerasmith", description=kerasmith.__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=f"kerasmith {kerasmith.__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for module in (demo, train, launch, predict, export, report, list_runs, check, new, migrate):
        module.add_to(commands)
    own, dashes, of_script = _split(sys.argv[1:] if arguments is None else list(arguments))
    options = parser.parse_args(own)
    if dashes:
        if not hasattr(options, "arguments"):
            parser.error("only `kerasmith check train.py -- ...` and `kerasmith launch` take arguments behind two dashes")
        options.arguments = [*(options.arguments or ()), *of_script]
    try:
        status = options.command(options) or 0
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # who reads has seen enough, as `head` has
        with contextlib.suppress(OSError, ValueError):  # a stream that is no file
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that nothing fails at the end of the process
        return 141
    except (ValueError, TypeError, ImportError, OSError) as error:
        if options.traceback:
            raise
        _print_error(error)
        return 2
    except KeyboardInterrupt:
        return 130


def _split(arguments: list[str]) -> tuple[list[str], bool, list[str]]:
    """(arguments before two dashes, whether there are any, arguments behind them): those of a script are not ours to read."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], at < len(arguments), arguments[at + 1 :]


def _print_error(error: BaseException) -> None:
    from rich.console import Console
    from rich.text import Text

    # Lines are not broken: what is advised can be copied.
    Console(stderr=True, highlight=False).print(Text("error: ", style="bold red") + Text(str(error)), soft_wrap=True)
