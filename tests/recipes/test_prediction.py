"""Predictions of image files: what is written, what is skipped, and what is said where something is wrong."""

import csv
import errno
import io
import json

import nibabel
import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from scipy import ndimage

from kerasmith import recipes
from kerasmith.cli import main
from kerasmith.recipes import prediction, prediction_files
from kerasmith.recipes.images.image_file import read_image, read_mask
from kerasmith.recipes.prediction_progress import PredictionProgress
from tests.recipes.trained_runs import instances_run, sigmoid_run, softmax_run

pytestmark = pytest.mark.heavy("each network is compiled", on=("tensorflow", "jax"), seconds=4)

RNG = np.random.default_rng(0)
QUIET = {"console": Console(file=io.StringIO())}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return sigmoid_run(tmp_path_factory.mktemp("runs") / "cells")


def picture(path, size=(41, 50), value=None):
    array = RNG.integers(0, 256, size, np.uint8) if value is None else np.full(size, value, np.uint8)
    Image.fromarray(array).save(path)
    return array


def expected(array):
    """Probabilities of the network of `sigmoid_run`, by SciPy."""
    values = ndimage.uniform_filter((array.astype(float) - 100) / 50, 3, mode="constant")
    return 1 / (1 + np.exp(-values))


def rows_of(path):
    return list(csv.DictReader(path.open()))


def test_a_folder_of_pictures(run, tmp_path):
    folder, out, text = tmp_path / "in", tmp_path / "out", io.StringIO()
    folder.mkdir()
    arrays = {
        name: picture(folder / f"{name}.png", size) for name, size in {"a": (44, 52), "b": (9, 64), "c": (16, 16)}.items()
    }
    result = recipes.predict(run, folder, out=out, console=Console(file=text, width=80))
    assert (result["images"], result["predicted"], result["skipped"]) == (3, 3, 0)
    for name, array in arrays.items():
        p = read_image(out / f"{name}_probabilities.tif").array[..., 0]
        whole = tuple(
            slice(None) if n >= 16 else slice(n - 2) for n in array.shape
        )  # what is continued has no zeros beyond it
        np.testing.assert_allclose(p[whole], expected(array)[whole], atol=1e-5)
        mask = read_mask(out / f"{name}_mask.png").array
        np.testing.assert_array_equal(mask, p > 0.5)
        assert read_image(out / f"{name}_overlay.png").array.shape == (*array.shape, 3)
        rows = rows_of(out / f"{name}_objects.csv")
        assert len(rows) == ndimage.label(mask, np.ones((3, 3)))[1]
        assert sum(int(row["pixels"]) for row in rows) == mask.sum()
        assert all(0.5 < float(row["probability"]) <= 1 for row in rows)
    assert result["objects"] == sum(len(rows_of(out / f"{name}_objects.csv")) for name in arrays)
    lines = text.getvalue().splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["1/3", "2/3", "3/3"]
    assert "left" in lines[0]
    assert all(len(line) <= 80 for line in lines[:3])
    # Again: nothing is done, nothing is touched.
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert recipes.predict(run, folder, out=out, **QUIET)["skipped"] == 3
    assert before == {path: path.stat().st_mtime_ns for path in out.iterdir()}
    # A file, a pattern and a folder name the same image once.
    assert recipes.predict(run, [folder / "a.png", folder / "*.png", folder], out=out, **QUIET)["images"] == 3


def test_flips_and_thresholds(run, tmp_path):
    array = picture(tmp_path / "a.png", (44, 52))
    recipes.predict(run, tmp_path / "a.png", out=tmp_path / "out", flips=True, threshold=0.7, overlap=0.25, **QUIET)
    # A symmetric filter gives the same from each side.
    np.testing.assert_allclose(read_image(tmp_path / "out" / "a_probabilities.tif").array[..., 0], expected(array), atol=2e-2)
    mask = read_mask(tmp_path / "out" / "a_mask.png").array
    np.testing.assert_array_equal(mask, read_image(tmp_path / "out" / "a_probabilities.tif").array[..., 0] > 0.7)


