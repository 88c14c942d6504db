"""What the questions that train nothing say of a set-up, for those that ask before a training."""

from collections.abc import Iterable, Sequence

from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.examination import Examination
from kerasmith.checks.engine.finding import Finding
from kerasmith.checks.engine.training_setup import SetupSubject, TrainingSetup, structural_questions


def structural_findings(
    setup: TrainingSetup,
    contract: Contract | None = None,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
) -> list[Finding]:
    """The findings, notes included; a question that fails by itself is left out, and the set-up is left as it was.

    Args:
        setup: a compiled model and what `fit` gets.
        contract: promises that the set-up does not make.
        select: ids of questions or their beginnings; by default those that train nothing.
        ignore: ids to leave out.

    Raises:
        CannotCheck: where nothing can be asked, as of data that cannot be looked at.
    """
    examination = Examination(SetupSubject(setup), None, contract, select or structural_questions(), ignore)
    return [record.finding for record in examination.records() if record.finding is not None]


def text_of(findings: Iterable[Finding]) -> str:
    """Three lines for each: what is wrong, what was expected and came, what to write instead."""
    return "\n".join(
        f"  {one.severity} {one.id}: {one.title}\n    expected {one.expected}, got {one.actual}\n    fix: {one.fix}"
        for one in findings
    )
