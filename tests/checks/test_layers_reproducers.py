"""What the checks of layers print as a reproducer runs as it stands and shows the fault."""

import contextlib
import importlib
import io

import keras
import pytest

from kerasmith.checks.examination import MOST_LINES, Examination
from kerasmith.checks.subject import subject_of

THEMES = ("arguments", "masks", "numbers", "random", "shapes", "state")


def _entries():
    for theme in THEMES:
        for entry in importlib.import_module(f"tests.zoo.broken.layers_{theme}").BROKEN:
            if entry.backends is None or keras.config.backend() in entry.backends:
                yield pytest.param(entry, id=entry.component.__name__)


@pytest.fixture
def policy():
    before = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("entry", _entries())
def test_the_reproducer_runs_and_shows_the_fault(entry, policy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subject = subject_of(entry.component, entry.init, kind=entry.kind)
    examination = Examination(subject, like=entry.like, contract=entry.contract, select=[entry.check])
    findings = [record.finding for record in examination.records() if record.finding is not None]
    for finding in findings:
        code = finding.reproducer
        assert len(code.splitlines()) <= MOST_LINES, code
        printed = io.StringIO()
        raised = ""
        with contextlib.redirect_stdout(printed):
            try:
                exec(compile(code, finding.id, "exec"), {})
            except Exception as error:
                raised = type(error).__name__
        # Either numbers, or the exception that the finding speaks of.
        assert raised in finding.actual if raised else printed.getvalue().strip(), f"{raised}\n{code}"
