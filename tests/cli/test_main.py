"""The command line: starts without Keras, names bad input, exits 2 without a traceback."""

import json

import pytest

from kerasmith.cli import main
from kerasmith.files.quiet_import import import_quietly
from kerasmith.recipes.finished_run import finished_run
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


def test_missing_backend_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["demo", "nuclei", "--backend", "jax"]) == 2
    assert "pip install jax" in capsys.readouterr().err
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    assert main(["demo", "nuclei"]) == 2
    assert "theano" in capsys.readouterr().err


def test_a_finished_demo_is_shown_and_nothing_heavy_is_imported(tmp_path):
    config = {"epochs": 12, "seed": 0}
    summary = {"recipe": "nuclei", "title": "Cell nuclei", "status": "completed", "config": config, "dice": 0.95321}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    (tmp_path / "report.html").write_text("")
    script = (
        "import sys\nfrom kerasmith.cli import main\n"
        f"status = main(['demo', 'nuclei', '--seed', '0', '--out', {str(tmp_path)!r}])\n"
        "assert status == 0\nassert not {'keras', 'numpy'} & set(sys.modules)\n"
    )
    done = fresh_process.bare(script)
    assert "dice: 0.9532" in done
    assert f"report: {tmp_path / 'report.html'}" in done
    assert "To train anew: --overwrite" in done
    # Another seed, or another demo, is another run.
    assert finished_run(tmp_path, "nuclei", {"seed": 1}) is None
    assert finished_run(tmp_path, "digits", {}) is None
    (tmp_path / "checkpoints").mkdir()
    assert finished_run(tmp_path, "nuclei", {}) is None


def test_an_import_is_quiet_and_its_errors_are_not(tmp_path, monkeypatch, capfd):
    monkeypatch.syspath_prepend(tmp_path)
    greetings = "I0000 00:00:1.0 1 port.cc:153] oneDNN custom operations", "To enable the following instructions: AVX2"
    lines = [greetings[0], "a real problem", greetings[1]]
    (tmp_path / "noisy_module.py").write_text(f"import os\nos.write(2, {chr(10).join(lines)!r}.encode())\n")
    import_quietly("noisy_module")
    assert capfd.readouterr().err == "a real problem\n"
