"""A training from folders to a run directory: interrupted, gone on with, refused, begun from another."""

import csv
import errno
import io
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from kerasmith.checks.engine.finding import Finding
from kerasmith.cli import main
from kerasmith.files.run_files import read_cases
from kerasmith.recipes.images.normalization import Normalization
from kerasmith.recipes.training import ConfigError, fitting, parts, run_directory, train
from kerasmith.recipes.training.patches import PatchBatches, Sample
from kerasmith.recipes.training.windows import WindowBatches
from tests.support.image_folders import write_pairs

SMALL = {"epochs": 3, "steps": 2, "batch": 2, "patch": [16, 24], "model": "unet(widths=[4, 8])", "tensorboard": False}
trains = pytest.mark.heavy("trains networks on small folders", on=("tensorflow", "jax"), seconds=8)


def quietly(config, **overrides):
    text = io.StringIO()
    result = train(config, overrides=overrides, console=Console(file=text, width=80))
    return result, text.getvalue()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """(folder, configuration, summary, what was shown) of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("finished")
    write_pairs(folder)
    config = {
        "images": folder / "images",
        "masks": folder / "masks",
        "classes": ["background", "square"],
        "loss": "0.6*dice + 0.4*ce(class_weights=auto) + ramp(0, 0.3, epochs=1:3)*minimum_area(4)",
        "callbacks": ["top_k_checkpoints(k=1)", "early_stopping(patience=50)"],
        "backend": keras.backend.backend(),
        "out": folder / "run",
        **SMALL,
    }
    return folder, config, *quietly(config)


@trains
def test_the_run_directory_has_all_that_a_prediction_needs(finished):
    folder, _, summary, shown = finished
    run = folder / "run"
    rows = list(csv.DictReader((run / "history.csv").open()))
    assert {"loss", "dice", "cross_entropy", "minimum_area", "minimum_area_weight", "val_dice_score"} <= set(rows[0])
    # The weight is asked for in steps 0 to 5: its mean over an epoch goes from 0 to 0.3 between epoch 1 and 3.
    np.testing.assert_allclose([float(row["minimum_area_weight"]) for row in rows], [0, 0.3 / 8, 0.3 * 5 / 8], rtol=1e-5)
    lines = [line for line in shown.splitlines() if line.startswith("epoch ")]
    assert len(lines) == 3
    assert max(map(len, lines)) < 80
    plan = json.loads((run / "plan.json").read_text())
    assert plan["outputs"] == "sigmoid"
    assert len(list((run / "best").glob("*.keras"))) == 1
    assert plan["window"] == [16, 24]
    assert json.loads((run / "summary.json").read_text())["iou"] == summary["iou"]
    assert "each pixel" not in (run / "config.resolved.yaml").read_text()  # `steps` was set
    assert "truth and prediction" in (run / "report.html").read_text()

    model = keras.saving.load_model(run / "model.keras", compile=False)
    held_out = [path for path in (folder / "images").iterdir() if path.stem in (run / "report.html").read_text()]
    image = np.asarray(Image.open(held_out[0]))[..., None]
    x = Normalization.from_dict(plan["normalization"])(image)
    assert model.predict(x[None], verbose=0).shape == (1, *image.shape)


@trains
def test_its_numbers_are_computed_anew(finished, tmp_path, capsys):
    folder, _, summary, _ = finished
    run = folder / "run"
    cases = read_cases(run / "cases.csv")
    assert np.mean([case["dice"] for case in cases]) == pytest.approx(summary["dice_per_image"])
    assert main(["report", "--verify", str(run)]) == 0
    assert "all agree" in capsys.readouterr().out
    # A number of the summary, of a case, of the page that is another one.
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    for name, old, new in [
        ("summary.json", f'"dice": {summary["dice"]!r}', f'"dice": {summary["dice"] + 1e-3!r}'),
        ("cases.csv", repr(cases[0]["iou"]), "0.123"),
        ("report.html", f'"images":{summary["images"]}', '"images":77'),
    ]:
        text = (copy / name).read_text()
        assert old in text
        (copy / name).write_text(text.replace(old, new))
    assert main(["report", "--verify", str(copy)]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    for place in ("differs: dice is", f"differs: case {cases[0]['case']}, iou is", "differs: page, images is stored as 77"):
        assert place in printed
    (copy / "model.keras").unlink()
    assert main(["report", "--verify", str(copy)]) == 2
    assert "model.keras" in capsys.readouterr().err
    (copy / "config.resolved.yaml").unlink()
    assert main(["report", "--verify", str(copy)]) == 2
    assert "data of" in capsys.readouterr().err


def full_disk(*given, **named):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_said_and_leaves_nothing_in_the_way(tmp_path, monkeypatch):
    config = {"images": "images", "masks": "masks", "classes": 2, "backend": keras.backend.backend()}
    write_pairs(tmp_path)
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(fitting, "fit", full_disk)
        with pytest.raises(ConfigError, match=r"runs/config: No space left on device\. Make room"):
            quietly(config)
    write = run_directory.write_atomically
    with monkeypatch.context() as patch:
        fails = lambda path, data: (full_disk if path.name == run_directory.CONFIG else write)(path, data)  # noqa: E731
        patch.setattr(run_directory, "write_atomically", fails)
        with pytest.raises(OSError, match="No space"):
            run_directory.write_plan(tmp_path / "run", "seed: 1", {})
    assert not list((tmp_path / "run").iterdir())


@trains
def test_an_interrupted_run_ends_as_an_undisturbed_one_and_may_be_longer(finished, tmp_path, monkeypatch):
    folder, _, summary, _ = finished
    again = {"config": folder / "run" / "config.resolved.yaml", "out": str(tmp_path / "run")}
    make = parts.make_callbacks

    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 3:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(parts, "make_callbacks", lambda *given: [*make(*given), Interrupt()])
        with pytest.raises(KeyboardInterrupt):
            quietly(**again)
    result, shown = quietly(**again)
    assert "goes on with the run" in shown
    history = (tmp_path / "run" / "history.csv").read_text()
    assert history == (folder / "run" / "history.csv").read_text()
    assert result["dice"] == summary["dice"]

    assert "is complete" in quietly(**again)[1]
    for change in ({"seed": 3}, {"loss": "dice"}, {"oversample": 0.9}):
        with pytest.raises(ConfigError, match=f"`{next(iter(change))}` was"):
            quietly(**again, **change)
    (tmp_path / "run" / "model.keras").unlink()
    assert "goes on with the run" in quietly(**again)[1]  # without its model it is not complete
    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "save", full_disk)
        with pytest.warns(UserWarning, match="could not save"), pytest.raises(ConfigError, match=r"model\.keras could not be"):
            quietly(**again, epochs=4)
    quietly(**again, epochs=4)
    longer = (tmp_path / "run" / "history.csv").read_text()
    assert longer.startswith(history)
    assert len(longer.splitlines()) == 5
    assert "is complete" in quietly(**again)[1]  # it keeps its four epochs


@trains
def test_a_run_that_goes_on_says_why_it_was_decided_so(finished):
    folder, config, *_ = finished
    reasons = train(config, plan_only=True, console=Console(file=io.StringIO()))["reasons"]
    assert reasons == {one["key"]: one["why"] for one in json.loads((folder / "run" / "plan.json").read_text())["decisions"]}
    assert reasons["validation"] == "1 of 5 files, drawn with seed 0"


@trains
def test_a_run_begins_with_the_weights_of_another(finished, tmp_path, monkeypatch):
    folder, config, *_ = finished
    begun = []

    def begin(plan, model, *_):
        begun.append(model.get_weights())
        (tmp_path / "b" / "model.keras").touch()  # as a training leaves it

    monkeypatch.setattr("kerasmith.recipes.training.fitting._train", begin)
    monkeypatch.setattr("kerasmith.recipes.training.fitting._evaluate", lambda *_: {"of": "no images"})
    more = {"loss": "dice", "out": str(tmp_path / "b"), "from": str(folder / "run"), "model": "auto"}
    quietly({**config, **more})
    source = keras.saving.load_model(folder / "run" / "model.keras", compile=False).get_weights()
    for a, b in zip(begun[0], source, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ConfigError, match="other shapes"):
        quietly({**config, **more, "out": str(tmp_path / "c"), "model": "unet(widths=[4, 6])"})
    assert not (tmp_path / "c").exists()


@pytest.mark.heavy("trains networks on small folders", on=("torch", "tensorflow", "jax"), seconds=5)
@pytest.mark.parametrize(
    ("data", "more", "keys"),
    [
        ({"instances": True}, {"instances": True, "classes": 2}, {"object_f1", "dice"}),
        ({"shape": (16, 16, 24), "count": 3}, {"classes": 2, "patch": 16}, {"dice"}),
        ({"classes": 2, "count": 2}, {"classes": 3, "folds": 2, "loss": "dice_ce(class_weights=auto)"}, {"folds", "mean"}),
    ],
)
def test_objects_volumes_and_folds(tmp_path, data, more, keys):
    write_pairs(tmp_path, **data)
    config = {"images": tmp_path / "images", "masks": tmp_path / "masks", "backend": keras.backend.backend()}
    result, _ = quietly({**config, **SMALL, "epochs": 1, "out": tmp_path / "run", **more})
    assert keys <= set(result)


def answering(severity):
    """A question about the set-up with this answer."""
    return lambda setup: [Finding("T900", severity, "It may not be meant so", "one", "another", "", "Write one.")]


@trains
def test_the_set_up_is_asked_before_anything_is_written(tmp_path, monkeypatch):
    write_pairs(tmp_path)
    config = {"images": tmp_path / "images", "masks": tmp_path / "masks", "classes": 2, "out": tmp_path / "run", **SMALL}
    config |= {"backend": keras.backend.backend(), "epochs": 1}
    asks = "kerasmith.recipes.training.set_up.structural_findings"
    with monkeypatch.context() as patch:
        patch.setattr(asks, answering("error"))
        with pytest.raises(ConfigError, match=r"(?s)error T900.*expected one, got another.*fix: Write one.*`check: false`"):
            quietly(config)
    assert not (tmp_path / "run").exists()

    quietly({**config, "out": tmp_path / "not_asked", "check": False})
    quietly({**config, "out": tmp_path / "asked"})
    assert (tmp_path / "not_asked" / "history.csv").read_text() == (tmp_path / "asked" / "history.csv").read_text()

    monkeypatch.setattr(asks, answering("warning"))
    assert "warning T900: It may not be meant so: another. Write one." in quietly(config)[1]
    assert "T900: It may not be meant so" in (tmp_path / "run" / "report.json").read_text()
    assert "T900" not in quietly(config, epochs=2)[1]  # it goes on, and has been asked


@pytest.mark.host("arrays are cut")
def test_patches_are_a_function_of_seed_and_step_and_masks_stay_on_their_pixels():
    image = np.arange(30.0 * 40).reshape(30, 40, 1).astype("float32")
    labels = (image[..., 0] % 7).astype("int32")
    sample = Sample(image, {"mask": labels})

    def batches(**more):
        given = {"patch": (8, 12), "batch": 3, "steps": 4, "seed": 5, "augment": None, "oversample": 0.0}
        return PatchBatches([lambda: sample], **{**given, **more})

    first, other = batches(), batches()
    other.load_state_dict({"epoch": 2})
    x, y = first.batch(9)
    np.testing.assert_array_equal(other[1][0], x)
    np.testing.assert_array_equal(x[..., 0] % 7, y[..., 0])
    assert x.shape == (3, 8, 12, 1)
    assert not np.array_equal(first.batch(8)[0], x)
    turned = batches(augment={"rotate": True, "mirror": True, "scale": 0.2}, oversample=1.0)
    x, y = turned.batch(0)
    assert x.shape == (3, 8, 12, 1)
    assert set(np.unique(y)) <= set(range(7))

    volume = Sample(
        np.arange(4.0 * 20 * 20).reshape(4, 20, 20, 1), {"mask": np.arange(1600).reshape(4, 20, 20).astype("int32")}
    )
    cut = PatchBatches(
        [lambda: volume], patch=(8, 8, 8), batch=4, steps=1, seed=0, augment={"rotate": False, "mirror": True}, oversample=0.5
    )
    x, y = cut[0]
    np.testing.assert_array_equal(x[..., 0], y[..., 0])  # beyond the edge the volume is mirrored


@pytest.mark.host("arrays are cut")
@pytest.mark.parametrize("shape", [(16, 16), (20, 30), (9, 17)])
def test_windows_count_each_pixel_once(shape):
    image = np.arange(np.prod(shape), dtype="float32").reshape(*shape, 1)
    sample = Sample(image, {"mask": np.ones(shape, "int32")})
    windows = WindowBatches([lambda: sample], [shape], patch=(16, 16), batch=2)
    counted = np.zeros(np.prod(shape), int)
    for i in range(len(windows)):
        x, y = windows[i]
        np.add.at(counted, x[y == 1].astype(int), 1)
    np.testing.assert_array_equal(counted, 1)
