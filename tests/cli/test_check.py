"""`kerasmith check` and `kerasmith explain`: exit statuses, formats, bad input. The checker is tested in tests/checks."""

import json

import keras
import pytest

from kerasmith.cli import main
from tests.support import fresh_process

pytestmark = pytest.mark.heavy(
    "each test starts the command line and a worker, which import the backend", on=("jax", "tensorflow"), seconds=5
)

BACKEND = keras.config.backend()
PARTS = """
import keras
from keras import ops


@keras.saving.register_keras_serializable()
class Right(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


@keras.saving.register_keras_serializable()
class Scalar(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred))


class Needs(keras.losses.Loss):
    def __init__(self, alpha):
        super().__init__()


class Impossible(keras.losses.Loss):
    def call(self, y_true, y_pred):
        raise ArithmeticError("never")
"""


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    file = tmp_path_factory.mktemp("parts") / "parts.py"
    file.write_text(PARTS)
    return str(file)


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")


def run(*arguments):
    return main(["check", *arguments, "--backends", BACKEND])


def test_help_and_explanations_start_without_keras():
    code = (
        "import sys\n"
        "from kerasmith.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as stop:\n    assert stop.code == 0, stop.code\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    assert "--like" in fresh_process.bare(code, "check", "--help")
    assert "sample" in fresh_process.bare(code, "explain", "L104")
    assert len(fresh_process.bare(code, "explain").splitlines()) >= 60


def test_nothing_found_exits_0(parts, capsys):
    assert run(f"{parts}:Right", "--select", "L104") == 0
    printed = capsys.readouterr().out
    assert "Right" in printed
    assert "planned" in printed


def test_an_error_exits_1_and_is_json(parts, capsys):
    assert run(f"{parts}:Scalar", "--select", "L104", "--format", "json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert [finding["id"] for finding in answer["findings"]] == ["L104"]
    assert sum(answer["outcomes"].values()) == answer["planned"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("missing.py:Loss", [], "no file"),
        ("parts:", [], "path.py:Name"),
        ("parts:Right", ["--select", "Q9"], "explain"),
        ("parts:Right", ["--like", "y_true=float32[4"], "float32[4,16,16,1](0,1)"),
        ("parts:Right", ["--contract", "per_samples=false"], "per_sample"),
        # From here on a worker has to look at the file.
        ("parts:Nobody", [], "Right"),
        ("parts:Needs", [], "--init"),
        ("parts:Impossible", ["--select", "L104"], "ArithmeticError: never"),
    ],
)
def test_what_cannot_be_checked_exits_2(parts, capsys, name, options, message):
    target = name.replace("parts:", f"{parts}:")
    assert run(target, *options) == 2
    printed = capsys.readouterr()
    assert message in printed.err + printed.out
    assert "Traceback" not in printed.err


@pytest.mark.parametrize("arguments", [["--init", "{"], ["--budget", "0"], ["--like", "nonsense"], ["--format", "xml"]])
def test_bad_options_exit_2(parts, arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        run(f"{parts}:Right", *arguments)
    assert stop.value.code == 2


def test_a_backend_that_is_missing_is_named(parts, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["check", f"{parts}:Right", "--backends", "jax"]) == 2
    assert "pip install jax" in capsys.readouterr().err
    assert main(["check", f"{parts}:Right", "--backends", "theano"]) == 2
    assert "tensorflow, jax, torch" in capsys.readouterr().err


def test_explain_an_unknown_id_exits_2(capsys):
    assert main(["explain", "L999"]) == 2
    assert "L104" in capsys.readouterr().err
