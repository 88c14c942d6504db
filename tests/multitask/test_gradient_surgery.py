"""One training step with combined gradients against a step by hand; options, precision, saving, bad input."""

import keras
import numpy as np
import pytest

from kerasmith import Model, Objective, Tap
from kerasmith.multitask import GradientSurgery
from kerasmith.multitask.gradient_surgery import random_orders
from tests.multitask.linear_tasks import JIT, assert_weights, build, data, fit, stepped, weights_of
from tests.oracles import multitask as oracle

ORACLES = {
    "pcgrad": lambda g, step=0, seed=5: oracle.pcgrad(g, random_orders(seed, len(g))[step]),
    "cagrad": lambda g: oracle.cagrad(g, 0.5),
    "imtl": oracle.imtl,
    "nash": oracle.nash,
}


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("method", ORACLES)
def test_one_step(method, jit):
    x, y = data()
    weights = [1.0, 0.5, 2.0]
    model = build(GradientSurgery(method, seed=5), weights=weights, jit=jit)
    before = weights_of(model)
    expected = stepped(before, x, y, ORACLES[method], weights)
    plain = stepped(before, x, y, lambda g: g.sum(0), weights)
    assert np.abs(expected[0] - plain[0]).max() > 1e-2, "the method must matter here"
    history = fit(model, x, y)
    assert_weights(model, expected)
    assert set(history) == {"loss", "a", "b", "c"}, "no columns for weights that are not any"


@pytest.mark.parametrize("method", ORACLES)
def test_two_tasks(method):
    x, y = data(count=2)
    model = build(GradientSurgery(method, at="shared", seed=5), count=2)
    expected = stepped(weights_of(model), x, y, ORACLES[method])
    fit(model, x, y)
    assert_weights(model, expected)


def test_the_loss_is_the_weighted_sum_and_evaluation_changes_nothing():
    x, y = data()
    model = build(GradientSurgery("pcgrad", seed=5), weights=[1.0, 0.5, 2.0])
    before = weights_of(model)
    report = model.evaluate(x, y, verbose=0, return_dict=True)
    np.testing.assert_allclose(report["loss"], report["a"] + 0.5 * report["b"] + 2 * report["c"], rtol=1e-6)
    assert_weights(model, before, 0)
    assert fit(model, x, y)["loss"][0] == pytest.approx(report["loss"], rel=1e-6)


def test_every_step_takes_the_next_order():
    x, y = data()
    model = build(GradientSurgery("pcgrad", seed=5), rate=0.01)
    expected = weights_of(model)
    for step in range(3):
        expected = stepped(expected, x, y, lambda g: ORACLES["pcgrad"](g, step), rate=0.01)  # noqa: B023
    fit(model, x, y, epochs=3)
    assert_weights(model, expected, 5e-5)


def test_orders_are_permutations_of_every_kind():
    orders = random_orders(0, 3)
    assert orders.shape == (256, 3, 3)
    np.testing.assert_array_equal(np.sort(orders, axis=-1), np.broadcast_to(np.arange(3), orders.shape))
    for task in range(3):
        counts = np.unique(orders[:, task], axis=0, return_counts=True)[1]
        assert len(counts) == 6
        assert counts.min() > 20
    assert (orders[:, 0] != orders[:, 1]).any()


def test_the_seed_follows_keras_and_is_saved():
    keras.utils.set_random_seed(3)
    first, other = GradientSurgery(), GradientSurgery()
    keras.utils.set_random_seed(3)
    assert GradientSurgery().seed == first.seed != other.seed
    config = first.get_config()
    assert config == {"method": "pcgrad", "at": None, "c": 0.5, "seed": first.seed}
    assert GradientSurgery.from_config(config).seed == first.seed


def test_cagrad_goes_as_far_as_it_is_told():
    x, y = data()
    model = build(GradientSurgery("cagrad", c=0.2))
    expected = stepped(weights_of(model), x, y, lambda g: oracle.cagrad(g, 0.2))
    fit(model, x, y)
    assert_weights(model, expected)


