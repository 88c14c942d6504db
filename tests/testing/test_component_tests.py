"""How an answer of the checker becomes one of pytest; what the tests of one component share."""

import types
import warnings

import keras
import pytest
from _pytest.outcomes import Failed, Skipped

from kerasmith.checks.engine.finding import CannotCheck, Finding, Record
from kerasmith.checks.engine.subject import subject_of
from kerasmith.testing.component_tests import CheckWarning, ComponentTest, ComponentTests, planned_tests


class Squared(keras.losses.Loss):
    built = 0

    def __init__(self, name="squared"):
        type(self).built += 1
        super().__init__(name=name)

    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_pred - keras.ops.cast(y_true, y_pred.dtype)), axis=-1)


def asked(record):
    part = types.SimpleNamespace(subject=types.SimpleNamespace(name="Mine"), record=lambda id: record)
    return ComponentTest(part, record.id)


def finding(severity):
    return Finding("L101", severity, "Weights are lost", "1.5", "2.5", "print(1)", "Keep them.")


def test_errors_and_warnings_fail_with_the_whole_finding():
    for severity in ("error", "warning"):
        with pytest.raises(Failed) as failed:
            asked(Record("L101", "fail", finding=finding(severity)))()
        assert all(
            text in str(failed.value) for text in (severity, "Weights are lost", "1.5", "2.5", "print(1)", "Keep them.")
        )
        assert failed.value.pytrace is False


def test_a_note_passes_with_a_warning():
    with pytest.warns(CheckWarning, match="Mine: L101 Weights are lost: expected 1.5, got 2.5"):
        asked(Record("L101", "fail", finding=finding("note")))()


@pytest.mark.parametrize(
    ("outcome", "why", "reason"),
    [
        ("inconclusive", "all values are 0", "inconclusive: all values are 0"),
        ("blocked", "blocked by L000", "blocked by L000"),
        ("not applicable", "no pixels", "not applicable: no pixels"),
    ],
)
def test_what_has_no_answer_is_skipped(outcome, why, reason):
    with pytest.raises(Skipped, match=reason):
        asked(Record("L101", outcome, why))()


def test_a_timeout_fails_and_a_comparison_of_backends_is_skipped():
    with pytest.raises(Failed, match="not finished"):
        asked(Record("L101", "timeout", "not finished after 60 s"))()
    with pytest.raises(Skipped, match="one"):
        asked(Record("L125", "pass", data={"values": [1.0]}))()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asked(Record("L101", "pass"))() is None


def test_requirements_are_asked_first_and_once():
    part = ComponentTests(subject_of(Squared), select=["L104", "L101"])
    ids = [name.partition("-")[0] for name, _ in part.checks()]
    assert sorted(ids) == ["L000", "L101", "L104"]
    assert part.record("L101").outcome == "pass"
    built = Squared.built
    assert part.record("L000").outcome == part.record("L104").outcome == "pass"
    assert Squared.built == built


def test_warnings_as_errors_change_no_answer():
    class Warns(Squared):
        def call(self, y_true, y_pred):
            warnings.warn("old", DeprecationWarning)
            return super().call(y_true, y_pred)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ComponentTests(subject_of(Warns), select=["L104"]).record("L104").outcome == "pass"


def test_only_what_is_required_is_asked():
    part = ComponentTests(subject_of(Squared))
    assert part.record("L000").outcome == "pass"
    assert "L101" not in part._records


def test_a_component_without_inputs_fails_each_time_but_searches_once(monkeypatch):
    searches = []

    def nothing(case, like):
        searches.append(like)
        raise CannotCheck("runs on none of the inputs")

    monkeypatch.setattr("kerasmith.checks.engine.examination.set_inputs", nothing)
    part = ComponentTests(subject_of(Squared), select=["L104", "L101"])
    for _, check in part.checks():
        with pytest.raises(Failed, match="none of the inputs"):
            check()
    assert len(searches) == 1
    # What needs no inputs is answered all the same.
    part = ComponentTests(subject_of(Squared), select=["X100", "L104"])
    with pytest.raises(Failed, match="none of the inputs"):
        part.checks()[-1][1]()
    assert part.record("X100").outcome == "pass"


def test_ids_of_two_components_of_one_name():
    subjects = [("Squared", lambda: subject_of(Squared), {})] * 2
    ids = [id for id, _ in planned_tests(subjects, {"select": ["L104"]})]
    assert [id.partition("-")[0] for id in ids] == ["Squared", "Squared", "Squared.2", "Squared.2"]
    assert len(set(ids)) == 4


def test_what_cannot_be_checked_is_a_failing_test():
    ((id, test),) = planned_tests([("Model", lambda: subject_of(keras.Model), {})], {})
    assert id == "Model-can_be_checked"
    with pytest.raises(Failed, match=r"Losses, metrics, callbacks and layers can be checked"):
        test()