def test_a_volume_keeps_size_spacing_and_place(tmp_path):
    run = softmax_run(tmp_path / "run", class_ids=[0, 10, 20], spacing=[2.0, 2.0, 2.0])
    affine = np.array([[0, -1, 0, 5], [2, 0, 0, -7], [0, 0, 4, 9], [0, 0, 0, 1.0]])
    volume = RNG.normal(size=(9, 20, 7, 2)).astype(np.float32)
    smooth = ndimage.gaussian_filter(volume, (2, 4, 2, 0)) * 20
    smooth[4, :10] = (-3, 5)
    nibabel.save(nibabel.Nifti1Image(smooth, affine), tmp_path / "brain.nii.gz")
    recipes.predict(run, tmp_path / "brain.nii.gz", out=tmp_path / "out", **QUIET)
    mask = nibabel.load(tmp_path / "out" / "brain_mask.nii.gz")
    np.testing.assert_array_equal(mask.affine, affine)
    assert mask.header.get_zooms() == (2.0, 1.0, 4.0)
    assert mask.shape == (9, 20, 7)
    ids = np.asarray(mask.dataobj)
    assert set(np.unique(ids)) <= {0, 10, 20}
    p = read_image(tmp_path / "out" / "brain_probabilities.nii.gz").array
    assert p.shape == (9, 20, 7, 3)
    np.testing.assert_array_equal(np.array([0, 10, 20])[p.argmax(-1)], ids)
    rows = rows_of(tmp_path / "out" / "brain_objects.csv")
    assert {row["class"] for row in rows} == {"grey", "white"}
    assert sum(float(row["size"]) for row in rows) == pytest.approx(8 * np.count_nonzero(ids))
    assert {"plane_from", "row_to"} <= set(rows[0])
    # Without a spacing nothing is resampled, and the classes are those of the formula.
    np.save(tmp_path / "plain.npy", smooth)
    text = io.StringIO()
    recipes.predict(run, tmp_path / "plain.npy", out=tmp_path / "out", probabilities=False, console=Console(file=text))
    assert "1 images have no spacing: predicted as if theirs was (2.0, 2.0, 2.0)" in text.getvalue()
    truth = np.concatenate([np.zeros((9, 20, 7, 1)), smooth], -1).argmax(-1)
    np.testing.assert_array_equal(read_mask(tmp_path / "out" / "plain_mask.npy").array, truth * 10)
    assert not (tmp_path / "out" / "plain_probabilities.npy").exists()


def test_objects_are_kept_apart(tmp_path):
    image = np.full((24, 40), -3.0)
    image[4:16, 4:20] = 0.5
    image[4:16, 20:36] = 0.4
    image[6:14, 6:17] = image[6:14, 24:34] = 3.0
    np.save(tmp_path / "touching.npy", image)
    recipes.predict(instances_run(tmp_path / "run"), tmp_path / "touching.npy", out=tmp_path, overlap=0, **QUIET)
    mask = read_mask(tmp_path / "touching_mask.npy").array
    assert mask.max() == 2
    np.testing.assert_array_equal(mask > 0, image > 0)
    assert [row["object"] for row in rows_of(tmp_path / "touching_objects.csv")] == ["1", "2"]
    # Where images and predictions share a folder, predictions are no images.
    assert recipes.predict(tmp_path / "run", tmp_path, out=tmp_path, overlap=0, **QUIET)["images"] == 1


def test_what_was_interrupted_goes_on(run, tmp_path, monkeypatch):
    for name in "abc":
        picture(tmp_path / f"{name}.png")
    recipes.predict(run, tmp_path / "*.png", out=tmp_path / "whole", **QUIET)
    real, written = prediction_files.write_mask, []

    def stop(path, *rest):
        written.append(path)
        if len(written) == 2:
            raise KeyboardInterrupt
        real(path, *rest)

    monkeypatch.setattr(prediction_files, "write_mask", stop)
    with pytest.raises(KeyboardInterrupt):
        recipes.predict(run, tmp_path / "*.png", out=tmp_path / "out", **QUIET)
    monkeypatch.undo()
    (tmp_path / "out" / "a_objects.csv").unlink()  # as if it had been killed before its last file
    with (tmp_path / "out" / "predictions.jsonl").open("a") as file:
        file.write('{"name": "c", "im')
    result = recipes.predict(run, tmp_path / "*.png", out=tmp_path / "out", **QUIET)
    assert (result["predicted"], result["skipped"]) == (3, 0)
    assert recipes.predict(run, tmp_path / "*.png", out=tmp_path / "out", **QUIET)["skipped"] == 3
    for path in (tmp_path / "whole").glob("?_*"):
        assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes(), path.name


