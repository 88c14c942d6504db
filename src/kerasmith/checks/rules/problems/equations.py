"""The equations of an objective, each asked on its own."""

from kerasmith.checks.engine.examination import Examination
from kerasmith.checks.engine.finding import CannotCheck, Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.engine.subject import subject_of
from kerasmith.checks.rules.problems.case import ProblemCase


@check("P120", "problem", "error", needs_inputs=False, since="0.2.0")
def equations_are_right(case: ProblemCase) -> None:
    """An equation of the objective has a fault of its own.

    Each is asked what `kerasmith check pde.py:equation` asks; the first finding is shown.

    Fix: what `kerasmith explain` says of the check that is named.
    """
    if not case.equations:
        raise NotApplicable("there is no equation")
    for equation in case.equations:
        try:
            records = list(Examination(subject_of(equation), seed=case.seed).records())
        except (CannotCheck, AttributeError):
            continue
        for record in records:
            if record.finding is not None and record.finding.severity == "error":
                found = record.finding
                raise Failed(
                    found.expected,
                    found.actual,
                    found.reproducer.splitlines(),
                    fix=found.fix,
                    title=f"The equation {equation.name!r}, {found.id}: {found.title}",
                )
