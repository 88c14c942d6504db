"""Reports as one line a finding, for editors and `grep`: `losses.py:12: error L104 BatchDice: what is wrong`."""

from collections.abc import Sequence

from kerasmith.checks.engine.report import Report
from kerasmith.checks.formats.characters import printable
from kerasmith.checks.formats.places import place


def render(reports: Sequence[Report]) -> str:
    """One line for each finding and each part that could not be checked; nothing where nothing was found.

    Args:
        reports: list of `Report`.
    """
    lines = []
    for report in reports:
        for why in (report.problem, report.unrun):
            if why is not None:
                where = place(report.file, report.line) or report.target or report.subject
                lines.append(f"{where}: cannot check {report.subject}: {why.splitlines()[0]}")
        for finding in report.findings:
            where = place(finding.file, finding.line) or report.target or report.subject
            backend = f" (on {finding.backend})" if finding.backend else ""
            lines.append(f"{where}: {finding.severity} {finding.id} {report.subject}: {finding.title}{backend}")
    return "".join(printable(" ".join(line.split())) + "\n" for line in lines)
