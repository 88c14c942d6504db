"""What the checks of metrics print as a reproducer runs as it stands and shows the fault."""

import contextlib
import importlib
import io

import keras
import pytest

from kerasmith.checks.examination import MOST_LINES, Examination
from kerasmith.checks.subject import subject_of

THEMES = ("metrics_batches", "metrics_compiled", "metrics_results", "metrics_state", "metrics_weights", "keras_metrics")
# Found by comparing backends, or on two devices that this process does not have.
ELSEWHERE = ("M118", "M120", "X104")


def _entries():
    for theme in THEMES:
        for entry in importlib.import_module(f"tests.zoo.broken.{theme}").BROKEN:
            if entry.check not in ELSEWHERE and (entry.backends is None or keras.config.backend() in entry.backends):
                yield pytest.param(entry, id=f"{entry.check}-{entry.component.__name__}")


@pytest.mark.parametrize("entry", list(_entries()))
def test_the_reproducer_runs_and_shows_the_fault(entry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subject = subject_of(entry.component, entry.init, kind=entry.kind)
    examination = Examination(subject, like=entry.like, contract=entry.contract, select=["M"])
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
        shown = raised in finding.actual or "never calls" in finding.actual if raised else printed.getvalue().strip()
        assert shown, f"{finding.id} {raised}: {finding.actual}\n{code}"
