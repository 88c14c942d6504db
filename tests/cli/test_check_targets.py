"""What `kerasmith check` takes: a folder, a factory for `--init`, and a word about a file that trains when it is imported."""

import pytest

from kerasmith.checks.engine import workers
from kerasmith.checks.engine.finding import CannotCheck, Record
from kerasmith.checks.engine.report import Report
from kerasmith.cli import main

pytestmark = pytest.mark.host("starts no worker: only what is asked of one is looked at")

PART = "class Mine(Loss):\n    pass\n"


@pytest.fixture
def asked(monkeypatch):
    """[(target, init)] of what the workers are asked, which answer that all is well, and that `bad.py` cannot be imported."""
    found = []

    def reports_of(target, backends, **options):
        found.append((target, options["init"]))
        if target.endswith("bad.py"):
            raise CannotCheck("Importing bad.py failed")
        return [Report(subject="Mine", kind="loss", records={"torch": [Record("L000", "pass")]})]

    monkeypatch.setattr(workers, "reports_of", reports_of)
    return found


def test_a_folder_is_asked_file_by_file(tmp_path, asked, capsys):
    for name in ("b.py", "a/c.py", "tests/d.py", "test_e.py", ".hidden/f.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(PART)
    (tmp_path / "script.py").write_text("x = 1\n")
    assert main(["check", str(tmp_path)]) == 0
    assert [target for target, _ in asked] == [str(tmp_path / "a/c.py"), str(tmp_path / "b.py")]
    (tmp_path / "bad.py").write_text(PART)
    assert main(["check", str(tmp_path), "--format", "short"]) == 2
    assert "cannot check" in capsys.readouterr().out
    (tmp_path / "empty").mkdir()
    assert main(["check", str(tmp_path / "empty")]) == 2


def test_init_takes_json_or_a_factory(tmp_path, asked):
    (tmp_path / "mine.py").write_text(PART)
    target = f"{tmp_path / 'mine.py'}:Mine"
    for given, init in (
        ('{"alpha": 0.7}', {"alpha": 0.7}),
        ("losses.py:make", "losses.py:make"),
        ("my.losses:make", "my.losses:make"),
    ):
        assert main(["check", target, "--init", given]) == 0
        assert asked[-1] == (target, init)


def test_a_file_that_trains_on_import_is_told_at_once(tmp_path, asked):
    (tmp_path / "mine.py").write_text(PART + "model.fit(x, y, epochs=3)\n")
    with pytest.warns(UserWarning, match=r"mine.py:3 model.fit\(\.\.\.\)"):
        main(["check", str(tmp_path / "mine.py")])
