"""The command line: starts without Keras, names bad input, exits 2 without a traceback."""

import pytest

from kerasmith.cli import main
from tests.support import fresh_process

pytestmark = pytest.mark.host("the command line before a backend is loaded")


def test_starts_without_keras_or_numpy():
    code = (
        "import sys\n"
        "from kerasmith.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as stop:\n    assert stop.code == 0, stop.code\n"
        "heavy = {'keras', 'numpy', 'tensorflow', 'jax', 'torch', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    assert "demo" in fresh_process.bare(code, "--help")
    assert "nuclei" in fresh_process.bare(code, "demo", "--help")
    assert "kerasmith 0" in fresh_process.bare(code, "--version")


def test_import_is_lazy():
    fresh_process.bare("import sys, kerasmith; assert 'keras' not in sys.modules and 'numpy' not in sys.modules")
    fresh_process.run("import kerasmith; assert kerasmith.losses.Dice().name == 'dice'")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["demo", "nucleus"], "nuclei"),
        (["demo", "nuclei", "--epochs", "0"], "at least 1"),
        (["demo", "nuclei", "--seed", "x"], "whole number"),
        (["demo", "nuclei", "--backend", "theano"], "tensorflow"),
        ([], "required"),
    ],
)
def test_bad_arguments_exit_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_bad_input_exits_2_before_training(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "kept.txt").write_text("mine")
    assert main(["demo", "nuclei", "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "--overwrite" in error
    assert "Traceback" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    blocked = tmp_path / "kept.txt" / "run"
    assert main(["demo", "nuclei", "--out", str(blocked)]) == 2
    assert "kept.txt" in capsys.readouterr().err


def test_missing_backend_names_the_extra(capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["demo", "nuclei", "--backend", "jax"]) == 2
    assert "kerasmith[jax]" in capsys.readouterr().err
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    assert main(["demo", "nuclei"]) == 2
    assert "theano" in capsys.readouterr().err
