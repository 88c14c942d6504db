"""Arguments that several commands have, and how they are read."""

import argparse
from collections.abc import Callable


def whole_number(minimum: int) -> Callable[[str], int]:
    """A reader of whole numbers of at least `minimum`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or number < minimum:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {minimum}, received {text!r}")
        return number

    return read


def number_within(low: float, high: float) -> Callable[[str], float]:
    """A reader of numbers from `low` to below `high`."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = high
        if not low <= number < high:
            raise argparse.ArgumentTypeError(f"expected a number from {low} to below {high}, received {text!r}")
        return number

    return read


def add_traceback(command: argparse.ArgumentParser) -> None:
    """`--traceback`, which every command has."""
    command.add_argument("--traceback", action="store_true", help="show where an error came from")
