import io
import json

import keras
import numpy as np
import pytest
from rich.console import Console

from kerasmith.cli import main
from kerasmith.recipes import defects, defects_network, verification
from kerasmith.recipes.boards import KINDS, make_boards
from kerasmith.recipes.fault_counts import count_faults

pytestmark = pytest.mark.host("the recipe is the same on every backend; its parts have tests of their own")


@pytest.mark.heavy("trains three networks with a ResNet50 inside", seconds=30)
def test_a_short_run_writes_the_whole_run_directory_and_goes_on(tmp_path, monkeypatch):
    for name, value in {"TRAINING": 18, "TUNING": 4, "TEST": 6, "BATCH": 3}.items():
        monkeypatch.setattr(defects, name, value)
    text, out = io.StringIO(), tmp_path / "run"

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(defects, "judged", interrupted)  # after the first of three trainings
        with pytest.raises(KeyboardInterrupt):
            defects.run(out=out, epochs=1, seed=1)
    summary = defects.run(out=out, epochs=1, seed=1, console=Console(file=text, width=100))
    assert "goes on with the interrupted run" in text.getvalue()
    for name in ("report.html", "history.csv", "model.keras", "summary.json"):
        assert (out / name).stat().st_size > 0, name
    saved = json.loads((out / "summary.json").read_text())
    test = make_boards(6, size=defects.SIZE, seed=5)
    for training in ("this_run", "without_edges", "plain_cross-entropy"):
        assert saved[training] == json.loads(json.dumps(summary[training]))
        row = saved[training]["kinds"]["all"]
        assert row["true"] == row["found"] + row["missed"] == test.faults.max(axis=(1, 2)).sum()
    page = (out / "report.html").read_text()
    for word in (
        "made",
        "spurious copper",
        "invented",
        "without edges",
        "plain cross-entropy",
        "minimum_area",
        "connectivity",
    ):
        assert word in page, word
    assert not (out / "checkpoints").exists()
    model = keras.saving.load_model(out / "model.keras")
    mask, kinds = defects.predict(model, test.images)
    counts = count_faults(test.kinds, test.faults, mask > saved["this_run"]["threshold"], kinds, len(KINDS))
    assert counts.f1 == pytest.approx(saved["this_run"]["f1"])
    verdict = io.StringIO()
    assert verification.verify(out, Console(file=verdict)) == 0, verdict.getvalue()
    with pytest.raises(ValueError, match="overwrite"):
        defects.run(out=out, epochs=1)


def test_weights_that_are_none_are_refused_before_a_directory_is_made(tmp_path, monkeypatch, capsys):
    # The file is asked for before the network is built.
    monkeypatch.setattr(
        keras.applications, "ResNet50", lambda **_: keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
    )
    wrong = tmp_path / "wrong.weights.h5"
    wrong.write_text("no weights")
    for path, words in ((tmp_path / "nothing.h5", "which is no file"), (wrong, "cannot load into it")):
        with pytest.raises(ValueError, match=words):
            defects_network.network(6, weights=path)
        with pytest.raises(ValueError, match=words):
            defects.run(out=tmp_path / "run", weights=path)
    assert not (tmp_path / "run").exists()
    assert main(["demo", "nuclei", "--weights", str(wrong), "--backend", keras.backend.backend()]) == 2
    assert "defects" in capsys.readouterr().err


def test_faults_are_counted_by_kind():
    kinds = np.zeros((2, 6, 20), int)
    kinds[0, 1:3, 1:5], kinds[0, 1:3, 10:14], kinds[1, 2:4, 2:8] = 1, 2, 2
    faults = np.where(kinds == 2, 2, kinds)
    faults[1] = faults[1] > 0
    predicted, names = np.zeros((2, 6, 20), bool), np.zeros((2, 6, 20), int)
    predicted[0, 1:3, 1:3] = True  # half of the first, with its kind
    predicted[0, 2, 12] = True  # one pixel of the second: smaller than a predicted fault can be
    predicted[1, 2:4, 2:8] = True  # all of the third, with another kind
    predicted[1, 0:2, 12:16], names[1, 0:2, 12:16] = True, 1  # nothing there
    counts = count_faults(kinds, faults, predicted, names, 2)
    assert counts.rows(("open", "short")) == [
        {"kind of fault": "open", "true": 1, "found": 1, "named right": 1, "missed": 0, "invented": 0},
        {"kind of fault": "short", "true": 2, "found": 1, "named right": 0, "missed": 1, "invented": 1},
        {"kind of fault": "all", "true": 3, "found": 2, "named right": 1, "missed": 1, "invented": 1},
    ]
    assert counts.f1 == pytest.approx(4 / 6)
    nothing = np.zeros((1, 4, 4), int)
    assert np.isnan(count_faults(nothing, nothing, nothing > 0, nothing, 2).f1)
