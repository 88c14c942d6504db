"""Questions of set-ups on weights, data, gradients and learning: faults that the zoo does not have, and the same without."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from kerasmith import check
from kerasmith.checks.engine.finding import OutOfTime
from kerasmith.checks.rules.setups import counterfactual

pytestmark = [
    pytest.mark.host("the rules know no backend: trials are asked on all three in test_trial, the zoo too"),
    pytest.mark.heavy("trains models for a moment", on=("torch",), seconds=2),
]


def table(count=96, seed=0):
    x = np.random.default_rng(seed).normal(size=(count, 5)).astype("float32")
    return x, (x[:, :1] + x[:, 1:2] * x[:, 2:3] > 0).astype("float32")


def network(rate=0.01, **options):
    parts = [layers.Input((5,)), layers.Dense(12, activation="relu", **options), layers.Dense(1, activation="sigmoid")]
    model = keras.Sequential(parts)
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


def severities(model, *data, select, **fit):
    return {finding.id: finding.severity for finding in check(model, *data, select=select, budget=2000, **fit).findings}


def test_a_right_set_up_is_left_alone():
    x, y = table()
    assert check(network(), x, y, epochs=5, class_weight={0: 1.0, 1: 2.0}, select=["T15", "T16", "T18"], budget=2000).ok


@pytest.mark.parametrize(("rate", "found"), [(300.0, "T186"), (1e-7, "T187")])
def test_a_rate_is_too_high_or_too_low_where_another_learns(rate, found):
    x, y = table()
    assert severities(network(rate), x, y, select=["T186", "T187"], epochs=5) == ({found: "error"})


def test_targets_far_from_the_outputs_are_an_error_only_where_they_are_not_learned():
    x, _ = table()
    y = 4e5 + 1e5 * x[:, :1]
    found = []
    for rate, epochs in ((1e-3, 2), (1.0, 500)):
        model = keras.Sequential([layers.Input((5,)), layers.Dense(12, activation="relu"), layers.Dense(1)])
        model.compile(keras.optimizers.Adam(rate), "mse")
        found.append(severities(model, x, y, select=["T163"], epochs=epochs)["T163"])
    assert found == ["error", "warning"]


def test_weights_of_samples_that_a_loss_averages_away():
    def whole(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred))

    def each(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    x, y = table()
    weight = np.linspace(0.5, 1.5, len(x))
    for loss, expected in ((whole, {"T150": "error"}), (each, {})):
        model = network()
        model.compile("adam", loss)
        assert severities(model, x, y, weight, select=["T150", "T153"]) == expected


def test_what_class_weight_meets():
    x, y = table()
    for weight, expected in (({1: 1.0, 0: 3.0}, {}), ({"a": 1.0, "b": 2.0}, {"T151": "error"})):
        assert severities(network(), x, y, class_weight=weight, select=["T151"]) == expected


def test_a_sample_with_a_number_that_is_not_finite():
    x, y = table()
    x[70, 2] = np.inf
    assert severities(network(), x, y, select=["T160"]) == {"T160": "error"}
    filled = keras.Sequential([layers.Input((5,)), layers.Lambda(lambda t: ops.clip(t, -3.0, 3.0)), *network().layers])
    filled.compile("adam", "binary_crossentropy")
    assert severities(filled, x, y, select=["T160"]) == {}


def test_masks_of_other_images():
    rng = np.random.default_rng(3)
    masks = np.zeros((10, 24, 24, 1), "float32")
    for mask in masks:
        top, left, height, width = rng.integers(2, 12, 4)
        mask[top : top + height, left : left + width] = 1
    images = (0.8 - 0.5 * masks + 0.05 * rng.normal(size=masks.shape)).astype("float32")
    model = keras.Sequential([layers.Input((24, 24, 1)), layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    for y, expected in ((masks, {}), (np.roll(masks, 1, axis=0), {"T169": "error"}), (masks[:, ::-1], {"T169": "error"})):
        assert severities(model, images, y, select=["T169"]) == expected


def test_units_that_are_the_same_and_units_that_are_dead():
    x, y = table()
    assert severities(network(kernel_initializer="zeros"), x, y, select=["T181"]) == {"T181": "error"}
    dead = keras.initializers.Constant(-40.0)
    assert "T179" in severities(network(bias_initializer=dead), x, y, select=["T179"])
    assert severities(network(), x, y, select=["T179", "T181", "T175"]) == {}


def test_frozen_layers_are_an_error_only_where_training_them_repairs_it():
    x, y = table()
    wide = keras.Sequential([layers.Input((5,)), layers.Dense(200, activation="tanh", trainable=False)])
    wide.add(layers.Dense(1, activation="sigmoid"))
    wide.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    assert severities(wide, x, y, select=["T176"]) == {"T176": "warning"}
    judge = network()
    judge.trainable = False
    inputs = keras.Input((5,))
    pair = keras.Model(inputs, judge(layers.Dense(5)(inputs)))
    pair.compile("adam", "binary_crossentropy")
    assert severities(pair, x, np.ones_like(y), select=["T176"]) == {}


def test_dropout_of_an_output_and_batches_of_one():
    x, _ = table()
    y = np.arange(len(x)) % 3
    for behind, expected in ((True, {"T191": "error"}), (False, {})):
        head = [layers.Dense(3, activation="softmax"), layers.Dropout(0.4)]
        model = keras.Sequential([layers.Input((5,)), *(head if behind else head[::-1])])
        model.compile("adam", "sparse_categorical_crossentropy")
        assert severities(model, x, y, select=["T191"]) == expected
    model = keras.Sequential([layers.Input((5,)), layers.Dense(8), layers.BatchNormalization(), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    assert severities(model, x, y, batch_size=1, select=["T192"]) == {"T192": "error"}
    assert severities(model, x, y, batch_size=32, select=["T192"]) == {}


def test_the_model_is_as_it_was():
    x, y = table()
    model = network(300.0, kernel_initializer="zeros")
    before = [np.array(ops.convert_to_numpy(v)) for v in model.variables]
    check(model, x, y, select=["T181"], budget=2000)
    for a, b in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(a, ops.convert_to_numpy(b))
    assert not model.optimizer.built


@pytest.mark.parametrize(
    ("optimizer", "found"),
    [
        (keras.optimizers.SGD(0.1, momentum=1.0), {"T196": "warning"}),
        (keras.optimizers.Adam(beta_1=0.9, beta_2=0.5), {"T196": "warning"}),
        (keras.optimizers.SGD(0.1, momentum=0.99, nesterov=True), {}),
        (keras.optimizers.Adam(beta_1=0.0, beta_2=0.9), {}),
        (keras.optimizers.AdamW(), {}),
        (keras.optimizers.RMSprop(momentum=0.9), {}),
        (keras.optimizers.Lion(), {}),
        (keras.optimizers.Adadelta(), {}),
    ],
)
def test_an_optimizer_that_never_forgets(optimizer, found):
    model = keras.Sequential([layers.Input((5,)), layers.Dense(1)])
    model.compile(optimizer, "mse")
    assert severities(model, *table(8), select=["T196"]) == found


def test_inputs_that_are_nearly_the_same_beside_an_offset():
    x, y = table()
    for inputs, expected in ((x * 0.003 - 1, {"T162": "warning"}), (x - 1, {})):
        found = severities(network(), inputs, y, select=["T161", "T162"])
        assert set(found) == set(expected)


def test_random_features_that_are_small_are_told_by_the_frozen_layer():
    x, y = table()
    start = keras.initializers.RandomNormal(stddev=1e-3)
    model = keras.Sequential(
        [layers.Input((5,)), layers.Dense(16, trainable=False, kernel_initializer=start), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    assert set(severities(model, x, y, select=["T161", "T162", "T176"])) == {"T176"}


def test_what_is_found_stays_where_no_time_is_left_for_its_severity(monkeypatch):
    def late(case):
        raise OutOfTime

    monkeypatch.setattr(counterfactual, "failing", late)
    x, y = table()
    assert severities(network(), 300 * x, y, select=["T161"]) == {"T161": "warning"}


def test_weights_that_meet_columns_in_place_of_images():
    x = np.random.default_rng(0).normal(size=(8, 8, 8, 1)).astype("float32")
    y, weight = np.zeros_like(x), np.linspace(0.5, 1.5, 8).astype("float32")
    y[:, :, 3] = y[::3] = 1
    model = keras.Sequential([layers.Input((8, 8, 1)), layers.Dense(1, activation="sigmoid", kernel_initializer="zeros")])
    model.layers[-1].kernel.assign([[0.1]])
    model.compile("adam", "binary_crossentropy")
    assert severities(model, x, y, weight, select=["T150"]) == {"T150": "error"}
    assert severities(model, x, y, weight[:, None, None] * np.ones((8, 8, 8), "float32"), select=["T150"]) == {}


def test_a_cosine_is_no_probability_and_a_linear_output_is():
    rng = np.random.default_rng(1)
    pairs = [rng.normal(size=(48, 4)).astype("float32") for _ in range(2)]
    y = (np.arange(48) % 2).astype("float32")[:, None]

    def margin(y, p):
        return y * (1 - p) + (1 - y) * ops.relu(p - 0.2)

    left, right = keras.Input((4,)), keras.Input((4,))
    tower = keras.Sequential([layers.Dense(8), layers.UnitNormalization()])
    for output, expected in ((layers.Dot(1)([tower(left), tower(right)]), set()), (layers.Dense(1)(left), {"T102"})):
        model = keras.Model([left, right], output)
        model.compile("adam", margin)
        assert set(severities(model, pairs, y, select=["T102"])) == expected


def test_units_of_layers_that_two_inputs_share():
    x, y = table()
    left, right = keras.Input((5,)), keras.Input((5,))
    zeros = layers.Dense(8, kernel_initializer="zeros", activation="relu")
    first = keras.Sequential([layers.Dense(8), zeros, layers.Dense(4)])
    model = keras.Model([left, right], layers.Dot(1)([first(left), first(right)]))
    model.compile("adam", "mse")
    assert set(severities(model, [x, x], y, select=["T181"])) == {"T181"}
