"""Callbacks beside two optimizers: each finds the one that is meant, and those that only watch change nothing."""

import numpy as np

from kerasmith.callbacks import (
    GradientHealth,
    LiveProgress,
    NumericsGuard,
    RunReport,
    ScheduleLR,
    TopKCheckpoints,
    WeightAveraging,
)
from kerasmith.schedules import CosineRestarts
from tests.adversarial.networks import BACKEND, Y, everything, values


def fit(model, *callbacks, data=Y):
    return model.fit(
        data, batch_size=5, epochs=2, shuffle=False, verbose=0, validation_data=(Y[:5],), callbacks=list(callbacks)
    ).history


def test_watchers_change_nothing(tmp_path, capsys):
    plain, other = everything(), everything()
    expected = fit(plain)
    watchers = NumericsGuard(), GradientHealth(every=1), LiveProgress(), RunReport(tmp_path / "run")
    history = fit(other, *watchers, TopKCheckpoints(tmp_path / "best", monitor="val_generator"))
    # TensorFlow traces a step that is watched with the sizes of the batch, and rounds in another way.
    for name, numbers in expected.items():
        np.testing.assert_allclose(history[name], numbers, rtol=1e-4 if BACKEND == "tensorflow" else 0, err_msg=name)
    for one, two in zip(values(plain), values(other), strict=True):
        assert one.tobytes() == two.tobytes() or BACKEND == "tensorflow"
    said = capsys.readouterr().out
    assert "more than one update with `model.optimizer` (it has generator_optimizer, discriminator_optimizer)" in said
    page = (tmp_path / "run" / "report.html").read_text()
    assert all(name in page for name in ("gradient_penalty", "generator_optimizer", "discriminator_optimizer"))


def test_those_that_act_find_the_right_optimizer(capsys):
    model = everything()
    history = fit(model, ScheduleLR(CosineRestarts(T_0=4, eta_max=0.01), optimizer="generator_optimizer"))
    np.testing.assert_allclose(history["learning_rate"], [0.005, 0.01 * (1 + np.cos(np.pi / 4)) / 2], rtol=1e-5)
    assert float(model.discriminator_optimizer.learning_rate) == np.float32(0.003)
    model = everything(ema=None)
    fit(model, WeightAveraging(decay=0.5))
    wrong = Y.copy()
    wrong[7] = np.nan
    model = everything()
    fit(model, NumericsGuard(), data=wrong)
    assert "'x' of the batch has values that are not finite (sample 2)" in capsys.readouterr().out
    assert all(np.isfinite(value).all() for value in values(model))
