import io
import json

import keras
import numpy as np
import pytest
from rich.console import Console

from kerasmith.data import MissingDataPackage
from kerasmith.recipes import solar, solar_data, solar_ridge, verification
from kerasmith.recipes.auc_interval import auc_with_interval
from kerasmith.recipes.platt import fit_platt, scaled
from kerasmith.recipes.solar_data import Cells


@pytest.mark.heavy("trains the network of the demo", seconds=15)
def test_a_short_run_writes_the_whole_run_directory(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.normal(0, 0.1, (64, 100, 100, 2)).astype("float32")
    cells = Cells(images, rng.choice([0, 1 / 3, 2 / 3, 1], (64, 1)).astype("float32"), np.arange(64) // 4)
    monkeypatch.setattr(solar_data, "load", lambda: cells)
    monkeypatch.setattr(solar, "WIDTHS", (4, 4))
    text, out = io.StringIO(), tmp_path / "run"
    summary = solar.run(out=out, epochs=3, console=Console(file=text, width=100))
    for name in ("report.html", "history.csv", "model.keras", "summary.json"):
        assert (out / name).stat().st_size > 0, name
    assert not (out / "checkpoints").exists()
    saved = json.loads((out / "summary.json").read_text())
    assert saved["auc_low"] <= saved["auc"] <= saved["auc_high"]
    assert saved["auc"] == summary["auc"]
    model = keras.saving.load_model(out / "model.keras")
    *_, held_out = solar_data.parts(cells)
    p = scaled(solar.logits_of(model, held_out), *saved["scaling"])
    assert saved["calibration"]["after"]["brier"] == pytest.approx(np.mean((p - held_out.probability[:, 0]) ** 2), rel=1e-4)
    verdict = io.StringIO()
    assert verification.verify(out, Console(file=verdict)) == 0, verdict.getvalue()
    page = (out / "report.html").read_text()
    for word in ("NC-SA", "before calibration", "after calibration", "Judged most differently", "ridge regression"):
        assert word in page, word


@pytest.mark.host("reads pictures and a table")
def test_the_cells_are_read_from_the_wheel(tmp_path, monkeypatch):
    table = solar_data.wheel_file("elpv_dataset", "data/labels.csv", extra="solar")
    lines = table.read_text().splitlines()
    assert len(lines) == 2624
    kinds = np.array([line.split()[2] for line in lines])
    module = solar_data.modules(kinds)
    assert [len(np.unique(module[kinds == kind])) for kind in ("mono", "poly")] == [18, 26]
    assert np.bincount(module).min() >= 48
    (tmp_path / "labels.csv").write_text("\n".join([lines[0], "", lines[-1]]))
    (tmp_path / "images").symlink_to(table.parent / "images")
    monkeypatch.setattr(solar_data, "wheel_file", lambda *args, **kwargs: tmp_path / "labels.csv")
    cells = solar_data.load()
    assert cells.images.shape == (2, 100, 100, 2)
    assert (cells.images[..., 1] <= cells.images[..., 0]).all()
    assert cells.probability.tolist() == [[float(np.float32(line.split()[1]))] for line in (lines[0], lines[-1])]
    np.testing.assert_allclose(np.percentile(cells.images[..., 0], 90, axis=(1, 2)), 0.2, atol=1e-6)


@pytest.mark.host("asks for a package")
def test_without_the_data_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDataPackage, match="pip install elpv-dataset"):
        solar_data.load()


@pytest.mark.host("cuts arrays with NumPy")
def test_parts_are_whole_modules_with_like_defects_and_exposure_is_certainty():
    rng = np.random.default_rng(0)
    module = np.repeat(np.arange(32), 25)
    probability = (rng.random((800, 1)) < (module[:, None] * 7 % 32) / 32).astype("float32")
    cells = Cells(np.arange(800)[:, None, None, None], probability, module)
    parts = solar_data.parts(cells)
    assert sorted(np.concatenate([part.images.ravel() for part in parts])) == list(range(800))
    assert [len(part) for part in parts] == [500, 100, 200]
    assert [len(np.unique(part.module)) for part in parts] == [20, 4, 8]
    np.testing.assert_allclose([part.probability.mean() for part in parts], probability.mean(), atol=0.06)
    some = Cells(np.zeros((4, 1, 1, 1)), np.array([[0], [1 / 3], [2 / 3], [1]]), np.arange(4))
    np.testing.assert_allclose(some.exposure, [1, 1 / 3, 1 / 3, 1])
    assert some.is_defective[:, 0].tolist() == [False, False, True, True]


@pytest.mark.host("mirrors arrays with NumPy")
def test_flips_are_mirror_images_of_the_same_cell():
    x = np.random.default_rng(0).normal(size=(200, 4, 5, 1))
    y, w = np.arange(200), np.ones(200)
    seen, labels, weights = solar_data.flipped(x, y, w, np.random.default_rng(1))
    views = np.stack([x[:, ::d, ::a] for d in (1, -1) for a in (1, -1)])
    which = (views == seen).all((2, 3, 4))
    assert (which.sum(0) == 1).all()
    assert (which.sum(1) > 25).all()
    assert labels is y
    assert weights is w


@pytest.mark.host("fits numbers with NumPy")
def test_simple_method_and_calibration_are_those_of_scikit_learn():
    linear = pytest.importorskip("sklearn.linear_model")
    scaling = pytest.importorskip("sklearn.preprocessing").StandardScaler()
    rng = np.random.default_rng(0)
    a, y, asked = rng.normal(size=(80, 6)) * 3 + 1, rng.normal(size=80), rng.normal(size=(9, 6))
    known = linear.Ridge(alpha=7.0).fit(scaling.fit_transform(a), y)
    np.testing.assert_allclose(
        solar_ridge.ridge(a, y, asked, 7.0), known.predict(scaling.transform(asked)), rtol=1e-4, atol=1e-4
    )

    z = rng.normal(0, 3, 500)
    truth = (rng.random(500) < 1 / (1 + np.exp(-(0.4 * z - 0.7)))).astype(float)
    known = linear.LogisticRegression(C=1e8, tol=1e-10).fit(z[:, None], truth)
    np.testing.assert_allclose(fit_platt(z, truth), [known.coef_[0, 0], known.intercept_[0]], rtol=1e-3)
    assert np.isfinite(fit_platt(np.array([-1.0, 1.0]), np.array([0.0, 1.0]))).all()


@pytest.mark.host("draws resamples with NumPy")
def test_the_area_is_that_of_scikit_learn_and_its_interval_covers_the_known_spread():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.3
    scores = (truth + rng.normal(0, 1, 400)).round(1)  # with ties
    found = auc_with_interval(truth, scores)
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(truth, scores), abs=1e-12)
    # Hanley and McNeil: the standard error of an area A of n positives and m negatives.
    a, n, m = found["auc"], truth.sum(), (~truth).sum()
    q, r = a / (2 - a), 2 * a**2 / (1 + a)
    error = np.sqrt((a * (1 - a) + (n - 1) * (q - a**2) + (m - 1) * (r - a**2)) / (n * m))
    assert (found["auc_high"] - found["auc_low"]) / 2 == pytest.approx(1.96 * error, rel=0.15)
    assert np.isnan(auc_with_interval(np.ones(3), np.arange(3))["auc"])
