"""One component whose checks are tests: what they share, and how an answer of the checker becomes one of pytest."""

import signal
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.examination import Examination
from kerasmith.checks.engine.finding import CannotCheck, Finding, Record
from kerasmith.checks.engine.registry import Check
from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.checks.formats.counts import reason
from kerasmith.checks.formats.text import render_finding

# For one check: far more than any needs, so that only a component that hangs meets it.
SECONDS = 120.0


class CheckWarning(UserWarning):
    """A finding that is a matter of taste; its test passes."""


class ComponentTests:
    """One component and its examination, shared by the tests of its checks.

    The examination begins with the first test that runs. A test first asks what its check requires, so the tests may run in
    any order, alone, or in different processes.

    Args:
        subject: a `Subject`.
        like, contract, select, ignore, seed: see `kerasmith.check`.
        without: how the ids of checks begin that are left out besides.

    Raises:
        CannotCheck: for options that cannot be understood.
    """

    def __init__(
        self,
        subject: Subject | SourceSubject,
        like: Any = None,
        contract: Contract | dict[str, Any] | None = None,
        select: Sequence[str] | None = None,
        ignore: Sequence[str] | None = None,
        seed: int = 7,
        without: str | None = None,
    ) -> None:
        self.subject = subject
        self._examination = Examination(subject, like, contract, select, ignore, seed)
        self._plan = [one for one in self._examination.plan if without is None or not one.id.startswith(without)]
        self._records = {}
        self._problem = None

    def checks(self) -> list[tuple[str, Callable[[], None]]]:
        """[(name, function without arguments)]: a test for each planned check."""
        return [(f"{one.id}-{one.name}", ComponentTest(self, one.id)) for one in self._plan]

    def record(self, id: str) -> Record:
        """The `Record` of one check, after those that it requires.

        Raises:
            CannotCheck: if no inputs are found.
        """
        if id not in self._records:
            self._examine(self._with_requirements(id))
        return self._records[id]

    def _examine(self, plan: list[Check]) -> None:
        if self._problem is not None and any(one.needs_inputs for one in plan):
            raise self._problem
        self._examination.plan = plan
        try:
            # Under pytest's `-W error` a warning of a backend would look like an input that is refused.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for record in self._examination.records(_limit):
                    self._records[record.id] = record
        except CannotCheck as problem:
            # Kept: what took a while to find out is not tried again by each test.
            self._problem = problem
            raise

    def _with_requirements(self, id: str) -> list[Check]:
        """The checks that must be answered for this one, in the order of the plan, itself the last."""
        by_id = {one.id: one for one in self._plan}
        wanted, left = set(), [id]
        while left:
            name = left.pop()
            if name in by_id and name not in wanted:
                wanted.add(name)
                left += registry.requirements(by_id[name], self.subject.kind)
        return [one for one in self._plan if one.id in wanted]


class ComponentTest:
    """What a test calls: `check()`.

    Attributes:
        tests: the `ComponentTests`.
        id: of the check.
    """

    def __init__(self, tests: ComponentTests, id: str) -> None:
        self.tests: ComponentTests = tests
        self.id: str = id

    def __repr__(self) -> str:
        return f"<check {self.id} of {self.tests.subject.name}>"

    def __call__(self) -> None:
        """Fails, skips or warns as the check says."""
        # Frames of the checker say nothing about the component.
        __tracebackhide__ = True
        try:
            record = self.tests.record(self.id)
        except CannotCheck as problem:
            pytest.fail(str(problem), pytrace=False)
        if record.outcome == "fail" and record.finding.severity == "note":
            warnings.warn(CheckWarning(f"{self.tests.subject.name}: {_short(record.finding)}"), stacklevel=2)
        elif record.outcome == "fail":
            pytest.fail(render_finding(record.finding), pytrace=False)
        elif record.outcome == "timeout":
            pytest.fail(record.why, pytrace=False)
        elif record.outcome != "pass":
            pytest.skip(reason(record.outcome, record.why))
        elif record.data is not None:
            pytest.skip("not applicable: compares backends, and a test runs on one")


class CannotBeChecked:
    """In place of the checks of a component that cannot be checked: fails and says why."""

    def __init__(self, name: str, why: str) -> None:
        self.name: str = name
        self.why: str = why

    def __repr__(self) -> str:
        return f"<{self.name} cannot be checked>"

    def __call__(self) -> None:
        pytest.fail(self.why, pytrace=False)


def planned_tests(
    subjects: Iterable[tuple[str, Callable[[], Subject | SourceSubject], dict[str, Any]]], options: dict[str, Any]
) -> list[tuple[str, Callable[[], None]]]:
    """[(id, function)]: the tests of several components.

    Args:
        subjects: [(name, function that gives the `Subject`, options of its own)].
        options: like, contract, select, ignore, seed for all.

    Returns:
        Ids such as "MyLoss-L101-weights_reach_each_sample"; a second component of the same name is "MyLoss.2-...".
    """
    tests, seen = [], {}
    for name, make, own in subjects:
        seen[name] = seen.get(name, 0) + 1
        label = name if seen[name] == 1 else f"{name}.{seen[name]}"
        try:
            checks = ComponentTests(make(), **{**options, **own}).checks()
        except CannotCheck as problem:
            checks = [("can_be_checked", CannotBeChecked(name, str(problem)))]
        tests += [(f"{label}-{check}", function) for check, function in checks]
    return tests


def _limit() -> float | None:
    """Seconds for the next check; None while another plugin's alarm runs, which must not be switched off."""
    taken = hasattr(signal, "getitimer") and signal.getitimer(signal.ITIMER_REAL)[0] > 0
    return None if taken else SECONDS


def _short(finding: Finding) -> str:
    return f"{finding.id} {finding.title}: expected {finding.expected}, got {finding.actual}. {finding.fix}"