def test_two_taps_make_one_representation():
    x, y = data(count=2)
    inputs = keras.Input((3,))
    left, right = (Tap(f"{s}_tap")(keras.layers.Dense(2, use_bias=False, name=s)(inputs)) for s in ("left", "right"))
    both = keras.layers.Concatenate()([left, right])
    model = Model(inputs, {name: keras.layers.Dense(1, use_bias=False, name=name)(both) for name in ("a", "b")})
    rng = np.random.default_rng(1)
    trunk, *heads = (rng.normal(size=shape).astype("float32") for shape in ((3, 4), (4, 1), (4, 1)))
    for name, kernel in {"left": trunk[:, :2], "right": trunk[:, 2:], "a": heads[0], "b": heads[1]}.items():
        model.get_layer(name).set_weights([kernel])
    surgery = GradientSurgery("imtl", at=["left_tap", "right_tap"])
    model.compile(keras.optimizers.SGD(0.1), Objective({"a": "mse", "b": "mse"}, balance=surgery))
    fit(model, x, y)
    expected = stepped([trunk.astype("float64"), *heads], x, y, oracle.imtl)
    got = np.concatenate([model.get_layer("left").get_weights()[0], model.get_layer("right").get_weights()[0]], axis=1)
    np.testing.assert_allclose(got, expected[0], rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("method", ORACLES)
def test_mixed_precision_is_near(method):
    x, y = data()
    plain = build(GradientSurgery(method, seed=5))
    half = build(GradientSurgery(method, seed=5), dtype="mixed_float16")
    half.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=1024.0), half.objective)
    for model in (plain, half):
        fit(model, x, y)
    for got, expected in zip(weights_of(half), weights_of(plain), strict=True):
        np.testing.assert_allclose(got, expected, atol=0.02 * np.abs(expected).max())


def test_training_goes_on_after_loading(tmp_path):
    x, y = data(16)
    through = build(GradientSurgery("pcgrad"), rate=0.01)
    halfway = build(GradientSurgery("pcgrad", seed=through.objective.balance.seed), rate=0.01)
    fit(through, x, y, batch=4, epochs=2)
    fit(halfway, x, y, batch=4)
    halfway.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.objective.balance.seed == through.objective.balance.seed
    fit(loaded, x, y, batch=4)
    assert_weights(loaded, weights_of(through), 1e-6)


# --- bad input ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "problem", "message"),
    [
        (
            {"method": "mgda"},
            ValueError,
            "`method` must be one of 'pcgrad', 'cagrad', 'imtl', 'nash'. Received: method='mgda'",
        ),
        ({"c": -0.1}, ValueError, "`c` must be finite and >= 0"),
        ({"c": "0.5"}, TypeError, "`c` must be a number"),
        ({"seed": 1.5}, TypeError, "`seed` must be a whole number"),
        ({"at": 3}, TypeError, "`at` must be the name of a Tap"),
        ({"at": []}, TypeError, "`at` must be the name of a Tap"),
    ],
)
def test_bad_arguments(arguments, problem, message):
    with pytest.raises(problem, match=message):
        GradientSurgery(**arguments)


@pytest.mark.parametrize(
    ("tap", "at", "message"),
    [
        (None, None, r"GradientSurgery\(at='shared'\).*taps: none"),
        ("hidden", "shared", "at='shared'; the model's taps: 'hidden'"),
    ],
)
def test_a_tap_that_is_not_there(tap, at, message):
    x, y = data()
    with pytest.raises(ValueError, match=message):
        fit(build(GradientSurgery(at=at), tap=tap), x, y)


def test_several_taps_need_a_name():
    inputs = keras.Input((3,))
    hidden = Tap("two")(keras.layers.Dense(2)(Tap("one")(inputs)))
    model = Model(inputs, {name: keras.layers.Dense(1, name=name)(hidden) for name in ("a", "b")})
    model.compile("sgd", Objective({"a": "mse", "b": "mse"}, balance=GradientSurgery()))
    with pytest.raises(ValueError, match="at=None; the model's taps: 'one', 'two'"):
        fit(model, *data(count=2))


def test_learned_weights_beside_it():
    with pytest.raises(ValueError, match="that of 'a' must be a number"):
        Objective({"a": "mse", "b": "mse"}, weights=["learned", 1.0], balance=GradientSurgery())
