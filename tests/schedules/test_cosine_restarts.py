"""Cosine restarts against PyTorch's scheduler, the closed formula, and training."""

import math

import keras
import numpy as np
import pytest
import torch
from keras import ops

from kerasmith.schedules import CosineRestarts, Shifted


def rates(schedule, steps):
    return [float(ops.convert_to_numpy(schedule(step))) for step in range(steps)]


@pytest.mark.parametrize(("first", "factor"), [(7, 1), (5, 2), (3, 3), (1, 2)])
def test_equals_pytorch(first, factor):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, first, factor, eta_min=0.01)
    expected = []
    for _ in range(60):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    got = rates(CosineRestarts(first, factor, eta_max=0.3, eta_min=0.01), 60)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("factor", [1, 2])
def test_falling_peaks_equal_keras(factor):
    theirs = keras.optimizers.schedules.CosineDecayRestarts(0.4, 6, t_mul=factor, m_mul=0.7, alpha=0.05)
    ours = CosineRestarts(6, factor, eta_max=0.4, eta_min=0.05 * 0.4, peak_decay=0.7)
    starts = [6 * cycle for cycle in range(9)] if factor == 1 else [0, 6, 18, 42]
    got, expected = np.array(rates(ours, 50)), np.array(rates(theirs, 50))
    np.testing.assert_allclose(got[starts], 0.02 + 0.38 * 0.7 ** np.arange(len(starts)), rtol=1e-6)
    # At a restart the logarithm of Keras is a rounding away from the cycle before.
    np.testing.assert_allclose(np.delete(got, starts), np.delete(expected, starts), rtol=1e-4, atol=1e-6)
    late = ops.convert_to_tensor(2**30, "int32")  # cycle 178,956,970 of 6 steps, or 27 of doubling ones
    assert 0.0199999 < float(ours(late)) <= 0.02 + 0.38 * 0.7**27
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ours))
    assert again.peak_decay == 0.7
    assert rates(again, 20) == rates(ours, 20)


def test_falls_within_an_epoch_and_restarts_at_its_end():
    got = rates(CosineRestarts(T_0=2, eta_max=1.0, steps_per_epoch=50), 201)
    assert got[0] == got[100] == got[200] == 1.0
    assert got[99] < 1e-3
    assert np.all(np.diff(got[:100]) < 0)


def test_fractional_factor_keeps_whole_cycles():
    schedule = CosineRestarts(T_0=4, T_mult=1.5, eta_max=1.0)
    starts = [step for step, rate in enumerate(rates(schedule, 40)) if rate == 1.0]
    assert starts == [0, 4, 10, 19, 33]


def test_exact_at_a_late_restart():
    # 2**26 steps: beyond what a float32 step can count.
    schedule = CosineRestarts(T_0=1, T_mult=2, eta_max=1.0)
    for cycle in (20, 26, 29):
        start = 2**cycle - 1
        assert float(schedule(ops.convert_to_tensor(start, "int32"))) == 1.0
        assert float(schedule(ops.convert_to_tensor(start - 1, "int32"))) < 1e-6
    flat = CosineRestarts(T_0=1000, eta_max=1.0)
    step = 2**30 // 1000 * 1000
    assert float(flat(ops.convert_to_tensor(step, "int32"))) == 1.0
    np.testing.assert_allclose(
        float(flat(ops.convert_to_tensor(step + 1, "int32"))), (1 + math.cos(math.pi / 1000)) / 2, rtol=1e-6
    )


def test_warmup_rises_to_the_first_cycle():
    got = rates(CosineRestarts(T_0=10, eta_max=1.0, eta_min=0.2, warmup=3), 14)
    np.testing.assert_allclose(got[:4], [0.4, 0.6, 0.8, 1.0], rtol=1e-6)
    np.testing.assert_allclose(got[3:], rates(CosineRestarts(T_0=10, eta_max=1.0, eta_min=0.2), 11), rtol=1e-6)


@pytest.mark.parametrize("factor", [1, 2])
def test_trains_saves_and_resumes(tmp_path, factor):
    schedule = CosineRestarts(T_0=3, T_mult=factor, eta_max=0.5, warmup=2)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(schedule), "mse")
    x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
    model.fit(x, y, batch_size=2, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    expected = rates(schedule, 5)[4]
    assert float(ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(expected)
    assert float(ops.convert_to_numpy(again.optimizer.learning_rate)) == pytest.approx(expected)
    assert keras.saving.serialize_keras_object(schedule) == keras.saving.serialize_keras_object(
        keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    )


def test_shifted_starts_later():
    inner = CosineRestarts(T_0=5, eta_max=1.0)
    np.testing.assert_allclose(rates(Shifted(inner, 3), 12)[3:], rates(inner, 9), rtol=1e-6)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Shifted(inner, 3)))
    np.testing.assert_allclose(rates(again, 12), rates(Shifted(inner, 3), 12))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"T_0": 0}, "`T_0`"),
        ({"T_0": 5, "T_mult": 0.5}, "`T_mult`.*>= 1"),
        ({"T_0": 5, "eta_min": 1.0, "eta_max": 0.1}, "`eta_min` must not exceed"),
        ({"T_0": 5, "steps_per_epoch": 0}, "`steps_per_epoch`"),
        ({"T_0": 0.3}, "at least one step"),
        ({"T_0": 5, "peak_decay": 0.0}, "`peak_decay`"),
        ({"T_0": 5, "peak_decay": 1.5}, "`peak_decay`"),
    ],
)
def test_bad_input_is_named(config, message):
    with pytest.raises(ValueError, match=message):
        CosineRestarts(**config)
