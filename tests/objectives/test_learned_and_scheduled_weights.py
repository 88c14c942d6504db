"""Weights of terms that change while a model trains: learned ones, functions of the step, and what survives saving."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective, Term, multitask
from tests.objectives.helpers import SGD, Adam, assert_trains_as, close, fit, samples, weights_of

X, VAL_X = samples((7, 3), (5, 3))
Y, VAL_Y = samples((7, 2), (5, 2), seed=1)
LABELS, VAL_LABELS = (np.argmax(samples(shape, seed=2)[0], 1) for shape in ((7, 3), (5, 3)))
DATA, VALIDATION = (X, Y), (VAL_X, VAL_Y)


def linear():
    inputs = keras.Input((3,))
    return Model(inputs, keras.layers.Dense(2)(inputs))


def squares(v, x, y):
    return np.mean((y - x @ v[0] - v[1]) ** 2)


def sizes(v, x):
    return np.mean((x @ v[0] + v[1]) ** 2)


@keras.saving.register_keras_serializable("tests")
def small(y_pred):
    return ops.mean(ops.square(y_pred), axis=-1)


@keras.saving.register_keras_serializable("tests")
def rising(step):
    return 0.1 * ops.cast(step, "float32")


# --- learned --------------------------------------------------------------------------------------------------------------


def two_tasks(**state):
    """Regression and classification on one trunk, weights learned for both."""
    inputs = keras.Input((3,))
    heads = {"depth": keras.layers.Dense(2, name="depth")(inputs), "kind": keras.layers.Dense(3, name="kind")(inputs)}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    terms = {
        "depth": Term("mse", weight="learned"),
        "kind": Term(loss, weight=multitask.Uncertainty("classification", initial_log_variance=0.5)),
    }
    return Model(inputs, heads), Objective(terms)


def two_tasks_in_numpy(v, x, y, step, training):
    """Kendall et al., equations 7 and 10, with s = log sigma^2: L exp(-s) / 2 + s / 2 and L exp(-s) + s / 2."""
    (s_depth, s_kind), kernel = v[4:], v[2]
    logits, kinds = x @ kernel + v[3], y["kind"].astype(int)
    log_p = logits - np.log(np.sum(np.exp(logits), 1, keepdims=True))
    depth, kind = squares(v, x, y["depth"]), -np.mean(log_p[np.arange(len(x)), kinds])
    weights = np.exp(-s_depth) / 2, np.exp(-s_kind)
    total = weights[0] * depth + s_depth / 2 + weights[1] * kind + s_kind / 2
    return {"loss": total, "depth": depth, "kind": kind, "depth_weight": weights[0], "kind_weight": weights[1]}


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_learned_uncertainty_weights(optimizer):
    """The columns and the whole run, log variances included, are those of the formula."""
    model, objective = two_tasks()
    ours, by_hand = {"sgd": (keras.optimizers.SGD(0.1), SGD(0.1)), "adam": (keras.optimizers.Adam(0.05), Adam(0.05))}[
        optimizer
    ]
    model.compile(ours, objective)
    start = weights_of(model)
    assert [float(w) for w in start[4:]] == [0.0, 0.5]
    data = X, {"depth": Y, "kind": LABELS}
    validation = VAL_X, {"depth": VAL_Y, "kind": VAL_LABELS}
    assert_trains_as(model, two_tasks_in_numpy, data, validation=validation, epochs=3, optimizer=by_hand, atol=1e-5)
    assert all(abs(a - b) > 0.02 for a, b in zip(weights_of(model)[4:], start[4:], strict=True))


def test_one_step_of_a_log_variance():
    """dL/ds = 1/2 - L exp(-s) / 2 for a regression."""
    model = linear()
    weight = multitask.Uncertainty(initial_log_variance=-0.7)
    model.compile(keras.optimizers.SGD(1.0), Objective({"fit": Term("mse", weight=weight)}))
    loss = squares(weights_of(model), X, Y)
    fit(model, DATA, size=7)
    np.testing.assert_allclose(weights_of(model)[2], -0.7 - (0.5 - loss * np.exp(0.7) / 2), rtol=1e-5)


def test_learning_reaches_the_optimum_of_the_weights():
    """With the layers frozen exp(s) becomes the loss itself, so that the weight is 1 / (2 L)."""
    model = linear()
    model.layers[-1].trainable = False
    model.compile(keras.optimizers.Adam(0.1), Objective({"fit": Term("mse", weight="learned")}))
    (kernel, bias) = (ops.convert_to_numpy(w) for w in model.layers[-1].weights)
    history = fit(model, DATA, epochs=150, size=7)
    np.testing.assert_allclose(history["fit_weight"][-1], 0.5 / squares([kernel, bias], X, Y), rtol=1e-3)


# --- numbers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [[0.5, 0.0, -2.0], {"c": -2, "a": 0.5, "b": 0}], ids=["list", "dict"])
def test_static_weights(weights):
    """A weight that is 0 keeps its column; a negative one is a sign."""
    model = linear()
    model.compile(keras.optimizers.SGD(0.1), Objective({"a": "mse", "b": "mae", "c": Term(small, weight=7.0)}, weights))

    def columns(v, x, y, step, training):
        a, b, c = squares(v, x, y), np.mean(np.abs(y - x @ v[0] - v[1])), sizes(v, x)
        return {"loss": 0.5 * a - 2 * c, "a": a, "b": b, "c": c}

    assert_trains_as(model, columns, DATA, epochs=1)


# --- functions of the step ------------------------------------------------------------------------------------------------

SCHEDULES = {
    "piecewise": (
        lambda: keras.optimizers.schedules.PiecewiseConstantDecay([1, 4], [1.0, 0.5, 0.0]),
        lambda t: 1.0 if t <= 1 else 0.5 if t <= 4 else 0.0,
    ),
    "cosine": (
        lambda: keras.optimizers.schedules.CosineDecay(2.0, decay_steps=8, alpha=0.1),
        lambda t: 2 * (0.9 * (1 + np.cos(np.pi * min(t, 8) / 8)) / 2 + 0.1),
    ),
    "function": (lambda: rising, lambda t: 0.1 * t),
}


@pytest.mark.parametrize("kind", SCHEDULES)
def test_schedules_count_the_batches_of_training(kind):
    """Batches of validation do not count; they see the weight that the next training step will have."""
    schedule, by_hand = SCHEDULES[kind]
    model = linear()
    model.compile(keras.optimizers.SGD(0.1), Objective({"fit": "mse", "small": Term(small, weight=schedule())}))

    def columns(v, x, y, step, training):
        parts = {"fit": squares(v, x, y), "small": sizes(v, x), "small_weight": by_hand(step)}
        return {"loss": parts["fit"] + by_hand(step) * parts["small"], **parts}

    assert_trains_as(model, columns, DATA, validation=VALIDATION, epochs=3)


def after(steps):
    return keras.optimizers.schedules.PiecewiseConstantDecay([steps - 1], [1.0, 0.0])


def transfer(source, target):
    """Copies layers and the state of the optimizer, where variables stand in one order."""
    for a, b in zip(source.layers, target.layers, strict=True):
        b.set_weights(a.get_weights())
    target.optimizer.build(target.trainable_variables)
    for a, b in zip(source.optimizer.variables, target.optimizer.variables, strict=True):
        assert a.shape == b.shape
        b.assign(ops.convert_to_numpy(a))  # JAX gives the arrays of a model away in every step


def test_a_term_switched_off_is_a_run_without_it_from_there_on():
    switched, without = linear(), linear()
    switched.compile(keras.optimizers.Adam(0.1), Objective({"fit": "mse", "small": Term(small, weight=after(6))}))
    without.compile(keras.optimizers.Adam(0.1), Objective({"fit": "mse"}))
    first = fit(switched, DATA, epochs=2)  # 6 steps
    assert first["small_weight"] == [1.0, 1.0]
    transfer(switched, without)
    second, expected = fit(switched, DATA, epochs=2), fit(without, DATA, epochs=2)
    assert second["small_weight"] == [0.0, 0.0]
    assert min(second["small"]) > 0
    rounding = 0 if keras.backend.backend() == "torch" else 5e-7  # compiled programs of two shapes round differently
    close({key: second[key] for key in expected}, expected, rtol=rounding, atol=0)
    close(weights_of(switched), weights_of(without), rtol=rounding, atol=0)


# --- saving ---------------------------------------------------------------------------------------------------------------


def all_kinds():
    model = linear()
    cosine = keras.optimizers.schedules.CosineDecay(1.0, 9)
    objective = Objective(
        {
            "fit": Term("mse", weight="learned"),
            "small": Term(small, weight=cosine),
            "rising": Term(small, weight=rising),
            "constant": Term("mae", weight=0.2),
        }
    )
    model.compile(keras.optimizers.Adam(0.05), objective)
    return model


def test_a_saved_model_goes_on_as_if_it_had_not_stopped(tmp_path):
    whole, saved = all_kinds(), all_kinds()
    saved.set_weights(whole.get_weights())
    history = fit(whole, DATA, epochs=4)
    first = fit(saved, DATA, epochs=2)
    saved.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert int(loaded.objective.step) == 6
    second = fit(loaded, DATA, epochs=2)
    close({key: first[key] + second[key] for key in history}, history, rtol=1e-6)
    close(weights_of(loaded), weights_of(whole), rtol=1e-6, atol=1e-7)
    assert int(loaded.objective.step) == 12


def test_compiling_again_starts_the_steps_anew():
    model = linear()
    terms = {"fit": "mse", "small": Term(small, weight=rising)}
    model.compile(keras.optimizers.SGD(0.0), Objective(terms))
    assert fit(model, DATA, epochs=2)["small_weight"][1] == pytest.approx(0.1 * (3 * 3 + 4 * 3 + 5) / 7)
    model.compile(keras.optimizers.SGD(0.0), Objective(terms))
    assert fit(model, DATA)["small_weight"] == [pytest.approx(0.1 * (1 * 3 + 2) / 7)]
    assert len([w for w in model.weights if w.path.endswith("step")]) == 1
