"""What `kerasmith check` takes: a folder, a factory for `--init`, and a word about a file that trains when it is imported."""

import warnings

import pytest

from kerasmith.checks.engine import script, workers
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
        main(["check", f"{tmp_path / 'mine.py'}:Mine"])


@pytest.fixture
def scripts(monkeypatch):
    """[(target, options)] of the scripts that are asked, of which all is well."""
    found = []

    def report_of_script(target, backends, **options):
        found.append((target, {"backends": backends, **options}))
        return Report(subject="model.fit", kind="setup", records={"torch": [Record("T000", "pass")]})

    monkeypatch.setattr(script, "report_of_script", report_of_script)
    return found


MAIN = 'if __name__ == "__main__":\n    main()\n'


@pytest.mark.parametrize(
    ("text", "is_script", "asks_parts"),
    [
        ("model.fit(x, y)\n", True, False),
        ("def main():\n    model.fit(x, y)\n" + MAIN, True, False),
        ("def train(m):\n    m.fit(x)\ndef main():\n    train(make())\n" + MAIN, True, False),
        ("def main():\n    for x in data:\n        model.train_on_batch(x)\n" + MAIN, True, False),
        (PART + "def main():\n    model.fit(x, y)\n" + MAIN, True, True),
        (PART + "model.fit(x, y, epochs=3)\n", True, False),
        ("class Net(keras.Model):\n    pass\nmodel.fit(x, y)\n", True, False),
        (PART, False, True),
        (PART + "def train(model):\n    model.fit(x, y)\n", False, True),
        (PART + "scaler.fit(x)\n", False, True),
        (PART + "def main():\n    print(1)\n" + MAIN, False, True),
    ],
)
def test_what_is_a_script(tmp_path, asked, scripts, text, is_script, asks_parts):
    (tmp_path / "train.py").write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main(["check", str(tmp_path / "train.py")])
    assert (bool(scripts), bool(asked)) == (is_script, asks_parts)


def test_options_of_a_script(tmp_path, asked, scripts, capsys):
    (tmp_path / "train.py").write_text(PART + "def main():\n    model.fit(x, y)\n" + MAIN)
    target = str(tmp_path / "train.py")
    assert main(["check", target, "--select", "T"]) == 0
    assert main(["check", target, "--fit", "2", "--", "--epochs", "3", "--backends"]) == 0
    (_, first), (_, second) = scripts
    assert not asked
    assert (first["fit"], first["arguments"], first["backends"], first["select"]) == (1, None, None, ["T"])
    assert (second["fit"], second["arguments"]) == (2, ["--epochs", "3", "--backends"])
    assert main(["check", target, "--select", "L1"]) == 0
    assert len(scripts) == 2
    assert len(asked) == 1
    assert main(["check", f"{target}:Mine", "--fit", "2"]) == 2
    assert "--fit" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["explain", "--", "T000"])
