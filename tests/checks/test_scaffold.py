"""`kerasmith new`: what it writes is formatted, runs its own tests, passes `kerasmith check`, and overwrites nothing."""

import os
import shutil
import subprocess
import sys

import keras
import pytest

from kerasmith.checks.scaffold import KINDS, write
from kerasmith.checks.scaffold.write import class_name, snake_case
from tests.support import fresh_process


def written(kind, name, folder):
    return [path.name for path in write(kind, name, folder)]


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_filled_in(kind, tmp_path):
    assert written(kind, "edge_weight", tmp_path) == ["edge_weight.py", "test_edge_weight.py"]
    code, test = (path.read_text() for path in sorted(tmp_path.iterdir()))
    assert "class EdgeWeight(" in code
    assert "from edge_weight import EdgeWeight\n" in test
    assert "parametrize(" in test
    for text in (code, test):
        compile(text, "scaffold", "exec")
        assert f"My{kind.capitalize()}" not in text
        assert f"my_{kind}" not in text


@pytest.mark.skipif(shutil.which("ruff", path=os.path.dirname(sys.executable)) is None, reason="ruff is not installed")
@pytest.mark.parametrize("width", ["88", "127"])
@pytest.mark.parametrize("name", ["Ab", "DifferenceOfGaussians"])
def test_is_formatted_whatever_the_length_of_the_name(name, width, tmp_path):
    for kind in KINDS:
        write(kind, f"{name}{kind.capitalize()}", tmp_path)
    ruff = os.path.join(os.path.dirname(sys.executable), "ruff")
    rules = "F,I,UP,B,SIM,RUF,NPY,PT,RET" + (",E" if width == "127" else "")
    for command in (["check", "--select", rules], ["format", "--check"]):
        done = subprocess.run(
            [ruff, *command, "--isolated", "--line-length", width, "."], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.heavy("runs pytest on what the scaffold writes, in processes of its own", seconds=15)
def test_its_own_tests_pass(tmp_path):
    for kind in KINDS:
        write(kind, f"own_{kind}", tmp_path)
    done = run_pytest(tmp_path, "-q", "-rfE", "--doctest-modules")
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.heavy("imports what the scaffold writes in processes of its own", seconds=12)
def test_in_a_package(tmp_path):
    folder = tmp_path / "project" / "parts"
    folder.mkdir(parents=True)
    for package in (tmp_path / "project", folder):
        (package / "__init__.py").write_text("")
    write("layer", "Blend", folder)
    assert 'package="project"' in (folder / "blend.py").read_text()
    assert "from project.parts.blend import Blend" in (folder / "test_blend.py").read_text()
    done = run_pytest(tmp_path, "-q", "-k", "numpy or Y000")
    assert done.returncode == 0, done.stdout[-4000:]


CHECKER = """
import sys
import kerasmith.checks as checks
from kerasmith.checks.engine.target import components

for target in sys.argv[1:]:
    ((_, component),) = components(target)
    report = checks.check(component, budget=480)
    found = [finding for finding in report.findings if finding.severity != "note"]
    assert not found and report.outcomes["timeout"] == 0, str(report)
    assert report.outcomes["pass"] >= 20, str(report)
"""


@pytest.mark.heavy("checks what the scaffold writes in a worker", seconds=10)
def test_the_checker_finds_neither_errors_nor_warnings(tmp_path):
    targets = [f"{write(kind, f'checked_{kind}', tmp_path)[0]}:Checked{kind.capitalize()}" for kind in KINDS]
    fresh_process.run(CHECKER, *targets, timeout=480)


def test_overwrites_nothing(tmp_path):
    write("loss", "Mine", tmp_path)
    (tmp_path / "mine.py").unlink()
    before = (tmp_path / "test_mine.py").read_text()
    with pytest.raises(ValueError, match=r"test_mine\.py exists"):
        write("metric", "mine", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["test_mine.py"]
    assert (tmp_path / "test_mine.py").read_text() == before


@pytest.mark.parametrize(
    "name", ["", "2fast", "my-loss", "My Loss", "a.b", "None", "lossé", "Snake_Camel", "../up", "camelCase"]
)
def test_names_that_python_or_the_style_do_not_allow(name, tmp_path):
    with pytest.raises(ValueError, match="such as FocalDice"):
        write("loss", name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["Keras", "numpy", "Random", "json"])
def test_names_that_hide_a_package(name, tmp_path):
    with pytest.raises(ValueError, match="hide the package"):
        write("loss", name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["class", "import", "Lambda"])
def test_names_that_are_words_of_python(name, tmp_path):
    with pytest.raises(ValueError, match="word of Python"):
        write("loss", name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match="loss, metric, callback, layer"):
        write("model", "Mine", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="folder"):
        write("loss", "Mine", tmp_path / "file")
    with pytest.raises(ValueError, match="folder"):
        write("loss", "Mine", tmp_path / "file" / "below")


def test_a_folder_is_made(tmp_path):
    assert written("layer", "Mine", tmp_path / "a" / "b") == ["mine.py", "test_mine.py"]


def test_conversion_of_names():
    assert class_name("class") == "Class"
    assert class_name("top5_error") == "Top5Error"
    assert class_name("SSIM") == "SSIM"
    assert snake_case("SSIM") == "ssim"
    assert snake_case("IoULoss") == "iou_loss"


def run_pytest(folder, *arguments):
    environment = {
        **os.environ,
        "KERAS_BACKEND": keras.config.backend(),
        "PYTHONPATH": os.path.abspath("src"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=480
    )
