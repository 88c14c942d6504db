"""The command line: `kerasmith demo nuclei`. Starts without importing Keras; only a command that needs it does."""

import argparse
import importlib
import importlib.util
import os

import kerasmith
from kerasmith.recipes import DEMOS

BACKENDS = ("tensorflow", "jax", "torch")


def main(arguments=None):
    """Runs one command; returns the exit status: 0 done, 2 bad input, 130 interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        options.command(options)
    except (ValueError, TypeError, ImportError, OSError) as error:
        if options.traceback:
            raise
        _print_error(error)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def demo(options):
    """Trains a recipe on real data and writes a run directory."""
    backend = _choose_backend(options.backend)
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    recipe = importlib.import_module(DEMOS[options.name].module)
    out = options.out or os.path.join("runs", f"{options.name}-{backend}")
    recipe.run(out=out, epochs=options.epochs, seed=options.seed, overwrite=options.overwrite)


def _parser():
    parser = argparse.ArgumentParser(prog="kerasmith", description=kerasmith.__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=f"kerasmith {kerasmith.__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")

    about = "\n".join(f"  {name:<10} {entry.description}" for name, entry in DEMOS.items())
    command = commands.add_parser(
        "demo",
        help="train a recipe on real data and write a report",
        description=f"{demo.__doc__}\n\n{about}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("name", choices=sorted(DEMOS), help="which recipe")
    command.add_argument("--backend", choices=BACKENDS, help="default: $KERAS_BACKEND, else the first one installed")
    command.add_argument("--out", metavar="DIR", help="run directory; default: runs/NAME-BACKEND")
    command.add_argument("--epochs", type=_whole_number(1), metavar="N", help="default: what the recipe was tuned for")
    command.add_argument("--seed", type=_whole_number(0), default=0, metavar="N", help="default: 0")
    command.add_argument("--overwrite", action="store_true", help="begin anew and replace the files of an earlier run in DIR")
    command.add_argument("--traceback", action="store_true", help="show where an error came from")
    command.set_defaults(command=demo)
    return parser


def _whole_number(minimum):
    def whole_number(text):
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or number < minimum:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {minimum}, received {text!r}")
        return number

    return whole_number


def _choose_backend(asked):
    """The backend to use; raises ImportError if it is not installed."""
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    asked = asked or os.environ.get("KERAS_BACKEND") or (installed[0] if installed else BACKENDS[0])
    if asked not in BACKENDS:
        raise ValueError(f"KERAS_BACKEND must be one of {', '.join(BACKENDS)}. Received: {asked!r}")
    if asked not in installed:
        raise ImportError(f"The backend {asked!r} is not installed. Write `pip install 'kerasmith[{asked}]'`.")
    return asked


def _print_error(error):
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, highlight=False).print(Text("error: ", style="bold red") + Text(str(error)))
