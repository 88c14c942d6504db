"""A model that is exported runs where kerasmith cannot be imported, and gives what the run gives."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasmith import recipes
from kerasmith.cli import main
from kerasmith.recipes.images.normalization import Normalization
from kerasmith.recipes.run_export import normalized, with_probabilities
from kerasmith.recipes.trained_run import TrainedRun
from tests.recipes.test_prediction import QUIET, expected
from tests.recipes.trained_runs import instances_run, sigmoid_run, softmax_run

pytestmark = pytest.mark.heavy("builds and calls networks", on=("tensorflow", "jax"), seconds=2)

RNG = np.random.default_rng(0)
BLOCKED = (
    "import runpy, sys; sys.modules['kerasmith'] = None; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0])\n"
    "try:\n    import kerasmith\nexcept ImportError:\n    pass\nelse:\n    raise SystemExit('kerasmith was there')"
)


def run_script(folder, image, tmp_path):
    np.save(tmp_path / "image.npy", image)
    command = [
        sys.executable,
        "-c",
        BLOCKED,
        str(folder / "run_exported.py"),
        str(tmp_path / "image.npy"),
        str(tmp_path / "p.npy"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return np.load(tmp_path / "p.npy")


@pytest.mark.heavy("writes a program of the backend and starts a process that loads it", seconds=25)
def test_it_runs_without_kerasmith(tmp_path, capsys, monkeypatch):
    run = sigmoid_run(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    assert main(["export", "run"]) == 0  # as a reader writes it: relative
    assert "ran without kerasmith" in capsys.readouterr().out
    folder = run / "export"
    statement = json.loads((folder / "export.json").read_text())
    file = "model.pt2" if keras.config.backend() == "torch" else "saved_model"
    assert statement["file"] == file
    assert {path.name for path in folder.iterdir()} == {file, "export.json", "run_exported.py"}
    assert statement["output"]["channels"] == ["cell"]
    assert statement["largest_difference"] < 1e-5
    any_size = keras.config.backend() == "tensorflow"
    assert statement["input"]["shape"][1:] == (["any", "any", 1] if any_size else [16, 16, 1])
    image = RNG.integers(0, 256, (24, 32, 1) if any_size else (16, 16, 1)).astype(np.uint8)
    np.testing.assert_allclose(run_script(folder, image, tmp_path)[..., 0], expected(image[..., 0]), atol=1e-5)
    assert main(["export", str(run)]) == 2
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.parametrize("fixed", [False, True])
def test_volumes_and_objects(tmp_path, fixed):
    trained = TrainedRun.read(softmax_run(tmp_path / "volumes"))
    volume = RNG.normal(size=(8, 8, 8, 2)).astype("float32")
    logits = np.concatenate([np.zeros((8, 8, 8, 1)), 4 * volume], -1)
    truth = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    model = with_probabilities(trained, trained.model(), fixed=fixed)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(volume[None]))[0], truth, atol=1e-5)
    trained = TrainedRun.read(instances_run(tmp_path / "objects"))
    image = RNG.normal(size=(16, 16, 1)).astype("float32")
    model = with_probabilities(trained, trained.model(), fixed=fixed)
    truth = 1 / (1 + np.exp(-8 * np.concatenate([image, image - 1], -1)))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(image[None]))[0], truth, atol=1e-5)


def test_what_cannot_be_exported_leaves_nothing(tmp_path, capsys):
    run = sigmoid_run(tmp_path / "run", normalization={"kind": "percentile"})
    with pytest.raises(ValueError, match="fitted to the data set"):
        recipes.export(run, **QUIET)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    with pytest.raises(ValueError, match="no export of kerasmith"):
        recipes.export(run, tmp_path / "mine", overwrite=True, **QUIET)
    assert main(["export", str(tmp_path / "mine")]) == 2
    assert "no plan.json" in " ".join(capsys.readouterr().err.split())
    assert {path.name for path in run.iterdir()} == {"model.keras", "plan.json"}


@pytest.mark.parametrize("kind", ["zscore", "percentile", "unit", "none"])
def test_the_normalisation_in_the_graph_is_that_of_numpy(kind):
    image = RNG.integers(0, 60000, (3, 4, 5, 2)).astype(np.uint16)
    image[..., 1] = 7
    fitted = Normalization(kind).fit(list(image))
    graph = keras.ops.convert_to_numpy(normalized(keras.ops.convert_to_tensor(image.astype("float32")), fitted))
    np.testing.assert_allclose(graph, fitted(image), rtol=1e-5, atol=1e-5)


def test_a_plan_with_other_channels_is_refused(tmp_path):
    run = sigmoid_run(tmp_path / "run", outputs="softmax")
    with pytest.raises(ValueError, match=r"gives 1 channels, its plan\.json names 2: background, cell"):
        recipes.export(run, **QUIET)
    trained = TrainedRun.read(run)
    with pytest.raises(ValueError, match="One of the two was replaced"):
        trained.predictor(trained.model())(np.zeros((1, 16, 16, 1), "float32"))
