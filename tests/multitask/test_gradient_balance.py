"""Training on an equation and its conditions under `GradientBalance`, beside a loop by hand in PyTorch."""

import keras
import numpy as np
import pytest
import torch
from keras import ops

from kerasmith import Model, Objective, Term
from kerasmith.multitask import GradientBalance
from kerasmith.multitask.gradient_balance import balanced
from kerasmith.physics import Condition, Residual, Unknown
from tests.multitask.linear_tasks import JIT

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (12, 2)).astype("float32")
START = np.stack([np.linspace(-1, 1, 5), np.zeros(5)], -1).astype("float32")
WALL = np.stack([np.ones(4), np.linspace(0, 1, 4)], -1).astype("float32")
RATE, DECAY = 0.003, 0.6


@keras.saving.register_keras_serializable("tests")
def flow(f, nu):
    return f.d("t") + f.u * f.d("x") - nu * f.d("xx")


@keras.saving.register_keras_serializable("tests")
def bump(p):
    return 2 * np.sin(np.pi * p[:, 0])


def build(statistic, **how):
    inputs = keras.Input((2,))
    model = Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(6, activation="tanh")(inputs)))
    rng = np.random.default_rng(4)
    model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    terms = [
        Condition(WALL, 0.5, name="wall", weight=3.0),
        Residual(flow),
        Condition(START, bump, kind="initial", names="xt"),
        Unknown(0.3, "nu"),
    ]
    reference = "flow" if statistic == "max_mean" else None
    objective = Objective(terms, balance=GradientBalance(statistic, reference, decay=DECAY))
    model.compile(keras.optimizers.SGD(RATE), objective, **how)
    return model


def by_hand(model, statistic, steps):
    """(weights, factors before each step and after the last) in float64."""
    w = [torch.tensor(ops.convert_to_numpy(v).astype("float64"), requires_grad=True) for v in model.layers[1].weights]
    w += [torch.tensor(ops.convert_to_numpy(v).astype("float64"), requires_grad=True) for v in model.layers[2].weights]
    nu = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    u = lambda p: (torch.tanh(p @ w[0] + w[1]) @ w[2] + w[3])[:, 0]  # noqa: E731
    start, wall = torch.tensor(START, dtype=torch.float64), torch.tensor(WALL, dtype=torch.float64)
    factors, seen = torch.ones(3, dtype=torch.float64), []
    for _ in range(steps):
        x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
        value = u(x)
        (first,) = torch.autograd.grad(value.sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first[:, 0].sum(), x, create_graph=True)
        terms = [
            3 * ((u(wall) - 0.5) ** 2).mean(),
            ((first[:, 1] + value * first[:, 0] - nu * second[:, 0]) ** 2).mean(),
            ((u(start) - torch.tensor(bump(START.astype("float64")))) ** 2).mean(),
        ]
        flat = [
            torch.cat([g.flatten() for g in torch.autograd.grad(term, w, retain_graph=True, materialize_grads=True)])
            for term in terms
        ]
        total = sum(f * term for f, term in zip(factors, terms, strict=True))
        moves = torch.autograd.grad(total, [*w, nu])
        seen.append(factors.numpy())
        if statistic == "norm":
            lengths = torch.stack([g.norm() for g in flat])
            asked = lengths.sum() / lengths
        else:
            asked = flat[1].abs().max() / torch.stack([g.abs().mean() for g in flat])
            asked[1] = 1.0
        factors = DECAY * factors + (1 - DECAY) * asked
        with torch.no_grad():
            for v, move in zip([*w, nu], moves, strict=True):
                v -= RATE * move
    return [v.detach().numpy() for v in [*w, nu]], [*seen, factors.numpy()]


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("statistic", ["norm", "max_mean"])
def test_steps_saved_and_loaded_beside_a_loop_by_hand(statistic, jit, tmp_path):
    model = build(statistic, jit_compile=jit)
    expected, factors = by_hand(model, statistic, 6)
    assert np.abs(factors[-1] - 1).max() > 0.5
    history = model.fit(X, batch_size=12, epochs=3, verbose=0).history
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    later = loaded.fit(X, batch_size=12, epochs=3, verbose=0).history
    for k, (name, weight) in enumerate([("wall", 3.0), ("flow", 1.0), ("initial", 1.0)]):
        shown = [*history[f"{name}_weight"], *later[f"{name}_weight"]]
        np.testing.assert_allclose(shown, [weight * f[k] for f in factors[:-1]], rtol=2e-5)
    np.testing.assert_allclose(loaded.objective.balance.weights, factors[-1], rtol=2e-5)
    found = [ops.convert_to_numpy(v) for v in loaded.trainable_variables]
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


