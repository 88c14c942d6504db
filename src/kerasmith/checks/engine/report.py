"""What came of all checks of one component, on every backend that ran."""

import dataclasses
from collections.abc import Sequence

from kerasmith.checks.engine.finding import OUTCOMES, SEVERITIES, Finding, Record
from kerasmith.checks.engine.registry import BASE


@dataclasses.dataclass
class Answer:
    """What one backend says of one component.

    Attributes:
        kind, file, line, inputs, inferred, contract, seconds, problem, unrun, details: see `Report`.
        plan: ids of the checks that are to be asked.
        records: those that are answered.
    """

    kind: str = ""
    file: str | None = None
    line: int | None = None
    plan: list[str] = dataclasses.field(default_factory=list)
    records: list[Record] = dataclasses.field(default_factory=list)
    inputs: str = ""
    inferred: bool = False
    contract: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    problem: str | None = None
    unrun: str | None = None
    details: str = ""


@dataclasses.dataclass
class Report:
    """The answer of `kerasmith.check`; `print` it.

    Attributes:
        subject: name of the component.
        kind: "loss", "metric", "callback", "layer", or "source" for a whole file.
        target: "path.py:Name" where it was named so, else None.
        file, line: where it is defined, or None.
        inputs: the inputs as text; `inferred`: whether they were found by trying.
        contract: ["per_sample=False", ...]: the declared exceptions.
        records: {backend: [Record]}, one per planned check.
        seconds: of wall time.
        problem: why it could not be checked, or None.
        unrun: why it was never called although something was found, or None (since 0.2).
        details: what `problem` or `unrun` is a summary of, such as each input that was tried (since 0.2).
    """

    subject: str
    kind: str
    target: str | None = None
    file: str | None = None
    line: int | None = None
    inputs: str = ""
    inferred: bool = False
    contract: list[str] = dataclasses.field(default_factory=list)
    records: dict[str, list[Record]] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    problem: str | None = None
    unrun: str | None = None
    details: str = ""

    @property
    def backends(self) -> list[str]:
        """The backends that ran."""
        return list(self.records)

    @property
    def planned(self) -> int:
        """How many checks were asked, counted on each backend."""
        return sum(len(records) for records in self.records.values())

    @property
    def outcomes(self) -> dict[str, int]:
        """{outcome: how many}; they sum to `planned`."""
        counts = dict.fromkeys(OUTCOMES, 0)
        for records in self.records.values():
            for record in records:
                counts[record.outcome] += 1
        return counts

    @property
    def findings(self) -> list[Finding]:
        """[Finding], the gravest first; one per id, with the backends that show it."""
        by_id = {}
        for backend, records in self.records.items():
            for record in records:
                if record.finding is not None:
                    by_id.setdefault(record.id, []).append((backend, record.finding))
        merged = []
        for findings in by_id.values():
            gravest = min((finding for _, finding in findings), key=lambda finding: SEVERITIES.index(finding.severity))
            where = None if len(findings) == len(self.records) else ", ".join(backend for backend, _ in findings)
            merged.append(dataclasses.replace(gravest, backend=where))
        return sorted(merged, key=lambda finding: (SEVERITIES.index(finding.severity), finding.id))

    @property
    def ran(self) -> int:
        """How many checks gave an answer: passed or failed."""
        return self.outcomes["pass"] + self.outcomes["fail"]

    @property
    def called(self) -> bool:
        """Whether the component was called at all, on every backend: its base check passed or failed (since 0.2)."""
        base = BASE.get(self.kind)
        if base is None:
            return self.ran > 0
        return bool(self.records) and all(
            any(record.id == base and record.outcome in ("pass", "fail") for record in records)
            for records in self.records.values()
        )

    @property
    def ok(self) -> bool:
        """Whether the component was called and no error was found."""
        return self.problem is None and self.called and not any(finding.severity == "error" for finding in self.findings)

    def __str__(self) -> str:
        from kerasmith.checks.formats import text

        return text.render([self])


def with_causes_first(records: Sequence[Record]) -> list[Record]:
    """The records, with a note in place of an error where another error of them says why."""
    errors = {record.id for record in records if record.finding is not None and record.finding.severity == "error"}
    made = []
    for record in records:
        if record.finding is not None and record.cause in errors:
            noted = dataclasses.replace(record.finding, severity="note", actual=f"{record.finding.actual}: see {record.cause}")
            record = dataclasses.replace(record, finding=noted)
        made.append(record)
    return made


def report_of(name: str, answers: dict[str, Answer], seconds: float | None = None, target: str | None = None) -> Report:
    """The `Report` of one component.

    Args:
        name: of the component.
        answers: {backend: `Answer`}.
        seconds: of wall time for all backends together; by default that of the slowest.
        target: "path.py:Name" where it was named so.
    """
    from kerasmith.checks.engine.cross_backend import (
        compare_backends,
    )  # Late: it needs NumPy, and `kerasmith --help` does not.

    parts = list(answers.values())
    problems = dict.fromkeys(part.problem for part in parts if part.problem)
    report = Report(
        subject=name,
        kind=next((part.kind for part in parts if part.kind), ""),
        target=target,
        file=parts[0].file,
        line=parts[0].line,
        inputs=next((part.inputs for part in parts if part.inputs), ""),
        inferred=any(part.inferred for part in parts),
        contract=next((part.contract for part in parts if part.contract), []),
        records={backend: with_causes_first(part.records) for backend, part in answers.items() if not part.problem},
        seconds=max(part.seconds for part in parts) if seconds is None else seconds,
        problem="\n".join(problems) or None,
        unrun=next((part.unrun for part in parts if part.unrun), None),
        details=next((part.details for part in parts if part.details), ""),
    )
    compare_backends(report.records)
    return report


def exit_status(reports: Sequence[Report]) -> int:
    """0 called and no error found, 1 errors found, 2 something could not be checked: it was never called."""
    if any(finding.severity == "error" for report in reports for finding in report.findings):
        return 1
    unchecked = any(report.problem is not None or (report.kind != "source" and not report.called) for report in reports)
    return 2 if unchecked or not any(report.ran for report in reports) else 0
