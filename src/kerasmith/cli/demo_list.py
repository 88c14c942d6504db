"""What `kerasmith demo --list` prints."""

import argparse
import textwrap
from typing import Any

from kerasmith.recipes import DEMOS, Demo

_WIDTH = 80


class ListDemos(argparse.Action):
    """An option that prints the list and ends the program, as `--help` does."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print("\n\n".join(entry(name, demo) for name, demo in sorted(DEMOS.items())))
        parser.exit()


def entry(name: str, demo: Demo) -> str:
    """A demo in a few lines of 80 columns: what it shows, its data, their licence, the time, the figures."""
    fields = {
        "data": demo.data,
        "licence": demo.licence,
        "install": f'pip install "kerasmith[{demo.extra}]"',
        "time": f"{demo.time} on two cores",
        "to beat": demo.to_beat,
        "reached": demo.reached,
    }
    lines = [_wrapped(f"{name:<10}", demo.description)]
    lines += [_wrapped(f"{'':<10}{field:<10}", text) for field, text in fields.items()]
    return "\n".join(lines)


def _wrapped(head: str, text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)
