"""Reports as JSON, for programs."""

import json
from collections.abc import Sequence
from typing import Any

from kerasmith.checks.engine.report import Report
from kerasmith.checks.formats import counts


def render(reports: Sequence[Report]) -> str:
    """One report as an object, several as an object with "components".

    Returns:
        A text of {"subject", "ok", "planned", "outcomes": {"pass": n, ...}, "findings": [{"id", "severity", "title",
        "expected", "actual", "reproducer", "fix", "backend", "file", "line"}], ...}. With several components the findings of
        all are in one list, each with its "component".
    """
    parts = [as_dict(report) for report in reports]
    whole = parts[0] if len(parts) == 1 else _joined(reports, parts)
    return json.dumps(whole, indent=2) + "\n"


def as_dict(report: Report) -> dict[str, Any]:
    """What JSON shows of one report."""
    return {
        "subject": report.subject,
        "ok": report.ok,
        "planned": report.planned,
        "outcomes": report.outcomes,
        "findings": [finding.as_dict() for finding in report.findings],
        "kind": report.kind,
        "target": report.target,
        "file": report.file,
        "line": report.line,
        "inputs": report.inputs,
        "inferred": report.inferred,
        "contract": list(report.contract),
        "backends": list(report.backends),
        "checks": {
            backend: [{"id": record.id, "outcome": record.outcome, "why": record.why} for record in records]
            for backend, records in report.records.items()
        },
        "seconds": round(report.seconds, 3),
        "problem": report.problem,
        "unrun": report.unrun,
    }


def _joined(reports: Sequence[Report], parts: list[dict[str, Any]]) -> dict[str, Any]:
    outcomes = counts.total(reports)
    places = {(report.target or report.subject).removesuffix(f":{report.subject}") for report in reports}
    return {
        "subject": places.pop() if len(places) == 1 else ", ".join(report.subject for report in reports),
        "ok": bool(reports) and all(report.ok or _empty_source(report) for report in reports),
        "planned": sum(outcomes.values()),
        "outcomes": outcomes,
        "findings": [{"component": part["subject"], **finding} for part in parts for finding in part["findings"]],
        "components": parts,
    }


def _empty_source(report: Report) -> bool:
    """A file of which nothing was asked (by `--select`) spoils nothing."""
    return report.kind == "source" and report.ran == 0 and report.problem is None
