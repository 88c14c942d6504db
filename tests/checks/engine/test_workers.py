"""The parent of the workers: what hangs, dies, prints or trains on import is named, and everything planned has an outcome."""

import json

import keras
import pytest

import kerasmith
from kerasmith.checks.engine import workers
from kerasmith.checks.engine.finding import OUTCOMES, CannotCheck
from kerasmith.checks.engine.report import exit_status

BACKEND = keras.config.backend()
LIKE = {"y_true": "float32[4,3](-2,2)", "y_pred": "float32[4,3](-2,2)"}
PARTS = """
import os
import time

import keras
from keras import ops


@keras.saving.register_keras_serializable()
class Talkative(keras.losses.Loss):
    def call(self, y_true, y_pred):
        print("a line of the part")
        os.write(1, b"a line past Python\\n")
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


class Hangs(Talkative):
    def get_config(self):
        time.sleep(1000)


class Ends(Talkative):
    def get_config(self):
        os._exit(3)


class Scalar(Talkative):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred))


class NeedsAlpha(Talkative):
    def __init__(self, alpha):
        super().__init__()
"""


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    file = tmp_path_factory.mktemp("parts") / "my_parts.py"
    file.write_text(PARTS)
    return file


def adds_up(report):
    assert set(report.outcomes) == set(OUTCOMES)
    assert sum(report.outcomes.values()) == report.planned == sum(len(records) for records in report.records.values())
    return report


@pytest.mark.heavy("waits for a process that hangs", seconds=30)
def test_a_whole_file_with_parts_that_hang_die_and_print(parts):
    reports = workers.reports_of(str(parts), [BACKEND], budget=60.0, like=LIKE, select=["L000", "L104", "X104"])
    by_name = {report.subject: adds_up(report) for report in reports}
    assert set(by_name) == {str(parts), "Talkative", "Hangs", "Ends", "Scalar", "NeedsAlpha"}
    outcome = {name: {r.id: r for rs in report.records.values() for r in rs} for name, report in by_name.items()}
    assert outcome["Talkative"]["L104"].outcome == "pass"
    assert outcome["Hangs"]["X104"].outcome == "timeout"
    assert outcome["Hangs"]["L104"].outcome == "pass"
    assert outcome["Ends"]["X104"].outcome == "timeout"
    assert "status 3" in outcome["Ends"]["X104"].why
    assert outcome["Ends"]["L104"].outcome == "pass"
    assert [finding.id for finding in by_name["Scalar"].findings] == ["L104"]
    assert "alpha" in by_name["NeedsAlpha"].problem
    assert "--init" in by_name["NeedsAlpha"].problem
    assert exit_status(reports) == 1


@pytest.mark.heavy("starts a worker that imports the backend anew", on=("jax", "tensorflow"), seconds=4)
def test_a_module_that_trains_on_import_is_stopped(tmp_path, monkeypatch):
    file = tmp_path / "trains.py"
    file.write_text("import time\ntime.sleep(1000)\n")
    monkeypatch.setattr(workers, "IMPORT", 1.0)
    with pytest.raises(CannotCheck, match="__main__"):
        workers.reports_of(str(file), [BACKEND])


@pytest.mark.heavy("starts a worker that imports the backend anew", on=("jax", "tensorflow"), seconds=4)
def test_an_import_that_fails_says_why(tmp_path):
    file = tmp_path / "broken_import.py"
    file.write_text("import a_package_that_nobody_has\n")
    with pytest.raises(CannotCheck, match="a_package_that_nobody_has"):
        workers.reports_of(str(file), [BACKEND])


@pytest.mark.heavy("starts a worker that imports the backend anew", on=("jax", "tensorflow"), seconds=8)
def test_check_in_a_process_of_its_own(parts):
    report = adds_up(kerasmith.check(f"{parts}:Scalar", backends=[BACKEND], like=LIKE, select=["L104"]))
    assert not report.ok
    (finding,) = report.findings
    assert finding.id == "L104"
    assert finding.file == str(parts)
    assert PARTS.splitlines()[finding.line - 1] == "        return ops.mean(ops.square(y_true - y_pred))"
    with pytest.raises(ValueError, match="another process can import"):
        kerasmith.check(lambda y_true, y_pred: y_pred, backends=[BACKEND])
    with pytest.raises(ValueError, match="Scaler"):
        kerasmith.check(f"{parts}:Scaler", backends=[BACKEND])


def test_a_check_inside_of_a_checked_module_does_not_start_another(monkeypatch):
    monkeypatch.setenv(workers.IN_WORKER, "1")
    with pytest.raises(CannotCheck, match="__main__"):
        workers.reports_of("anything.py", [BACKEND])


@pytest.mark.heavy("starts a worker that imports the backend anew", on=("jax", "tensorflow"), seconds=4)
def test_records_are_json(parts):
    report = kerasmith.check(f"{parts}:Scalar", backends=[BACKEND], like=LIKE, select=["L104"])
    assert json.loads(json.dumps([finding.as_dict() for finding in report.findings]))[0]["severity"] == "error"
