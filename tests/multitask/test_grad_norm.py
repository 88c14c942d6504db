"""Factors of GradNorm step by step against a run by hand, and their gradient against autograd of the paper's loss."""

import keras
import numpy as np
import pytest
import torch
from keras import ops

from kerasmith import Objective
from kerasmith.multitask import GradNorm
from tests.multitask.linear_tasks import (
    JIT,
    NAMES,
    assert_weights,
    build,
    data,
    fit,
    gradients_at_tap,
    losses,
    stepped,
    weights_of,
)


def next_factors(factors, lengths, now, first, alpha, rate):
    """One step on sum_k |w_k n_k - target_k|, n_k the gradients' lengths without factors, differentiated by PyTorch."""
    w = torch.tensor(factors, dtype=torch.float64, requires_grad=True)
    scaled = w * torch.tensor(lengths, dtype=torch.float64)
    progress = now / first
    target = scaled.detach().mean() * torch.tensor((progress / progress.mean()) ** alpha)
    (scaled - target).abs().sum().backward()
    moved = np.maximum(factors - rate * w.grad.numpy(), 1e-3)
    return moved * len(factors) / moved.sum()


def trained(weights, x, y, *, steps, batch, given, alpha, rate, sgd):
    """(weights, [(K,) factors of each step, and those left behind])."""
    factors, first, seen = np.ones(len(weights) - 1), None, []
    for step in range(steps):
        part = slice(step * batch % len(x), step * batch % len(x) + batch)
        bx, by = x[part], {name: value[part] for name, value in y.items()}
        now = losses(weights, bx, by)
        first = now if first is None else first
        lengths = np.linalg.norm(gradients_at_tap(weights, bx, by), axis=1) * given
        seen.append(factors)
        weights = stepped(weights, bx, by, lambda g: g.sum(0), factors * given, sgd)
        factors = next_factors(factors, lengths, now, first, alpha, rate)
    return weights, [*seen, factors]


def factors_of(model):
    return ops.convert_to_numpy(model.objective.balance.weights)


@pytest.mark.parametrize("jit", JIT)
def test_two_epochs(jit):
    x, y = data(12)
    given = np.array([1.0, 0.5, 2.0])
    model = build(GradNorm(alpha=1.5, learning_rate=0.05), weights=list(given), jit=jit, rate=0.02)
    expected, factors = trained(weights_of(model), x, y, steps=4, batch=6, given=given, alpha=1.5, rate=0.05, sgd=0.02)
    assert np.abs(factors[-1] - 1).max() > 0.1
    history = fit(model, x, y, batch=6, epochs=2)
    assert_weights(model, expected)
    np.testing.assert_allclose(factors_of(model), factors[-1], rtol=2e-5)
    for k, name in enumerate(NAMES):
        shown = [given[k] * np.mean([f[k] for f in factors[start : start + 2]]) for start in (0, 2)]
        np.testing.assert_allclose(history[f"{name}_weight"], shown, rtol=2e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 3.0])
def test_one_step_moves_the_factors_and_the_next_uses_them(alpha):
    x, y = data(count=2)
    model = build(GradNorm(alpha, 0.3, at="shared"), count=2, rate=0.02)
    expected, factors = trained(weights_of(model), x, y, steps=2, batch=8, given=1.0, alpha=alpha, rate=0.3, sgd=0.02)
    fit(model, x, y, epochs=2)
    assert_weights(model, expected)
    np.testing.assert_allclose(factors_of(model), factors[-1], rtol=2e-5)


def test_evaluation_uses_the_factors_and_leaves_them():
    x, y = data()
    model = build(GradNorm(learning_rate=0.2))
    fit(model, x, y)
    left = factors_of(model)
    report = model.evaluate(x, y, verbose=0, return_dict=True)
    np.testing.assert_allclose(report["loss"], sum(f * report[name] for f, name in zip(left, NAMES, strict=True)), rtol=1e-6)
    np.testing.assert_allclose([report[f"{name}_weight"] for name in NAMES], left, rtol=1e-6)
    np.testing.assert_array_equal(factors_of(model), left)


def test_a_large_step_keeps_factors_positive():
    x, y = data()
    model = build(GradNorm(learning_rate=1e4), rate=1e-3)
    fit(model, x, y, epochs=3)
    got = factors_of(model)
    assert np.isfinite(got).all()
    assert (got > 0).all()
    assert got.sum() == pytest.approx(3, rel=1e-6)