def test_what_a_user_made_stays(run, tmp_path):
    picture(tmp_path / "a.png")
    out = tmp_path / "out"
    out.mkdir()
    (out / "a_mask.png").write_text("mine")
    with pytest.raises(ValueError, match=r"a_mask\.png is there and was not written by.*--overwrite"):
        recipes.predict(run, tmp_path / "a.png", out=out, **QUIET)
    assert [path.name for path in out.iterdir()] == ["a_mask.png"]
    recipes.predict(run, tmp_path / "a.png", out=out, overwrite=True, **QUIET)
    # A mask that was corrected by hand is skipped, and so is kept.
    (out / "a_mask.png").write_text("corrected")
    recipes.predict(run, tmp_path / "a.png", out=out, **QUIET)
    (out / "a_overlay.png").unlink()
    recipes.predict(run, tmp_path / "a.png", out=out, **QUIET)
    assert (out / "a_mask.png").read_text() == "corrected"
    with pytest.raises(ValueError, match=r"flips=False instead of True.*--overwrite"):
        recipes.predict(run, tmp_path / "a.png", out=out, flips=True, **QUIET)
    picture(tmp_path / "a.png", value=7)
    with pytest.raises(ValueError, match="has changed since"):
        recipes.predict(run, tmp_path / "a.png", out=out, **QUIET)
    recipes.predict(run, tmp_path / "a.png", out=out, overwrite=True, flips=True, **QUIET)
    assert not read_mask(out / "a_mask.png").array.any()
    other = sigmoid_run(tmp_path / "other", threshold=0.4)
    with pytest.raises(ValueError, match="another model"):
        recipes.predict(other, tmp_path / "a.png", out=out, flips=True, **QUIET)


def test_images_that_fail_do_not_stop_the_others(run, tmp_path):
    picture(tmp_path / "a.png")
    picture(tmp_path / "colours.png", (20, 20, 3))
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:300])
    # Headers tell of these two before the first prediction.
    (tmp_path / "empty.tif").touch()
    np.save(tmp_path / "volume.npy", np.zeros((5, 20, 20, 1)))
    picture(tmp_path / "z.png")
    for skipped in (0, 2):
        wrong = r"empty\.tif", r"volume\.npy", r"colours\.png has 3 channels", r"cut\.png cannot be read"
        with pytest.raises(ValueError, match=rf"(?s)4 of 6 images could not.*{'.*'.join(wrong)}"):
            recipes.predict(run, tmp_path / "*.*", out=tmp_path / "out", **QUIET)
        assert len(list((tmp_path / "out").glob("*_mask.png"))) == 2, skipped
    assert {path.name for path in (tmp_path / "out").glob("*_mask.png")} == {"a_mask.png", "z_mask.png"}


def test_a_full_disk_is_said_and_the_same_command_goes_on(run, tmp_path, monkeypatch):
    for name in "ab":
        picture(tmp_path / f"{name}.png")
    real = prediction_files.write_atomically

    def full(path, *rest):
        if path.name == "b_objects.csv":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, *rest)

    monkeypatch.setattr(prediction_files, "write_atomically", full)
    with pytest.raises(ValueError, match=r"out: No space left on device\. 1 of 2 images are complete"):
        recipes.predict(run, tmp_path / "*.png", out=tmp_path / "out", **QUIET)
    monkeypatch.undo()
    assert recipes.predict(run, tmp_path / "*.png", out=tmp_path / "out", **QUIET)["predicted"] == 1


