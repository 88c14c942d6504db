"""One line a finding, a note in one line, and a last line that says what to do first."""

import dataclasses

import pytest

from kerasmith.checks.engine.finding import Record
from kerasmith.checks.engine.report import exit_status
from kerasmith.checks.engine.workers import without_repeated_names
from kerasmith.checks.formats import counts, short, text
from tests.checks.formats.reports import CODE, HALF, TASTE, faulty, right, unchecked

pytestmark = pytest.mark.host("writes reports that are given as records")


def test_each_finding_is_one_line():
    lines = short.render([faulty(), right(), unchecked()]).splitlines()
    assert lines[0] == "losses.py:12: error L101 BatchDice: Sample weights do not multiply each sample's loss"
    assert lines[1].endswith("Fails in half precision (on torch)")
    assert lines[-1] == "losses.py:PerClass: cannot check PerClass: PerClass needs num_classes to be built."
    assert len(lines) == 4


def test_a_part_that_was_never_called_is_not_right():
    records = {"torch": [Record("X109", "fail", finding=HALF), Record("L000", "blocked", "no inputs were found")]}
    never = faulty(records=records, unrun="BatchDice runs on none of the inputs. --like '...'", details="  each of them")
    assert not never.called
    assert not never.ok
    assert exit_status([never]) == 2
    output = text.render([never], width=200)
    assert "was never called: BatchDice runs on none" in output
    assert "but it was never called" in output
    assert "each of them" not in output
    assert "each of them" in text.render([never], verbose=True, width=200)
    assert exit_status([right()]) == 0
    assert exit_status([faulty()]) == 1
    one_backend = right(records={"torch": [Record("M000", "pass")], "jax": [Record("M000", "timeout", "late")]})
    assert exit_status([one_backend]) == 2


def test_the_last_line_names_what_to_repair_first():
    records = [Record("X104", "fail", finding=HALF), Record("L106", "fail", finding=HALF), Record("L000", "pass")]
    records += [Record(id, "blocked", "blocked by X104") for id in ("L101", "X108")]
    records += [Record("L102", "blocked", "blocked by L101"), Record("L107", "blocked", "blocked by L106")]
    assert counts.advice(faulty(records={"torch": records})) == "Repair X104 first: 3 questions wait for it"
    records = [Record("L101", "blocked", "no inputs were found"), Record("L113", "timeout", "late")]
    assert counts.advice(faulty(records={"torch": records})) == (
        "Declare inputs with --like first: 1 question waits for it; 1 ran out of time: --budget 180 gives them more"
    )
    assert counts.advice(right()) == ""


def test_a_note_is_one_line_and_a_warning_has_no_reproducer():
    brief = text.render(
        [faulty(records={"torch": [Record("L113", "fail", finding=HALF), Record("L122", "fail", finding=TASTE)]})]
    )
    assert "note L122 Is below 0" in brief
    assert CODE not in brief
    assert brief.count("expected") == 1


def test_an_old_name_is_without_repeated_names():
    def source(actual):
        finding = dataclasses.replace(HALF, id="S101", actual=actual)
        return faulty(kind="source", subject="losses.py", records={"torch": [Record("S101", "fail", finding=finding)]})

    part = right(records={"torch": [Record("M128", "fail", finding=dataclasses.replace(HALF, id="M128"))]})
    old, other = "line 7: def reset_states, which Keras 3 never calls", "line 9: keras.backend.sum"
    (whole, _) = without_repeated_names([source(old), part])
    assert whole.findings == []
    assert whole.outcomes["pass"] == 1
    (whole, _) = without_repeated_names([source(f"{old}; {other}"), part])
    assert whole.findings[0].actual == other
    (whole,) = without_repeated_names([source(old)])
    assert whole.findings[0].actual == old
