"""Puts the checks to one component in this process, one after the other, and says what came of each."""

import contextlib
import inspect
import io
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kerasmith.checks.engine import cross_backend, registry
from kerasmith.checks.engine.case import Case, case_of
from kerasmith.checks.engine.causes import line_of_cause
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import CannotCheck, Failed, Finding, Inconclusive, NotApplicable, OutOfTime, Record
from kerasmith.checks.engine.inference import set_inputs
from kerasmith.checks.engine.lazy_keras import backend
from kerasmith.checks.engine.messages import describe_error, other_backend
from kerasmith.checks.engine.registry import Check
from kerasmith.checks.engine.report import Answer
from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.keras_internals.without_tensorflow import without_tensorflow

MOST_LINES = 12


class Examination:
    """All checks of one subject.

    Args:
        subject: a `Subject`.
        like, contract, select, ignore, seed: see `kerasmith.check`.
        done: {id: outcome} of checks that an earlier process has finished; they are not repeated.
    """

    def __init__(
        self,
        subject: Subject | SourceSubject,
        like: Any = None,
        contract: Contract | dict[str, Any] | None = None,
        select: Sequence[str] | None = None,
        ignore: Sequence[str] | None = None,
        seed: int = 7,
        done: dict[str, str] | None = None,
    ) -> None:
        self.subject = subject
        self.case: Case = case_of(subject, Contract.of_subject(contract, subject.component), seed)
        self.like = self.case.declared = like
        self.plan: list[Any] = registry.planned(subject.kind, select, ignore)
        self.outcomes: dict[str, str] = dict(done or {})
        self.unrun: str | None = None
        self.details: str = ""

    def records(
        self, seconds: Callable[[], float | None] | None = None, announce: Callable[[str], None] = lambda id: None
    ) -> Iterator[Record]:
        """Yields a `Record` for each planned check that is not done.

        Args:
            seconds: gives the limit for the next check; None for no limit (a parent process watches).
            announce: called with the id before each check.

        Raises:
            CannotCheck: if no inputs are found although nothing that needs none has failed.
        """
        with self.case.around():
            for one in self.plan:
                if one.id in self.outcomes:
                    continue
                announce(one.id)
                record = self._blocked(one)
                if record is None:
                    if one.needs_inputs and self.case.specs is None and not self._find_inputs():
                        record = Record(one.id, "blocked", "no inputs were found on which it runs")
                    else:
                        record = self._put(one, None if seconds is None else seconds())
                self.outcomes[one.id] = record.outcome
                yield record

    def answer(self, records: list[Record], seconds: float) -> Answer:
        """What this backend says of the component."""
        return Answer(
            kind=self.subject.kind,
            file=self.subject.file,
            line=self.subject.line,
            plan=[one.id for one in self.plan],
            records=records,
            seconds=seconds,
            **self.circumstances(),
        )

    def circumstances(self) -> dict[str, Any]:
        """{"inputs", "inferred", "contract", "unrun", "details"}: on what it was examined, known at the end."""
        case = self.case
        known = {"inputs": case.describe(), "inferred": case.archetype is not None, "contract": case.contract.exceptions()}
        return {**known, "unrun": self.unrun, "details": self.details}

    def _find_inputs(self) -> bool:
        """Whether inputs were found; with findings already, why there are none is kept beside them in `unrun`."""
        if self.unrun is not None:
            return False
        try:
            with without_tensorflow(backend()):
                set_inputs(self.case, self.like)
        except CannotCheck as error:
            if not self._failed():
                raise
            self.unrun, self.details = str(error), error.details
            return False
        return True

    def _failed(self) -> list[str]:
        return [id for id, outcome in self.outcomes.items() if outcome in ("fail", "timeout")]

    def _blocked(self, one: Check) -> Record | None:
        required = registry.requirements(one, self.subject.kind)
        by = [id for id in required if self.outcomes.get(id) in ("fail", "blocked", "timeout")]
        return Record(one.id, "blocked", f"blocked by {', '.join(by)}") if by else None

    def _put(self, one: Check, seconds: float | None) -> Record:
        """The record of one check; whatever it raises that is not an answer leaves the question open."""
        if seconds is not None and seconds <= 0:
            return Record(one.id, "timeout", "the budget was spent")
        try:
            with self.case.surroundings(), deadline(seconds), without_tensorflow(backend()), _quiet():
                data = one.run(self.case)
        except Failed as failed:
            return Record(one.id, "fail", finding=self._finding(one, failed), cause=failed.cause)
        except Inconclusive as reason:
            return Record(one.id, "inconclusive", str(reason))
        except NotApplicable as reason:
            return Record(one.id, "not applicable", str(reason))
        except CannotCheck:
            raise
        except OutOfTime:
            return Record(one.id, "timeout", f"not finished after {seconds:.3g} s")
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            return Record(one.id, "inconclusive", f"{describe_error(error)} ({where.name}, line {where.lineno})")
        if data is not None:
            data = {"values": data, "finding": cross_backend.template(one.id, self.case)}
        return Record(one.id, "pass", data=data)

    def _finding(self, one: Check, failed: Failed) -> Finding:
        lines = self.case.lines(*failed.lines).splitlines()
        place = failed.place or self.case.place_of(one.id)
        # A function of another backend fails in many ways; what to write instead is always the same.
        foreign = None if failed.__context__ is None else other_backend(failed.__context__)
        fix = None if foreign is None else f"Use the function of `keras.ops` in place of the one of {foreign}."
        # Imports that fill a line each are what a reader can do without seeing apart.
        while len(lines) > MOST_LINES:
            lines[0:2] = [f"{lines[0]}; {lines[1]}"]
        return Finding(
            id=one.id,
            severity=failed.severity or one.severity,
            title=f"{failed.title or one.title}{'' if foreign is None else f': it calls a function of {foreign}'}",
            expected=failed.expected,
            actual=failed.actual,
            reproducer="\n".join(lines),
            fix=fix or (inspect.cleandoc(failed.fix) if failed.fix else one.fix),
            file=self.subject.file if place is None else place.file,
            line=place.line
            if place is not None
            else failed.line or line_of_cause(self.subject, one.id, failed.__context__) or self.subject.line,
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What a component prints or warns of is not what was asked."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raises `OutOfTime` in the block after `seconds`; no limit with None, in other threads, or without `setitimer`."""
    if seconds is None or threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_: Any) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
