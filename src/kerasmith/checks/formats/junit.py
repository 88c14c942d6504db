"""Reports as JUnit XML, which continuous integration shows as tests."""

import xml.etree.ElementTree as etree
from collections.abc import Sequence

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.finding import Record
from kerasmith.checks.engine.report import Report
from kerasmith.checks.formats import counts
from kerasmith.checks.formats.characters import printable
from kerasmith.checks.formats.text import render_finding

_TAGS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render(reports: Sequence[Report]) -> str:
    """A suite per component and backend, a case per check.

    A finding that is an error or a warning is a failure, a note is text of a passed case, a check that ran out of time and a
    component that could not be checked are errors, and what has no answer is skipped; each says why.
    """
    root = etree.Element("testsuites", name="kerasmith")
    for report in reports:
        for backend, records in report.records.items():
            _suite(root, report, f"{report.subject} on {backend}", [(record, _name(record.id)) for record in records])
        if report.problem is not None:
            _suite(root, report, report.subject, [(None, "can_be_checked")])
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key)) for suite in root)))
    root.set("time", f"{sum(report.seconds for report in reports):.3f}")
    etree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + etree.tostring(root, encoding="unicode") + "\n"


def _suite(root: etree.Element, report: Report, name: str, cases: list[tuple[Record | None, str]]) -> None:
    suite = etree.SubElement(root, "testsuite", name=printable(name))
    for record, label in cases:
        case = etree.SubElement(suite, "testcase", classname=printable(name), name=printable(label))
        if report.file:
            case.set("file", printable(report.file))
        if report.line is not None:
            case.set("line", str(report.line))
        _answer(case, report, record)
    suite.set("tests", str(len(cases)))
    for key, tag in _TAGS.items():
        suite.set(key, str(len(suite.findall(f"testcase/{tag}"))))


def _answer(case: etree.Element, report: Report, record: Record | None) -> None:
    if record is None:
        _element(case, "error", "could not be checked", report.problem)
    elif record.outcome == "fail" and record.finding.severity == "note":
        etree.SubElement(case, "system-out").text = render_finding(record.finding, width=120)
    elif record.outcome == "fail":
        finding = record.finding
        message = f"{finding.severity} {finding.id} {finding.title}: expected {finding.expected}, got {finding.actual}"
        _element(case, "failure", message, render_finding(finding, width=120), finding.severity)
    elif record.outcome == "timeout":
        _element(case, "error", record.why, record.why, "timeout")
    elif record.outcome != "pass":
        _element(case, "skipped", counts.reason(record.outcome, record.why), None)


def _element(case: etree.Element, tag: str, message: str, text: str | None, type: str | None = None) -> None:
    element = etree.SubElement(case, tag, message=printable(message), **({"type": type} if type else {}))
    element.text = None if text is None else printable(text)


def _name(id: str) -> str:
    one = registry.load().get(id)
    return id if one is None else f"{id}-{one.name}"
