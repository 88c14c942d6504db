"""What the checks of losses print as a reproducer runs as it stands and shows the fault."""

import contextlib
import importlib
import io

import keras
import pytest

from kerasmith.checks.examination import MOST_LINES, Examination
from kerasmith.checks.subject import subject_of

THEMES = ("losses_weights", "losses_gradients", "losses_meaning", "losses_state", "keras_losses")
# Found by comparing backends, on two devices that this process does not have, or by a check of every kind.
ELSEWHERE = ("L124", "L125", "X104")


def _entries():
    for theme in THEMES:
        for entry in importlib.import_module(f"tests.zoo.broken.{theme}").BROKEN:
            if entry.check not in ELSEWHERE and (entry.backends is None or keras.config.backend() in entry.backends):
                yield pytest.param(entry, id=f"{entry.check}-{entry.component.__name__}")


@pytest.mark.parametrize("entry", list(_entries()))
def test_the_reproducer_runs_and_shows_the_fault(entry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subject = subject_of(entry.component, entry.init, kind=entry.kind)
    examination = Examination(subject, like=entry.like, contract=entry.contract, select=["L"])
    findings = {record.id: record.finding for record in examination.records() if record.finding is not None}
    assert entry.check in findings
    for finding in findings.values():
        code = finding.reproducer
        assert len(code.splitlines()) <= MOST_LINES, code
        printed, raised = io.StringIO(), ""
        with contextlib.redirect_stdout(printed):
            try:
                exec(compile(code, finding.id, "exec"), {})
            except Exception as error:
                raised = type(error).__name__
        # Numbers, or the exception that the finding speaks of.
        assert raised in finding.actual if raised else printed.getvalue().strip(), (
            f"{finding.id} {raised}: {finding.actual}\n{code}"
        )
