import io
import itertools
import json

import keras
import numpy as np
import pytest
from rich.console import Console

from kerasmith.recipes import brain, brain_data, verification
from kerasmith.recipes.brain_thresholds import best_thresholds, evened, segment


@pytest.mark.heavy("trains the network of the demo", seconds=20)
def test_a_short_run_writes_the_whole_run_directory(tmp_path, monkeypatch):
    volume, shares = brain_data.load()
    monkeypatch.setattr(brain_data, "load", lambda: (volume[::4], {tissue: share[::4] for tissue, share in shares.items()}))
    monkeypatch.setattr(brain_data.split, "__defaults__", ((5, 9),))
    for name, value in {"WIDTHS": (4, 8), "REPEATS": 1, "BATCH": 2}.items():
        monkeypatch.setattr(brain, name, value)
    text, out = io.StringIO(), tmp_path / "run"
    brain.run(out=out, epochs=1, console=Console(file=text, width=100))
    for name in ("report.html", "history.csv", "model.keras", "summary.json"):
        assert (out / name).stat().st_size > 0, name
    assert not (out / "checkpoints").exists()
    verdict = io.StringIO()
    assert verification.verify(out, Console(file=verdict)) == 0, verdict.getvalue()
    saved = json.loads((out / "summary.json").read_text())
    volume, shares = brain_data.load()
    scan = brain_data.scanned(volume, np.random.default_rng(brain.SCAN))
    _, held_out = brain_data.split(scan, shares)
    predicted = keras.saving.load_model(out / "model.keras").predict(held_out.images, batch_size=4, verbose=0)
    for tissue in brain_data.TISSUES:
        mask, truth = predicted[tissue] > 0, held_out.masks[tissue] > 0
        assert saved[tissue]["dice"] == pytest.approx(2 * (mask & truth).sum() / (mask.sum() + truth.sum()), abs=1e-5)
        # Brightness tells the tissues apart where there is no shading.
        assert 0.5 < saved["to_beat"][tissue]["dice"] < saved["clean"]["to_beat"][tissue]["dice"]
    page = (out / "report.html").read_text()
    for word in (
        "thresholds of brightness",
        "of the slab, grey matter",
        "mean surface distance",
        "Rician",
        "clean slab",
    ):
        assert word in page, word
    assert "grey_dice_score" in (out / "history.csv").read_text()


@pytest.mark.host("reads volumes with NumPy")
def test_the_volumes_are_those_of_nibabel():
    nibabel = pytest.importorskip("nibabel")
    volume, shares = brain_data.load()
    assert volume.shape == shares["grey"].shape == shares["white"].shape == (90, 80, 80)
    name = "datasets/data/mni_icbm152_gm_tal_nlin_sym_09a_converted.nii.gz"
    whole = np.asarray(nibabel.load(brain_data.wheel_file("nilearn", name)).dataobj, np.float64)
    # A voxel of 2 mm is the mean of eight; slice 40, row 34 from the top, column 22 of this image.
    x, y, z = 2 * 30 + 2, 2 * 52 + 4, 2 * (95 - 50) - 3
    mean = whole[x : x + 2, y : y + 2, z : z + 2].mean()
    assert mean > 0
    assert shares["grey"][40, 34, 22] * brain_data._volume("gm").max() == pytest.approx(mean, rel=1e-5)


@pytest.mark.host("cuts arrays with NumPy")
def test_no_training_slice_sees_the_slab():
    volume = np.arange(90.0)[:, None, None] * np.ones((1, 2, 2))
    shares = dict.fromkeys(brain_data.TISSUES, volume > 50)
    train, held_out = brain_data.split(volume, shares)
    assert set(np.unique(held_out.images[..., 1])) == set(range(24, 44))
    assert not set(np.unique(train.images)) & set(np.unique(held_out.images))
    np.testing.assert_array_equal(held_out.images[0, 0, 0], [23, 24, 25])
    np.testing.assert_array_equal(train.masks["grey"][..., 0] > 0, train.images[..., 1] > 50)


