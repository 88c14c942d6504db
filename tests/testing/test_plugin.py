"""`pytest --kerasmith=TARGET` collects the components of a module without a test file."""

import pytest

from tests.support import fresh_process
from tests.testing.pytest_runs import PARTS, on_one_backend, run

pytestmark = [on_one_backend, pytest.mark.heavy("each test runs pytest in a process of its own", seconds=5)]

SELECT = "--kerasmith-select=L104,L101"
L104 = "L104-one_value_per_sample"
OTHER = "def test_other():\n    assert True\n"


def test_starts_without_keras():
    fresh_process.bare(
        "import sys, kerasmith.testing.plugin\n"
        "assert not {'keras', 'numpy', 'tensorflow', 'jax', 'torch', 'rich'} & set(sys.modules), sorted(sys.modules)"
    )


def test_collects_a_module_besides_other_tests(tmp_path):
    done = run(tmp_path, "-v", "--kerasmith=parts", SELECT, parts=PARTS, test_other=OTHER)
    assert done.status == 1, done.text
    assert done.tests["test_other"][0] == "passed"
    assert done.tests[f"Right-{L104}"][0] == "passed"
    assert done.tests[f"Whole-{L104}"][0] == "failed"
    assert "error L104" in done.tests[f"Whole-{L104}"][1]
    assert f"parts::Right-{L104}" in done.text
    assert not any("source" in name for name in done.tests)


def test_files_single_components_and_marks(tmp_path):
    done = run(
        tmp_path, "-q", "-m", "kerasmith", "--kerasmith=parts.py:Right", "--kerasmith=more.py", SELECT,
        parts=PARTS, more=PARTS.replace("Right", "Also").replace("Whole", "Batch"), test_other=OTHER,
    )  # fmt: skip
    assert {name.partition("-")[0] for name in done.tests} == {"Right", "Also", "Batch"}, done.text
    assert [name for name, (outcome, _) in done.tests.items() if outcome == "failed"] == [f"Batch-{L104}"]


def test_the_source_is_asked_once(tmp_path):
    done = run(tmp_path, "--collect-only", "-q", "--kerasmith=parts.py", "--kerasmith-select=S", parts=PARTS)
    names = [line.partition("::")[2] for line in done.text.splitlines() if line.startswith("parts.py::")]
    assert names, done.text
    assert {name.partition("-")[0] for name in names if "-S1" in name} == {"source"}


def test_last_failed(tmp_path):
    arguments = ("-q", "--kerasmith=parts.py", SELECT)
    assert run(tmp_path, *arguments, "-k", "L104 or other", parts=PARTS, test_other=OTHER).status == 1
    again = run(tmp_path, *arguments, "--lf")
    assert set(again.tests) == {f"Whole-{L104}"}, again.text


def test_bad_targets_are_errors_of_collection(tmp_path):
    wrong = {
        "missing.py": "There is no file 'missing.py'",
        "no_such_module": "Importing no_such_module failed",
        "parts.py:Wrong": "has no 'Wrong'; it has Right, Whole",
        "empty.py": "no public loss, metric, callback or layer",
    }
    done = run(tmp_path, "-q", *(f"--kerasmith={target}" for target in wrong), parts=PARTS, empty="")
    assert done.status == 2, done.text
    for target, message in wrong.items():
        assert f"ERROR collecting {target} " in done.text
        assert message in done.text
    assert "Traceback" not in done.text


def test_bad_selections_are_errors_of_collection(tmp_path):
    done = run(tmp_path, "-q", "--kerasmith=parts.py", "--kerasmith-ignore=Q", parts=PARTS)
    assert done.status == 2
    assert "No check begins with 'Q'" in done.text
