"""What the checks of callbacks print as a reproducer runs as it stands and shows the fault."""

import contextlib
import importlib
import io

import keras
import pytest

from kerasmith.checks.examination import MOST_LINES, Examination
from kerasmith.checks.subject import subject_of

MODULES = ("callbacks_effect", "callbacks_hooks", "callbacks_logs", "callbacks_state", "keras_callbacks")


def _entries():
    for module in MODULES:
        for entry in importlib.import_module(f"tests.zoo.broken.{module}").BROKEN:
            if entry.backends is None or keras.config.backend() in entry.backends:
                yield pytest.param(entry, id=f"{entry.component.__name__}-{entry.check}")


@pytest.mark.parametrize("entry", list(_entries()))
def test_the_reproducer_runs_and_shows_the_fault(entry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subject = subject_of(entry.component, entry.init, kind=entry.kind)
    # X checks look at every kind; their reproducers are theirs.
    if entry.check.startswith("X"):
        assert entry.check in {one.id for one in Examination(subject).plan}
        return
    examination = Examination(subject, contract=entry.contract, select=[entry.check])
    findings = [record.finding for record in examination.records() if record.finding is not None]
    assert entry.check in [finding.id for finding in findings]
    for finding in findings:
        code = finding.reproducer
        assert len(code.splitlines()) <= MOST_LINES, code
        printed, raised = io.StringIO(), ""
        with contextlib.redirect_stdout(printed):
            try:
                exec(compile(code, finding.id, "exec"), {})
            except Exception as error:
                raised = f"{type(error).__name__}: {error}"
        # Either numbers, or the exception that the finding speaks of.
        if raised:
            assert raised.split(":")[0] in finding.actual, f"{raised}\n{code}"
        else:
            assert printed.getvalue().strip(), code
