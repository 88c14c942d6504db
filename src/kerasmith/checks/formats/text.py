"""Reports for a reader at a terminal; without colours where there is none."""

import io
import shutil
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from kerasmith.checks.engine.finding import Finding
from kerasmith.checks.formats import counts
from kerasmith.checks.formats.characters import printable
from kerasmith.checks.formats.places import place

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kerasmith.checks.engine.report import Report  # which prints itself through this module

STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
# Without `verbose`: what a reader can do something about, and not more lines than are read.
OPEN, ALL_OPEN = ("timeout", "inconclusive"), ("timeout", "inconclusive", "blocked", "not applicable")
MOST_OPEN = 4


def render(reports: "Sequence[Report]", verbose: bool = False, width: int | None = None, color: bool = False) -> str:
    """The reports as text.

    Args:
        reports: list of `Report`.
        verbose: list every check without an answer.
        width: of the terminal in characters; by default that of this process's.
        color: with terminal codes for colours.
    """
    console = _console_in_memory(width, color)
    show(reports, console, verbose)
    return _text_of(console)


def render_finding(finding: Finding, width: int | None = None) -> str:
    """One finding as plain text, as a failing test shows it."""
    console = _console_in_memory(width, False)
    _show_finding(finding, console)
    return _text_of(console)


def show(reports: "Sequence[Report]", console: "Console | None" = None, verbose: bool = False) -> None:
    """Prints the reports.

    Args:
        reports: list of `Report`.
        console: a `rich.console.Console`; by default one on standard output, which has colours if that is a terminal.
        verbose: list every check without an answer.
    """
    from rich.console import Console

    console = Console(highlight=False) if console is None else console
    for index, report in enumerate(reports):
        if index:
            console.print()
        _show(report, console, verbose, brief=len(reports) > 1)
    if len(reports) > 1:
        console.print()
        _show_total(reports, console)


def _show(report: "Report", console: "Console", verbose: bool, brief: bool) -> None:
    header = _text(report.subject, style="bold")
    for part in filter(None, (report.kind, place(report.file, report.line))):
        header.append(printable(f"  {part}"), style="not bold dim")
    console.print(header)
    if brief and not report.findings and report.problem is None and not verbose and not _hidden(report):
        _show_sum(report, console)
        return
    rows = [
        ("inputs", report.inputs + (" (inferred)" if report.inferred else "")),
        ("contract", ", ".join(report.contract)),
        ("backends", ", ".join(report.backends)),
    ]
    _show_rows([row for row in rows if row[1]], console)
    before = None
    for finding in report.findings:
        if verbose or not before == finding.severity == "note":
            console.print()
        _show_finding(finding, console, verbose)
        before = finding.severity
    if report.findings:
        console.print()
    if report.problem is not None:
        problem = _text("could not be checked: ", style="bold red")
        console.print(problem.append(printable(report.problem), style="not bold default"))
    if report.unrun is not None:
        unrun = _text("was never called: ", style="bold red")
        console.print(unrun.append(printable(report.unrun), style="not bold default"))
    if verbose and report.details:
        console.print(_text(report.details, style="dim"))
    _show_sum(report, console)
    _show_open(report, console, verbose)
    advice = counts.advice(report)
    if advice:
        console.print(_text(advice))


def _show_finding(finding: Finding, console: "Console", verbose: bool = True) -> None:
    """A note is one line and a warning has no reproducer, unless `verbose`: a report should fit a screen."""
    title = _text(f"{finding.severity} {finding.id}", style=STYLES[finding.severity])
    title.append(printable(f" {finding.title}"), style="bold default")
    if finding.backend:
        title.append(f" (on {finding.backend})", style="not bold dim")
    if finding.severity == "note" and not verbose:
        console.print(title.append(printable(f"  {place(finding.file, finding.line)}"), style="not bold dim"))
        return
    console.print(title)
    rows = [
        ("expected", finding.expected),
        ("actual", finding.actual),
        ("fix", finding.fix),
        ("at", place(finding.file, finding.line)),
    ]
    _show_rows([row for row in rows if row[1]], console)
    if finding.reproducer and (verbose or finding.severity == "error"):
        _show_code(finding.reproducer, console)


