"""Dynamic weight averaging against a run by hand over four epochs with validation in between, and against LibMTL."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Objective
from kerasmith.multitask import DWA
from tests.multitask.linear_tasks import JIT, NAMES, assert_weights, build, data, fit, losses, stepped, weights_of
from tests.oracles.multitask import libmtl_dwa

BATCH = 4
SIZES = (4, 4, 2)  # ten samples: the last batch weighs half


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


def trained(weights, x, y, validation, *, epochs, temperature, given, rate):
    """(weights, history) with the columns of the terms, their weights and the validation loss."""
    means, history = [], {}
    for epoch in range(epochs):
        factors = np.ones(3) if epoch < 2 else 3 * softmax(means[-1] / means[-2] / temperature)
        total = np.zeros(3)
        for start, size in zip((0, 4, 8), SIZES, strict=True):
            bx, by = x[start : start + size], {name: value[start : start + size] for name, value in y.items()}
            total += size * losses(weights, bx, by)
            weights = stepped(weights, bx, by, lambda g: g.sum(0), factors * given, rate)
        means.append(total / sum(SIZES))
        row = dict(zip(NAMES, means[-1], strict=True))
        row |= {f"{name}_weight": w for name, w in zip(NAMES, factors * given, strict=True)}
        row["val_loss"] = np.sum(factors * given * losses(weights, *validation))
        for key, value in row.items():
            history.setdefault(key, []).append(value)
    return weights, history


@pytest.mark.parametrize("jit", JIT)
def test_four_epochs(jit):
    x, y = data(10)
    validation = data(6, seed=9)
    given = np.array([1.0, 0.5, 2.0])
    model = build(DWA(temperature=0.7), weights=list(given), jit=jit, tap=None, rate=0.02)
    expected, history = trained(weights_of(model), x, y, validation, epochs=4, temperature=0.7, given=given, rate=0.02)
    assert np.ptp(history["a_weight"]) > 0.02
    got = fit(model, x, y, batch=BATCH, epochs=4, validation_data=validation, validation_batch_size=3)
    assert_weights(model, expected, 5e-5)
    for key, values in history.items():
        np.testing.assert_allclose(got[key], values, rtol=5e-5, err_msg=key)


def test_several_fits_and_a_saved_model_count_epochs_on(tmp_path):
    x, y = data(10)
    through, split = (build(DWA(), tap=None, rate=0.02) for _ in range(2))
    whole = fit(through, x, y, batch=BATCH, epochs=4)
    parts = fit(split, x, y, batch=BATCH)["a_weight"]
    split.evaluate(x, y, verbose=0)
    parts += fit(split, x, y, batch=BATCH)["a_weight"]
    split.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    parts += fit(loaded, x, y, batch=BATCH, epochs=2)["a_weight"]
    np.testing.assert_allclose(parts, whole["a_weight"], rtol=1e-6)
    assert parts[:2] == [1.0, 1.0]
    assert abs(parts[2] - 1.0) > 1e-3
    assert_weights(loaded, weights_of(through), 1e-6)


def factors_after(epochs, temperature=2.0):
    """(K,) factors in the first step after epochs of [(losses, samples), ...]."""
    balance = DWA(temperature)
    build(balance, count=len(epochs[0][0][0]), tap=None)
    for epoch in [*epochs, [(np.ones(len(epochs[0][0][0])), 1.0)]]:
        for i, (values, samples) in enumerate(epoch):
            balance.update_from_losses(
                ops.convert_to_tensor(np.asarray(values, "float32")),
                ops.convert_to_tensor(np.float32(samples)),
                ops.convert_to_tensor(i == 0),
            )
    return ops.convert_to_numpy(balance.factors())


def test_factors_are_libmtls():
    before, last = np.array([2.0, 1.0, 4.0]), np.array([1.0, 0.9, 5.0])
    got = factors_after([[(before, 8)], [(last, 8)]], 1.5)
    np.testing.assert_allclose(got, libmtl_dwa(last, before, 1.5), rtol=1e-6)


def test_batches_weigh_by_their_samples():
    got = factors_after([[([1.0, 1.0], 6), ([5.0, 1.0], 2)], [([1.0, 1.0], 8)]], 1.0)
    np.testing.assert_allclose(got, 2 * softmax(np.array([0.5, 1.0])), rtol=1e-6)


def test_one_epoch_is_not_enough():
    np.testing.assert_array_equal(factors_after([[([1.0, 2.0], 8)]]), [1.0, 1.0])


def test_a_loss_of_zero_counts_as_unchanged():
    got = factors_after([[([0.0, 2.0], 8)], [([3.0, 1.0], 8)]], 1.0)
    np.testing.assert_allclose(got, 2 * softmax(np.array([1.0, 0.5])), rtol=1e-6)
    np.testing.assert_allclose(factors_after([[([0.0, 0.0], 8)], [([0.0, 0.0], 8)]]), [1.0, 1.0], rtol=1e-6)


def test_an_explosion_takes_all_the_weight():
    np.testing.assert_allclose(factors_after([[([1e-30, 1.0], 8)], [([1e30, 1.0], 8)]]), [2.0, 0.0], atol=1e-6)


def test_a_batch_that_is_not_finite_is_not_counted():
    got = factors_after([[([np.inf, 9.0], 8), ([2.0, 1.0], 4)], [([1.0, 1.0], 4), ([np.nan, 7.0], 8)]], 1.0)
    np.testing.assert_allclose(got, 2 * softmax(np.array([0.5, 1.0])), rtol=1e-6)


def test_mixed_precision_is_near():
    x, y = data(10)
    plain = build(DWA(), tap=None, rate=0.02)
    half = build(DWA(), tap=None, dtype="mixed_float16")
    half.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.02), initial_scale=1024.0), half.objective)
    one, other = (fit(model, x, y, batch=BATCH, epochs=3) for model in (plain, half))
    np.testing.assert_allclose(other["a_weight"], one["a_weight"], rtol=5e-3)


def test_arguments_survive():
    objective = Objective({"a": "mse", "b": "mse"}, balance=DWA(temperature=0.5))
    assert Objective.from_config(objective.get_config()).balance.get_config() == {"temperature": 0.5}


@pytest.mark.parametrize(
    ("temperature", "problem"), [(0, ValueError), (-1.0, ValueError), (np.inf, ValueError), ("2", TypeError)]
)
def test_bad_arguments(temperature, problem):
    with pytest.raises(problem, match="`temperature` must be"):
        DWA(temperature)
