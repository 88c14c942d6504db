import io
import json

import keras
import numpy as np
import pytest
from rich.console import Console

from kerasmith.data import MissingDataPackage
from kerasmith.recipes import nuclei, nuclei_image, verification

pytestmark = pytest.mark.heavy("trains the network of the demo", on=("tensorflow", "jax"), seconds=8)

FILES = ("report.html", "history.csv", "model.keras", "summary.json")


@pytest.fixture
def _tiny(monkeypatch):
    for name, value in {"STEPS": 2, "BATCH": 2, "TILE": 32, "WIDTHS": (4, 8)}.items():
        monkeypatch.setattr(nuclei, name, value)


def parts(poison=False):
    image, labels = nuclei_image.load()
    if poison:
        image[:, nuclei_image.BORDER :] = np.nan
        labels[:, nuclei_image.BORDER :] = np.random.default_rng(0).integers(0, 300, (512, 160))
    return nuclei_image.split(image, labels)


def weights_of(model):
    return [keras.ops.convert_to_numpy(w) for w in model.weights]


@pytest.mark.usefixtures("_tiny")
def test_a_short_run_writes_the_whole_run_directory(tmp_path):
    text = io.StringIO()
    out = tmp_path / "run"
    summary = nuclei.run(out=out, epochs=1, seed=3, console=Console(file=text, width=100))

    for name in FILES:
        assert (out / name).stat().st_size > 0, name
    assert list(out.glob("events.*"))

    saved = json.loads((out / "summary.json").read_text())
    for key in ("dice", "object_f1", "object_precision", "object_recall", "seconds", "parameters", "baseline"):
        assert key in saved
        assert key in summary
    assert saved["baseline"] == {"dice": 0.949, "object_f1": 0.83}
    assert 0 <= saved["dice"] <= 1

    model = keras.saving.load_model(out / "model.keras")
    assert saved["parameters"] == model.count_params()
    _, held_out = parts()
    mask = nuclei.predict(model, held_out.image)["mask"] > saved["mask_threshold"]
    dice = 2 * (mask & held_out.mask).sum() / (mask.sum() + held_out.mask.sum())
    assert saved["dice"] == pytest.approx(dice, abs=1e-6)

    page = (out / "report.html").read_text()
    for word in ("learning_rate", "mask_dice_score", "ce", "objects_f1", "missed", "touching another one", "Held-out"):
        assert word in page, word
    assert page.count("<img") >= 4
    header = (out / "history.csv").read_text().splitlines()[0]
    for column in ("loss", "dice", "ce", "mask_loss", "cores_loss", "val_mask_dice_score", "val_objects_f1", "learning_rate"):
        assert column in header
    assert "0.949" in text.getvalue()
    assert "0.830" in text.getvalue()

    verdict = io.StringIO()
    assert verification.verify(out, Console(file=verdict)) == 0, verdict.getvalue()
    with pytest.raises(ValueError, match="overwrite"):
        nuclei.run(out=out, epochs=1)


@pytest.mark.usefixtures("_tiny")
def test_training_depends_on_the_seed_and_never_on_the_held_out_part():
    clean = weights_of(nuclei.fit(*parts(), epochs=1, seed=0))
    poisoned = weights_of(nuclei.fit(*parts(poison=True), epochs=1, seed=0))
    other = weights_of(nuclei.fit(*parts(), epochs=1, seed=1))
    for a, b in zip(clean, poisoned, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert max(np.abs(a - b).max() for a, b in zip(clean, other, strict=True)) > 1e-2


def test_the_best_threshold_is_the_one_with_the_largest_dice():
    truth = np.arange(100) >= 62
    assert nuclei.best_threshold(np.arange(100) / 100, truth) == pytest.approx(0.6)
    assert nuclei.best_threshold(np.arange(100) / 100, truth, candidates=(0.1, 0.5)) == pytest.approx(0.5)


def test_without_the_data_package_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDataPackage, match="pip install tifffile"):
        nuclei.run(out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_used_directory_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(nuclei, "fit", lambda *args, **kwargs: pytest.fail("trained before looking at `out`"))
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(ValueError, match="overwrite"):
        nuclei.run(out=tmp_path)
    assert (tmp_path / "summary.json").read_text() == "{}"


@pytest.mark.parametrize("epochs", [0, -1, 1.5])
def test_wrong_epochs_are_refused(tmp_path, epochs):
    with pytest.raises(ValueError, match="epochs"):
        nuclei.run(out=tmp_path / "run", epochs=epochs)
    assert not (tmp_path / "run").exists()