def factors_after(balance, values, first, gram):
    """The factors after one step with these losses and inner products of gradients, and a first step with others."""
    model = build(balance)
    for row in (first, values):
        balance.update_from_losses(ops.convert_to_tensor(np.asarray(row, "float32")), ops.convert_to_tensor(8.0), True)
    balance.update_from_gradients(ops.convert_to_tensor(np.asarray(gram, "float32")))
    return factors_of(model)


def test_a_first_loss_of_zero_counts_as_no_progress():
    got = factors_after(GradNorm(1.0, 0.1), [0.5, 2.0, 3.0], [1.0, 0.0, 2.0], np.diag([1.0, 4.0, 9.0]))
    # Progress 0.5, 1 and 1.5; mean length 2; targets 1, 2 and 3: all hold already.
    np.testing.assert_allclose(got, 1.0, rtol=1e-6)


def test_losses_and_gradients_that_are_all_zero():
    np.testing.assert_allclose(factors_after(GradNorm(), [0.0] * 3, [0.0] * 3, np.zeros((3, 3))), 1.0, rtol=1e-6)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_broken_step_changes_nothing(broken):
    balance = GradNorm(1.0, 0.1)
    assert (factors_after(balance, [1.0, broken, 1.0], [1.0, 1.0, 1.0], np.diag([1.0, 4.0, 9.0])) == 1.0).all()
    balance = GradNorm(1.0, 0.1)
    assert (factors_after(balance, [1.0, 1.0, 1.0], [1.0, 1.0, 1.0], np.diag([1.0, broken, 9.0])) == 1.0).all()


def test_the_first_losses_are_those_of_the_first_finite_step():
    balance = GradNorm()
    build(balance)
    for row in ([np.nan, 1.0, 1.0], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]):
        balance.update_from_losses(ops.convert_to_tensor(np.asarray(row, "float32")), ops.convert_to_tensor(8.0), False)
    np.testing.assert_array_equal(ops.convert_to_numpy(balance.first), [1.0, 2.0, 3.0])


def test_mixed_precision_is_near():
    x, y = data()
    plain = build(GradNorm(learning_rate=0.05), rate=0.02)
    half = build(GradNorm(learning_rate=0.05), dtype="mixed_float16")
    half.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.02), initial_scale=1024.0), half.objective)
    for model in (plain, half):
        fit(model, x, y, epochs=2)
    np.testing.assert_allclose(factors_of(half), factors_of(plain), rtol=0.02)
    for got, expected in zip(weights_of(half), weights_of(plain), strict=True):
        np.testing.assert_allclose(got, expected, atol=0.02 * np.abs(expected).max())


def test_training_goes_on_after_loading(tmp_path):
    x, y = data(16)
    through, halfway = (build(GradNorm(learning_rate=0.05), rate=0.02) for _ in range(2))
    fit(through, x, y, batch=4, epochs=2)
    fit(halfway, x, y, batch=4)
    halfway.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(factors_of(loaded), factors_of(halfway))
    fit(loaded, x, y, batch=4)
    assert_weights(loaded, weights_of(through), 1e-6)
    np.testing.assert_allclose(factors_of(loaded), factors_of(through), rtol=1e-6)


def test_arguments_survive():
    balance = GradNorm(0.5, 0.1, ["one", "two"])
    assert balance.get_config() == {"alpha": 0.5, "learning_rate": 0.1, "at": ["one", "two"]}
    again = Objective.from_config(Objective({"a": "mse", "b": "mse"}, balance=balance).get_config()).balance
    assert again.get_config() == balance.get_config()


@pytest.mark.parametrize(
    ("arguments", "problem", "message"),
    [
        ({"alpha": -1}, ValueError, "`alpha` must be finite and >= 0"),
        ({"learning_rate": 0}, ValueError, "`learning_rate` must be finite and > 0"),
        ({"alpha": None}, TypeError, "`alpha` must be a number"),
        ({"at": [1]}, TypeError, "`at` must be the name of a Tap"),
    ],
)
def test_bad_arguments(arguments, problem, message):
    with pytest.raises(problem, match=message):
        GradNorm(**arguments)


def test_no_tap():
    with pytest.raises(ValueError, match=r"GradNorm\(at='shared'\).*taps: none"):
        fit(build(GradNorm(), tap=None), *data())
