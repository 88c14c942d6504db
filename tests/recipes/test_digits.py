import io
import itertools
import json

import keras
import numpy as np
import pytest
from rich.console import Console

from kerasmith.recipes import digits, digits_data, verification
from tests.support import fresh_process

FILES = ("report.html", "history.csv", "model.keras", "summary.json")


@pytest.mark.heavy("trains the network of the demo", seconds=12)
def test_a_short_run_writes_the_whole_run_directory(tmp_path, monkeypatch):
    x, y = digits_data.load()
    monkeypatch.setattr(digits_data, "load", lambda: (x[::5], y[::5]))
    monkeypatch.setattr(digits, "WIDTHS", (4,))
    monkeypatch.setattr(digits_data.split, "__defaults__", (20,))
    text, out = io.StringIO(), tmp_path / "run"
    summary = digits.run(out=out, epochs=1, console=Console(file=text, width=100))
    for name in FILES:
        assert (out / name).stat().st_size > 0, name
    assert not (out / "checkpoints").exists()
    saved = json.loads((out / "summary.json").read_text())
    assert saved["accuracy"] == pytest.approx(summary["accuracy"])
    assert saved["accuracy_low"] <= saved["accuracy"] <= saved["accuracy_high"]
    forms = list(saved["loss_of_the_forms"].values())
    assert forms == pytest.approx([forms[0]] * 3, rel=1e-6)
    assert saved["difference_after_loading"] == 0
    assert "true_positives" in (out / "history.csv").read_text()
    page = (out / "report.html").read_text()
    for word in ("Confusion of held-out digits", "The surest mistakes", "3 nearest digits", "as a closure"):
        assert word in page, word
    assert "3 nearest digits" in text.getvalue()
    verdict = io.StringIO()
    assert verification.verify(out, Console(file=verdict)) == 0, verdict.getvalue()

    _, test = digits_data.split(x[::5], y[::5])
    np.save(tmp_path / "x.npy", test[0])
    code = (
        "import keras, numpy as np\n"
        "import kerasmith.recipes.digits_loss\n"
        f"model = keras.saving.load_model({str(out / 'model.keras')!r})\n"
        f"np.save({str(tmp_path / 'p.npy')!r}, model.predict(np.load({str(tmp_path / 'x.npy')!r}), verbose=0))\n"
        "assert type(model.loss).__name__ == 'Smoothed' and model.loss.smoothing == 0.1\n"
    )
    fresh_process.run(code)
    predicted = np.load(tmp_path / "p.npy").argmax(1)
    assert (predicted == test[1]).mean() == pytest.approx(saved["accuracy"], abs=1e-6)


@pytest.mark.heavy("imports TensorFlow beside the backend", on=("jax", "torch"), seconds=5)
def test_the_batches_are_those_of_the_seed():
    x, y = np.arange(10)[:, None], np.arange(10)
    first, again, other = (
        [batch[1].numpy().tolist() for batch in digits_data.batches(x, y, batch_size=3, epochs=2, seed=seed)]
        for seed in (0, 0, 1)
    )
    assert first == again != other
    assert len(first) == 6
    assert all(len(set(itertools.chain(*epoch))) == 9 for epoch in (first[:3], first[3:]))


@pytest.mark.host("reads a file of numbers")
def test_the_digits_and_their_split():
    x, y = digits_data.load()
    assert x.shape == (5000, 28, 28, 1)
    assert x.min() == 0
    assert x.max() == 1
    np.testing.assert_array_equal(np.bincount(y), [500] * 10)
    train, test = digits_data.split(np.arange(5000), y)
    assert sorted([*train[0], *test[0]]) == list(range(5000))
    np.testing.assert_array_equal(np.bincount(test[1]), [100] * 10)


@pytest.mark.host("compares pixels with NumPy")
def test_the_nearest_digits_are_those_of_scikit_learn():
    neighbours = pytest.importorskip("sklearn.neighbors")
    rng = np.random.default_rng(0)
    train, asked = (rng.normal(size=(200, 3, 3, 1)), rng.integers(0, 4, 200)), rng.normal(size=(50, 3, 3, 1))
    for k in (1, 3):
        found = digits_data.nearest_digits(train, asked, k)
        known = neighbours.KNeighborsClassifier(k).fit(train[0].reshape(200, -1), train[1])
        votes = known.predict_proba(asked.reshape(50, -1))
        decided = (votes == votes.max(1, keepdims=True)).sum(1) == 1
        assert decided.sum() > 25
        np.testing.assert_array_equal(found[decided], known.predict(asked.reshape(50, -1))[decided])


def test_the_three_forms_are_cross_entropy_of_smoothed_labels():
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(5), 7).astype("float32")
    y = rng.integers(0, 5, 7)
    expected = keras.ops.convert_to_numpy(
        keras.losses.categorical_crossentropy(np.eye(5, dtype="float32")[y], p, label_smoothing=0.1)
    ).mean()
    for form, loss in digits.three_forms().items():
        assert float(loss(y, p)) == pytest.approx(float(expected), rel=1e-5), form
