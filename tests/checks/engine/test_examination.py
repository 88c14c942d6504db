"""One check after the other: what each way to end becomes, what blocks what, and that nothing is lost."""

import time

import keras
import pytest
from keras import ops

from kerasmith.checks.engine import examination, registry
from kerasmith.checks.engine.examination import Examination
from kerasmith.checks.engine.finding import CannotCheck, Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.subject import subject_of

LIKE = {"y_true": "float32[4,3](-2,2)", "y_pred": "float32[4,3](-2,2)"}


class Mean(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


def raising(error):
    def run(case):
        """A fault.

        Fix: write something else.
        """
        raise error

    return run


def passing(case):
    """Another fault.

    Fix: nothing.
    """


def sleeping(case):
    """A slow fault.

    Fix: nothing.
    """
    time.sleep(5)


def one(id, run, requires=(), needs_inputs=False, severity="error"):
    return registry.Check(id, run.__name__, ("loss",), severity, requires, needs_inputs, "0.1.0", run)


@pytest.fixture
def plan(monkeypatch):
    def use(*checks):
        monkeypatch.setattr(examination.registry, "planned", lambda kind, select=None, ignore=None: list(checks))

    return use


def examine(seconds=None, like=LIKE, **options):
    made = Examination(subject_of(Mean), like=like, **options)
    return {record.id: record for record in made.records(seconds)}


def test_each_way_to_end(plan):
    plan(
        one("T1", raising(Failed("2.0", "3.0", ["print(loss)"]))),
        one("T2", passing, requires=("T1",)),
        one("T3", passing, requires=("T2",)),
        one("T4", raising(Inconclusive("the samples are equal")), needs_inputs=True),
        one("T5", raising(NotApplicable("eager"))),
        one("T6", raising(RuntimeError("unforeseen"))),
        one("T7", sleeping),
        one("T8", passing, requires=("T4", "T5", "T6")),
        one("T9", passing, requires=("T7",)),
    )
    asked = []
    # Short for the one that sleeps only: on a busy machine any other may take longer than that.
    made = Examination(subject_of(Mean), like=LIKE).records(lambda: 0.3 if asked[-1] == "T7" else 600.0, asked.append)
    records = {record.id: record for record in made}
    outcomes = {id: record.outcome for id, record in records.items()}
    assert outcomes == {
        "T1": "fail",
        "T2": "blocked",
        "T3": "blocked",
        "T4": "inconclusive",
        "T5": "not applicable",
        "T6": "inconclusive",
        "T7": "timeout",
        "T8": "pass",
        "T9": "blocked",
    }
    assert records["T2"].why == "blocked by T1"
    assert records["T3"].why == "blocked by T2"
    assert "RuntimeError: unforeseen" in records["T6"].why
    finding = records["T1"].finding
    assert (finding.title, finding.fix, finding.expected, finding.actual) == ("A fault", "write something else.", "2.0", "3.0")
    assert finding.file == __file__
    assert finding.reproducer.splitlines()[-1] == "print(loss)"


def test_a_spent_budget_is_a_timeout(plan):
    plan(one("T1", passing))
    assert examine(lambda: 0.0)["T1"].outcome == "timeout"


def test_what_is_done_is_not_repeated_and_still_blocks(plan):
    plan(one("T1", raising(AssertionError("again"))), one("T2", passing, requires=("T1",)))
    records = examine(done={"T1": "timeout"})
    assert list(records) == ["T2"]
    assert records["T2"].outcome == "blocked"


def test_no_inputs_are_an_error_unless_a_fault_explains_it(plan):
    class Impossible(keras.losses.Loss):
        def call(self, y_true, y_pred):
            raise ArithmeticError("never")

    plan(one("T1", passing, needs_inputs=True))
    with pytest.raises(CannotCheck, match="ArithmeticError: never"):
        list(Examination(subject_of(Impossible)).records())
    plan(one("T0", raising(Failed("a", "b"))), one("T1", passing, needs_inputs=True))
    records = list(Examination(subject_of(Impossible)).records())
    assert [record.outcome for record in records] == ["fail", "blocked"]


def test_severity_title_and_line_of_one_form_of_a_fault(plan):
    plan(one("T1", raising(Failed("a", "b", fix="this", line=3, severity="note", title="Milder"))))
    finding = examine()["T1"].finding
    assert (finding.severity, finding.title, finding.line, finding.fix) == ("note", "Milder", 3, "this")