def _show_rows(rows: Iterable[tuple[str, str]], console: "Console") -> None:
    """Names in a column, the texts beside them; below them where the terminal is narrow."""
    from rich.padding import Padding

    for name, text in rows:
        if console.width < 40:
            console.print(_text(f"  {name}", style="dim"))
            console.print(Padding(_text(text), (0, 0, 0, 4), expand=False))
        else:
            grid = _grid()
            grid.add_row(_text(f"  {name}", style="dim"), _text(text))
            console.print(grid)


def _text(text: Any, **options: Any) -> "Text":
    from rich.text import Text

    return Text(printable(text), **options)


def _grid() -> "Table":
    from rich.table import Table

    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=10, no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _show_code(code: str, console: "Console") -> None:
    """Python from the first column on, its lines unbroken, so that it can be copied and runs."""
    from rich.syntax import Syntax

    syntax = Syntax("", "python", theme="ansi_dark", background_color="default")
    text = syntax.highlight(printable(code).strip("\n"))
    text.rstrip()
    console.print("  reproducer", style="dim")
    console.print(text, soft_wrap=True)


def _show_sum(report: "Report", console: "Console") -> None:
    worst = report.findings[0].severity if report.findings else None
    style = STYLES["error"] if report.problem is not None else STYLES.get(worst, "green" if report.ok else "yellow")
    verdict = counts.found_line(report.findings) if report.ran else "nothing checked"
    if report.ran and not report.called and report.kind != "source":
        verdict, style = f"{verdict}, but it was never called", STYLES["error"]
    line = _text(verdict, style=style)
    line.append(f"; {counts.sum_line(report.outcomes)}; {report.seconds:.1f} s", style="not bold default")
    console.print(line)


def _show_open(report: "Report", console: "Console", verbose: bool) -> None:
    from rich.padding import Padding

    rows = counts.open_questions(report, ALL_OPEN if verbose else OPEN)
    displayed = rows if verbose else rows[:MOST_OPEN]
    for outcome, ids, backends, why in displayed:
        where = "" if len(backends) == len(report.backends) else f" on {', '.join(backends)}"
        what = "" if outcome == "blocked" else f" {outcome}"
        text = _text(f"{_listed(ids, verbose)}{what}{where}: {why}", style="dim")
        if not verbose:
            text.no_wrap, text.overflow = True, "ellipsis"
        console.print(Padding(text, (0, 0, 0, 2), expand=False))
    if len(displayed) < len(rows):
        console.print(f"  and {len(rows) - len(displayed)} more reasons; -v lists all", style="dim")


def _hidden(report: "Report") -> int:
    """Whether the short form would leave out what a reader must know: that time ran out, or why nothing was answered."""
    return report.outcomes["timeout"] > 0 or (report.planned > 0 and report.ran == 0)


def _listed(ids: list[str], verbose: bool) -> str:
    few = ids if verbose or len(ids) <= 4 else [*ids[:3], f"and {len(ids) - 3} more"]
    return ", ".join(few)


def _show_total(reports: "Sequence[Report]", console: "Console") -> None:
    wrong = [report for report in reports if any(finding.severity == "error" for finding in report.findings)]
    unchecked = [report for report in reports if report.problem is not None]
    line = _text(f"{len(reports)} subjects: ", style="bold")
    line.append(counts.found_line([finding for report in reports for finding in report.findings]))
    line.append(f"; {counts.sum_line(counts.total(reports))}", style="not bold default")
    console.print(line)
    for text, some in (("with errors", wrong), ("could not be checked", unchecked)):
        if some:
            console.print(_text(f"  {text}: {', '.join(report.subject for report in some)}", style="red"))


def _console_in_memory(width: int | None, color: bool) -> "Console":
    from rich.console import Console

    width = shutil.get_terminal_size((100, 24)).columns if width is None else width
    return Console(file=io.StringIO(), width=width, force_terminal=color, no_color=not color, highlight=False)


def _text_of(console: "Console") -> str:
    """What was printed, without the spaces that fill lines."""
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"