def tensors(*rows):
    return [[ops.convert_to_tensor(np.asarray(part, "float32")) for part in row] for row in rows]


def test_statistics_of_given_gradients():
    given = tensors([[[3.0, 0.0]], [-4.0]], [[[2.0, 0.0]], [0.0]], [[[0.0, 0.0]], [0.0]])
    factors = ops.convert_to_tensor([1.0, 2.0, 1.0])
    # Lengths 5, 2 / 2 and 0; the third has none to divide by.
    np.testing.assert_allclose(balanced(given, factors, "norm", 0), [6 / 5, 6, 0], rtol=1e-6)
    # Means 7 / 3 and 1 / 3, the largest of the first 4.
    np.testing.assert_allclose(balanced(given, factors, "max_mean", 0), [12 / 7, 12, 0], rtol=1e-6)
    tiny = tensors([[3e-30, 4e-30]], [[1e-30, 0.0]])
    np.testing.assert_allclose(balanced(tiny, ops.ones((2,)), "norm", 0), [1.2, 6], rtol=1e-5)


def test_a_broken_step_and_a_term_without_gradient_change_nothing():
    model = build("norm")
    balance = model.objective.balance
    for broken in (np.nan, np.inf):
        balance.update_from_weight_gradients(tensors([[1.0]], [[broken]], [[2.0]]))
        np.testing.assert_array_equal(balance.weights, 1.0)
    balance.update_from_weight_gradients([[], [], []])  # of a model that is frozen
    np.testing.assert_array_equal(balance.weights, 1.0)
    balance.update_from_weight_gradients(tensors([[1.0]], [[0.0]], [[3.0]]))
    np.testing.assert_allclose(balance.weights, [0.6 + 0.4 * 4, 1.0, 0.6 + 0.4 * 4 / 3], rtol=1e-6)


def test_an_embedding_has_a_weight_as_any_layer():
    keras.utils.set_random_seed(0)
    ids, y = np.arange(12)[:, None] % 5, np.arange(12.0)[:, None] / 12
    inputs = keras.Input((1,), dtype="int32")
    hidden = keras.layers.Flatten()(keras.layers.Embedding(5, 3)(inputs))
    model = Model(inputs, {name: keras.layers.Dense(1, name=name)(hidden) for name in "ab"})
    terms = [Term(keras.losses.MeanSquaredError(), name=name, output=name) for name in "ab"]
    model.compile("sgd", Objective(terms, balance=GradientBalance()), run_eagerly=True)
    history = model.fit(ids, {"a": y, "b": 10 * y}, epochs=2, batch_size=6, verbose=0).history
    assert history["a_weight"][-1] > history["b_weight"][-1] > 0


@pytest.mark.host("arguments are read before any tensor")
@pytest.mark.parametrize(
    ("arguments", "problem", "message"),
    [
        ({"statistic": "mean"}, ValueError, "max_mean"),
        ({"decay": 1.0}, ValueError, "`decay` must be below 1"),
        ({"decay": -0.1}, ValueError, "`decay`"),
        ({"reference": 3, "statistic": "max_mean"}, TypeError, "`reference` must be the name of a term"),
        ({"reference": "flow"}, ValueError, "takes no reference"),
    ],
)
def test_bad_arguments(arguments, problem, message):
    with pytest.raises(problem, match=message):
        GradientBalance(**arguments)


@pytest.mark.host("names are compared before any tensor")
def test_an_unknown_reference():
    model = Model(inputs := keras.Input((3,)), keras.layers.Dense(1)(inputs))
    with pytest.raises(ValueError, match=r"The terms are: a, b\. Received: 'c'"):
        model.compile("sgd", Objective({"a": "mse", "b": "mae"}, balance=GradientBalance("max_mean", "c")))
