"""Reports as SARIF 2.1.0, which code hosts show beside the lines of a change.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import kerasmith
from kerasmith.checks.engine import registry
from kerasmith.checks.engine.finding import Finding
from kerasmith.checks.engine.registry import Check
from kerasmith.checks.engine.report import Report
from kerasmith.checks.formats.places import place, uri

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://github.com/kerasmith/kerasmith"
ROOT = "SRCROOT"
LEVELS = {"error": "error", "warning": "warning", "note": "note"}


def render(reports: Sequence[Report]) -> str:
    """A text with one run: all checks as rules, the findings as results, what could not be checked as notifications."""
    rules = [_rule(one) for one in registry.load().values()]
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    problems = [_notification(report) for report in reports if report.problem is not None]
    run = {
        "tool": {"driver": {"name": "kerasmith", "version": kerasmith.__version__, "informationUri": HOME, "rules": rules}},
        "invocations": [{"executionSuccessful": not problems, "toolExecutionNotifications": problems}],
        "originalUriBaseIds": {ROOT: {"uri": f"{pathlib.Path.cwd().as_uri().rstrip('/')}/"}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(report, finding, index) for report in reports for finding in report.findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(one: Check) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": "".join(word.capitalize() for word in one.name.split("_")),
        "shortDescription": {"text": f"{one.title}."},
        "fullDescription": {"text": one.explanation},
        "help": {"text": one.fix, "markdown": one.explanation.replace("Fix:", "**Fix:**")},
        "defaultConfiguration": {"level": LEVELS[one.severity]},
        "properties": {"tags": list(one.kinds)},
    }


def _result(report: Report, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    where = f" (on {finding.backend})" if finding.backend else ""
    fault = f"{report.subject}: {finding.title}{where}. Expected {finding.expected}. Got {finding.actual}."
    return {
        "ruleId": finding.id,
        **({"ruleIndex": index[finding.id]} if finding.id in index else {}),
        "level": LEVELS[finding.severity],
        "message": {"text": f"{fault} {finding.fix}"},
        # Lines move; the same fault of the same component stays the same alert.
        "partialFingerprints": {"componentAndCheck/v1": f"{place(finding.file)}:{report.subject}/{finding.id}"},
        "locations": [_location(report, finding)],
        "properties": {"backend": finding.backend, "reproducer": finding.reproducer},
    }


def _location(report: Report, finding: Finding) -> dict[str, Any]:
    location = {"logicalLocations": [{"name": report.subject, "kind": "module" if report.kind == "source" else "type"}]}
    if finding.file:
        location["physicalLocation"] = {"artifactLocation": _artifact(finding.file)}
        if finding.line is not None:
            location["physicalLocation"]["region"] = {"startLine": max(1, finding.line)}
    return location


def _artifact(file: str) -> dict[str, Any]:
    text, is_relative = uri(file)
    return {"uri": text, "uriBaseId": ROOT} if is_relative else {"uri": text}


def _notification(report: Report) -> dict[str, Any]:
    notification = {"level": "error", "message": {"text": f"{report.subject} could not be checked: {report.problem}"}}
    if report.file:
        notification["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(report.file)}}]
    return notification