def test_bad_input_is_named_before_anything_is_made(run, tmp_path):
    picture(tmp_path / "a.png")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        picture(tmp_path / folder / "t1.png")
    np.save(tmp_path / "volume.npy", np.zeros((5, 20, 20, 1)))
    (tmp_path / "broken.png").write_text("no picture")
    (tmp_path / "unfinished" / "checkpoints").mkdir(parents=True)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "model.keras").touch()
    (tmp_path / "text" / "plan.json").write_text("{")
    (tmp_path / "short").mkdir()
    (tmp_path / "short" / "model.keras").touch()
    (tmp_path / "short" / "plan.json").write_text('{"classes": ["a", "b"]}')
    (tmp_path / "file").touch()
    plan = json.loads((run / "plan.json").read_text())
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "model.keras").write_text("no model")
    (tmp_path / "damaged" / "plan.json").write_text(json.dumps(plan))
    cases = [
        ({"run": tmp_path / "nowhere"}, "There is no run directory"),
        ({"run": tmp_path / "one"}, "has no plan.json and no model.keras: expected a directory"),
        ({"run": tmp_path / "unfinished"}, "training is not finished"),
        ({"run": tmp_path / "text"}, r"plan\.json cannot be read"),
        ({"run": tmp_path / "short"}, r"plan\.json is not what.*no 'dimensions'"),
        ({"images": tmp_path / "none"}, "no file or folder"),
        ({"images": []}, "no images"),
        ({"images": tmp_path / "*" / "t1.png"}, r"one name:\n.*one/t1\.png, .*two/t1\.png"),
        ({"images": tmp_path / "broken.png"}, r"1 of 1 images cannot be predicted:\n.*broken\.png cannot be read"),
        ({"images": tmp_path / "volume.npy"}, r"volume\.npy.*no 2-D image"),
        ({"overlap": 1.5}, r"overlap=1\.5"),
        ({"threshold": 0.0}, r"threshold=0\.0"),
        ({"out": tmp_path / "file"}, "is a file"),
    ]
    for change, message in cases:
        arguments = {"run": run, "images": tmp_path / "a.png", "out": tmp_path / "out"} | change
        with pytest.raises(ValueError, match=message):
            recipes.predict(arguments.pop("run"), arguments.pop("images"), **arguments, **QUIET)
        assert not (tmp_path / "out").exists(), message
    with pytest.raises(ValueError, match=r"model\.keras cannot be loaded"):
        recipes.predict(tmp_path / "damaged", tmp_path / "a.png", out=tmp_path / "out", **QUIET)
    with pytest.raises(ValueError, match="no threshold"):
        recipes.predict(softmax_run(tmp_path / "three"), tmp_path / "a.png", out=tmp_path / "out", threshold=0.4, **QUIET)


def test_the_command(run, tmp_path, capsys):
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    out = str(tmp_path / "out")
    files = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    assert main(["predict", str(run), *files, "--out", out, "--no-probabilities"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("1/2 a.png: ")
    assert (tmp_path / "out" / "b_mask.png").exists()
    assert not list((tmp_path / "out").glob("*_probabilities*"))
    for arguments in (["predict", str(tmp_path), *files, "--out", out], ["predict", str(run), "nothing.png", "--out", out]):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert "Traceback" not in error
    with pytest.raises(SystemExit) as stop:
        main(["predict", str(run), *files, "--out", out, "--overlap", "1"])
    assert stop.value.code == 2


def test_the_bar_of_a_terminal_fits_in_80_columns(run, tmp_path):
    for name in ("a [bold] name", "a" * 90):
        picture(tmp_path / f"{name}.png")
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=80, color_system=None, legacy_windows=False)
    prediction.predict(run, tmp_path / "*.png", out=tmp_path / "out", console=console)
    assert "100 %" in text.getvalue() or "left" in text.getvalue()
    with PredictionProgress(console, [10, 30]) as progress:
        progress.windows(tmp_path / ("b" * 80 + ".png"), 1, 2)
        drawn = console.render_str("")
        assert drawn is not None
        with console.capture() as capture:
            console.print(progress._bar.get_renderable())
    assert max(map(len, capture.get().splitlines())) <= 80
