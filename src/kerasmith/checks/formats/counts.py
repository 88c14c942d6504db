"""Counts of outcomes and findings in words that add up."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kerasmith.checks.engine.finding import OUTCOMES, SEVERITIES, Finding

if TYPE_CHECKING:
    from kerasmith.checks.engine.report import Report  # which prints itself through this module

_MORE_SECONDS = 180
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


def advice(report: "Report") -> str:
    """What to do first about the questions that were not answered, and how many wait for it; "" where none are.

    Args:
        report: a `Report`.
    """
    outcomes, reasons = {}, {}
    for records in report.records.values():
        for record in records:
            if record.outcome in ("fail", "timeout", "blocked"):
                outcomes[record.id] = record.outcome
            if record.outcome == "blocked":
                reasons[record.id] = record.why.partition("blocked by ")[2].split(", ")
    waiting = {}
    for id in reasons:
        for root in _roots(id, reasons, outcomes):
            waiting.setdefault(root, set()).add(id)
    parts = []
    if waiting:
        root = max(sorted(waiting), key=lambda id: len(waiting[id]))
        what = "declare inputs with --like" if root == "" else f"repair {root}"
        parts.append(f"{what} first: {_questions(len(waiting[root]))} for it")
    late = sum(outcome == "timeout" for outcome in outcomes.values())
    if late:
        parts.append(f"{late} ran out of time: --budget {_MORE_SECONDS} gives them more")
    open = {record.id for records in report.records.values() for record in records if record.outcome == "inconclusive"}
    if open and report.kind != "setup":
        parts.append(f"{len(open)} inconclusive: the inputs could not have shown the fault, try others with --like")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _roots(id: str, reasons: dict[str, list[str]], outcomes: dict[str, str]) -> set[str]:
    """The checks that failed or ran out of time behind a blocked one; {""} where inputs are missing."""
    found, waiting, seen = set(), [id], set()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        for why in reasons.get(one, ()):
            if not why:
                found.add("")
            elif outcomes.get(why) == "blocked":
                waiting.append(why)
            else:
                found.add(why)
    return found


def _questions(number: int) -> str:
    return "1 question waits" if number == 1 else f"{number} questions wait"


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
