"""The tables, for the terminal or as Markdown."""

from typing import Any, NamedTuple

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

OURS = "kerasmith"
OTHERS = ("keras", "MONAI", "smp", "kornia", "PML")
# Ratios of CPU times on a busy machine; closer to 1 than this says nothing.
NOISE = 1.1
RATIO = "; ratio: ours to the best other"
# What the house aims at, fwd+bwd: never slower than Keras; a good deal faster than the libraries of PyTorch.
AIMS = ((("keras",), 1.0), (OTHERS[1:], 0.6))


class Row(NamedTuple):
    """Figures of one loss and batch: {what: {library: array of repeats}}."""

    loss: str
    case: Any
    figures: dict


def median(row, what, library):
    values = row.figures[what].get(library)
    return None if values is None else float(np.median(values))


def share(row, what, libraries):
    """Ours divided by the best of `libraries`, from the repeats of the same round; None if none competes."""
    figures = row.figures[what]
    shares = [float(np.median(figures[OURS] / figures[library])) for library in libraries if library in figures]
    return max(shares, default=None)


class Terminal:
    """Prints with rich."""

    def __init__(self):
        self.console = Console(width=None if Console().is_terminal else 170)

    def progress(self, items, what):
        return track(items, description=what, console=self.console, transient=True)

    def note(self, text):
        self.console.print(text)

    def times(self, title, unit, rows):
        self._print(title, unit + RATIO, rows, ("fwd", "fwd+bwd"))
        for libraries, aim in AIMS:
            self._summary(rows, libraries, aim)

    def memory(self, title, unit, rows):
        self._print(title, unit + RATIO, rows, ("peak",))

    def _print(self, title, caption, rows, columns):
        table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for name in ("loss", "shape", "input", "labels"):
            table.add_column(name, no_wrap=True)
        libraries = _libraries(rows)
        for what in columns:
            for library in libraries:
                table.add_column(f"{what}\n{library}", justify="right", no_wrap=True)
            table.add_column(f"{what}\nratio", justify="right", no_wrap=True)
        last = None
        for row in rows:
            if last not in (None, row.loss):
                table.add_section()
            cells = [row.loss if row.loss != last else "", _shape(row), row.case.inputs, row.case.labels]
            last = row.loss
            for what in columns:
                cells += [_number(median(row, what, library)) for library in libraries]
                cells.append(_coloured(share(row, what, OTHERS)))
            table.add_row(*cells)
        self.console.print(table)

    def _summary(self, rows, libraries, aim):
        found = [(share(row, "fwd+bwd", libraries), row) for row in rows]
        found = [(value, row) for value, row in found if value is not None]
        if not found:
            return
        met = sum(value <= aim * (NOISE if aim == 1.0 else 1.0) for value, _ in found)
        worst, row = max(found, key=lambda pair: pair[0])
        present = [library for library in libraries if any(library in row.figures["fwd+bwd"] for row in rows)]
        self.console.print(
            f"fwd+bwd against {' and '.join(present)}: at most {aim:g}x in {met} of {len(found)} rows; median "
            f"{np.median([value for value, _ in found]):.2f}x, worst {worst:.2f}x "
            f"({row.loss}, {_shape(row)}, {row.case.inputs}, {row.case.labels})"
        )


class Markdown:
    """Prints the tables of the README."""

    def progress(self, items, what):
        return items

    def note(self, text):
        print(text + "\n")

    def times(self, title, unit, rows):
        self._print(title, unit, rows, ("fwd", "fwd+bwd"))

    def memory(self, title, unit, rows):
        self._print(title, unit, rows, ("peak",))

    def _print(self, title, caption, rows, columns):
        libraries = _libraries(rows)
        head = ["loss", "shape", "input", "labels"] + [f"{what} {library}" for what in columns for library in libraries]
        print(f"**{title}.** {caption}.\n")
        print("| " + " | ".join(head) + " |")
        print("|" + "---|" * 4 + "--:|" * (len(head) - 4))
        for row in rows:
            cells = [f"`{row.loss}`", _shape(row), row.case.inputs, row.case.labels]
            cells += [_number(median(row, what, library)) for what in columns for library in libraries]
            print("| " + " | ".join(cells) + " |")
        print()


def _libraries(rows):
    return [name for name in (OURS, *OTHERS) if any(name in figures for row in rows for figures in row.figures.values())]


def _shape(row):
    return "x".join(map(str, row.case.shape))


def _number(value):
    return "" if value is None else f"{value:.1f}"


def _coloured(value):
    if value is None:
        return Text("")
    return Text(f"{value:.2f}", style="green" if value <= 0.6 else ("" if value <= NOISE else "red"))