@pytest.mark.host("draws fields and noise with NumPy")
def test_a_scan_has_the_field_and_the_noise_that_are_stated():
    volume = np.zeros((20, 30, 24))
    volume[2:-2, 3:-3, 4:-4] = 0.8
    inside = volume > 0
    clean = brain_data.scanned(volume, np.random.default_rng(0), noise=0.0)
    assert clean.dtype == np.float32
    np.testing.assert_allclose([clean[inside].min(), clean[inside].max()], [0.8 * 0.8, 0.8 * 1.2], rtol=1e-5)
    place = np.stack(np.meshgrid(*(np.arange(n) - n / 2 for n in volume.shape), indexing="ij"), -1)[inside]
    products = [place[:, i] * place[:, j] for i in range(3) for j in range(i + 1)]
    terms = np.stack([np.ones(len(place)), *place.T, *products], -1)
    fitted = terms @ np.linalg.lstsq(terms, clean[inside], rcond=None)[0]
    np.testing.assert_allclose(fitted, clean[inside], atol=1e-5)  # a quadratic

    noisy = brain_data.scanned(volume, np.random.default_rng(0))
    assert (noisy[~inside] == 0).all()
    assert (noisy - clean)[inside].std() == pytest.approx(0.03, rel=0.03)
    # Rician: E v^2 = true^2 + 2 sigma^2.
    assert np.mean(noisy[inside].astype(float) ** 2 - clean[inside] ** 2) == pytest.approx(2 * 0.03**2, abs=4e-4)
    assert not brain_data.scanned(np.zeros((2, 3, 4)), np.random.default_rng(0)).any()


@pytest.mark.host("cuts arrays with NumPy")
def test_tiles_and_masks_are_cut_at_one_place():
    rng = np.random.default_rng(0)
    x = (rng.random((3, 40, 40, 3)) > 0.5).astype("float32")
    tiles, masks = brain_data.augmented(x, {"grey": x[..., 1:2]}, np.random.default_rng(1), tile=16)
    assert tiles.shape == (3, 16, 16, 3)
    assert tiles.dtype == np.float32
    np.testing.assert_array_equal(tiles[..., 1:2] > 0, masks["grey"] > 0)


@pytest.mark.host("counts voxels with NumPy")
def test_the_best_thresholds_are_those_of_plain_loops():
    rng = np.random.default_rng(0)
    v = rng.random((6, 7))
    grey, white = v + rng.normal(0, 0.1, v.shape) > 0.4, v + rng.normal(0, 0.1, v.shape) > 0.75
    grey = grey & ~white
    levels = np.linspace(0.1, 0.9, 9)

    def dice(a, b):
        return 2 * (a & b).sum() / (a.sum() + b.sum())

    def score(pair):
        masks = segment(v, pair)
        return dice(masks["grey"], grey) + dice(masks["white"], white)

    assert best_thresholds(v, grey, white, levels) == max(itertools.combinations(levels.tolist(), 2), key=score)


@pytest.mark.host("filters an array with SciPy")
def test_evening_takes_a_shading_away_and_keeps_the_tissues():
    rng = np.random.default_rng(0)
    tissue = np.where(rng.random((40, 40)) > 0.5, 0.9, 0.6)
    tissue[:, :6] = 0
    shading = np.linspace(0.8, 1.2, 40)[:, None]
    found = evened(tissue * shading, 15)
    inner = np.s_[8:-8, 14:-8]
    assert np.abs(found - tissue)[inner].max() < 0.5 * np.abs(tissue * shading - tissue)[inner].max()
    assert not found[:, :6].any()
    # The mean of the brain in the window, by loops.
    cut = (tissue * shading)[13:28, 13:28]
    inside = tissue > 0
    expected = (tissue * shading)[20, 20] * (tissue * shading)[inside].mean() / cut.mean()
    assert found[20, 20] == pytest.approx(expected)
    assert evened(tissue, None) is tissue
