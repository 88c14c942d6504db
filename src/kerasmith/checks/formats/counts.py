"""Counts of outcomes and findings in words that add up."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kerasmith.checks.engine.finding import OUTCOMES, SEVERITIES, Finding

if TYPE_CHECKING:
    from kerasmith.checks.engine.report import Report  # which prints itself through this module

WORDS = {"pass": "passed", "fail": "failed"}


def total(reports: "Sequence[Report]") -> dict[str, int]:
    """{outcome: how many} of all reports."""
    counts = dict.fromkeys(OUTCOMES, 0)
    for report in reports:
        for outcome, number in report.outcomes.items():
            counts[outcome] += number
    return counts


def sum_line(outcomes: dict[str, int]) -> str:
    """`9 planned = 6 passed + 1 failed + 2 inconclusive`: what is zero is left out but for the first two.

    Example:

    >>> sum_line({"pass": 6, "fail": 0, "inconclusive": 2, "blocked": 0, "not applicable": 1, "timeout": 0})
    '9 planned = 6 passed + 0 failed + 2 inconclusive + 1 not applicable'
    """
    numbers = [(WORDS.get(outcome, outcome), outcomes[outcome]) for outcome in OUTCOMES]
    terms = [f"{number} {word}" for word, number in numbers if number or word in WORDS.values()]
    return f"{sum(outcomes.values())} planned = {' + '.join(terms)}"


def found_line(findings: Sequence[Finding]) -> str:
    """`2 errors, 1 note`, or "nothing found".

    Args:
        findings: list of `Finding`.
    """
    severities = [finding.severity for finding in findings]
    counts = [(name, severities.count(name)) for name in SEVERITIES]
    return ", ".join(f"{number} {name}{'s' * (number > 1)}" for name, number in counts if number) or "nothing found"


def reason(outcome: str, why: str) -> str:
    """`inconclusive: ...`; a blocked check says itself that it is blocked."""
    return why if outcome == "blocked" else f"{outcome}: {why}"


def open_questions(report: "Report", outcomes: Sequence[str]) -> list[tuple[str, list[str], list[str], str]]:
    """[(outcome, ids, backends, why)]: the checks without an answer, those with one reason together.

    Args:
        report: a `Report`.
        outcomes: which ones, in the order in which they are wanted.
    """
    groups = {}
    for backend, records in report.records.items():
        for record in records:
            if record.outcome in outcomes:
                ids, backends = groups.setdefault((record.outcome, record.why), ({}, {}))
                ids[record.id] = backends[backend] = None
    rows = [(outcome, list(ids), list(backends), why) for (outcome, why), (ids, backends) in groups.items()]
    return sorted(rows, key=lambda row: (outcomes.index(row[0]), row[1]))
