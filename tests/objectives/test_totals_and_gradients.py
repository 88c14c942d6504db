"""Every column of `fit` and `evaluate`, and the weights after some steps, against a run written out in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import Model, Objective, Tap, Term
from kerasmith.losses import CrossEntropy, Dice, DiceCE, PenalizedMSE
from tests.objectives.helpers import assert_trains_as, close, fit, samples, weights_of

X, VAL_X = samples((7, 3), (5, 3))
Y, VAL_Y = samples((7, 2), (5, 2), seed=1)
DATA, VALIDATION = (X, Y), (VAL_X, VAL_Y)


def trunk(inputs, **kwargs):
    return Tap("hidden")(keras.layers.Dense(2, activation="tanh", bias_initializer="normal", **kwargs)(inputs))


def one_output(**kwargs):
    inputs = keras.Input((3,))
    return Model(inputs, keras.layers.Dense(2, name="out")(trunk(inputs, **kwargs)))


def forward(w, x):
    hidden = np.tanh(x @ w[0] + w[1])
    return hidden, hidden @ w[2] + w[3]


def compiled(model, *args, **kwargs):
    model.compile(keras.optimizers.SGD(0.1), Objective(*args, **kwargs))
    return model


def squared(y, p):
    return np.mean((y - p) ** 2)


# --- losses -------------------------------------------------------------------------------------------------------------


def test_losses_of_keras_by_name_object_and_function():
    terms = {"a": "mse", "b": keras.losses.Huber(delta=0.3), "c": keras.losses.log_cosh, "d": "mae"}
    model = compiled(one_output(), terms, weights=[1.0, 0.5, 2.0, 0.1])

    def columns(w, x, y, step, training):
        e = np.abs(y - forward(w, x)[1])
        a, b = np.mean(e**2), np.mean(np.where(e <= 0.3, e**2 / 2, 0.3 * e - 0.045))
        c, d = np.mean(np.log(np.cosh(e))), np.mean(e)
        return {"loss": a + 0.5 * b + 2 * c + 0.1 * d, "a": a, "b": b, "c": c, "d": d}

    assert_trains_as(model, columns, DATA, validation=VALIDATION)


def dice_and_ce(y, p):
    """Means over the samples: Dice of the default smooth term (I + s) / (I + FP/2 + FN/2 + s), binary cross-entropy."""
    axes = (1, 2, 3)
    common = np.sum(y * p, axes)
    dice = 1 - (common + 1e-5) / (0.5 * np.sum(y, axes) + 0.5 * np.sum(p, axes) + 1e-5)
    return np.mean(dice), np.mean(-(y * np.log(p) + (1 - y) * np.log(1 - p)))


def masks(*shapes):
    return [(array > 0).astype("float32") for array in samples(*shapes, seed=3)]


def segmenter():
    inputs = keras.Input((2, 2, 2))
    return Model(inputs, keras.layers.Dense(1, activation="sigmoid")(inputs))


def test_losses_of_kerasmith_and_the_parts_of_composites():
    model = compiled(
        segmenter(),
        {"overlap": Dice(), "pixels": CrossEntropy(), "both": DiceCE(0.3, 0.7), "sum": 0.25 * Dice() + PenalizedMSE(0.5)},
        weights={"overlap": 2.0, "sum": 0.5},
    )
    x, val_x = samples((7, 2, 2, 2), (5, 2, 2, 2))
    y, val_y = masks((7, 2, 2, 1), (5, 2, 2, 1))

    def columns(w, x, y, step, training):
        p = 1 / (1 + np.exp(-(x @ w[0] + w[1])))
        dice, ce = dice_and_ce(y, p)
        both, added = 0.3 * dice + 0.7 * ce, 0.25 * dice + np.mean((y - p) ** 2 + 0.5 * np.abs(p))
        parts = dict(overlap=dice, pixels=ce, both=both, both_dice=dice, both_ce=ce, sum=added, sum_dice=dice)
        parts |= dict(sum_mse=np.mean((y - p) ** 2), sum_penalty=np.mean(np.abs(p)))
        return {"loss": 2 * dice + ce + both + 0.5 * added, **parts}

    assert_trains_as(model, columns, (x, y), validation=(val_x, val_y), rate=0.1)


# --- functions ------------------------------------------------------------------------------------------------------------


def of_arrays(x, y_pred):  # (B,)
    return ops.sum(ops.abs(x), axis=-1) * ops.mean(ops.square(y_pred), axis=-1)


def fine(y, y_true, y_pred):  # (B, T)
    return ops.square(y_pred - y) * ops.abs(y_true)


def one_number(y_true, y_pred):  # a scalar
    return ops.sqrt(ops.mean(ops.square(y_true - y_pred)))


def sparse(features):
    return ops.mean(ops.abs(features["hidden"]), axis=-1)


def mirrored(x, y_pred, model, training):
    """How the answers to x and -x differ; a second forward pass."""
    return ops.mean(ops.square(y_pred + model(-x, training=training)), axis=-1)


def by_phase(y_pred, step, training, *, power):
    step = ops.cast(step, y_pred.dtype)
    return (1.0 if training else 3.0) * (1.0 + step) * ops.mean(ops.abs(y_pred) ** power, axis=-1)


def test_functions_of_everything():
    terms = {
        "of_arrays": of_arrays,
        "fine": fine,
        "one_number": Term(one_number, weight=0.5),
        "sparse": Term(sparse, weight=0.2),
        "mirrored": mirrored,
        "total": Term(of_arrays, weight=0.01, reduction="sum"),
        "by_phase": Term(by_phase, weight=0.1, fixed={"power": 2}),
    }

    def columns(w, x, y, step, training):
        (hidden, p), (_, back) = forward(w, x), forward(w, -x)
        per_sample = np.abs(x).sum(-1) * np.mean(p**2, -1)
        parts = {
            "of_arrays": np.mean(per_sample),
            "fine": np.mean((p - y) ** 2 * np.abs(y)),
            "one_number": np.sqrt(squared(y, p)),
            "sparse": np.mean(np.abs(hidden)),
            "mirrored": np.mean((p + back) ** 2),
            "total": np.sum(per_sample),
            "by_phase": (1 if training else 3) * (1 + step) * np.mean(p**2),
        }
        factors = (1, 1, 0.5, 0.2, 1, 0.01, 0.1)
        return {"loss": sum(f * v for f, v in zip(factors, parts.values(), strict=True)), **parts}

    assert_trains_as(compiled(one_output(), terms), columns, DATA, validation=VALIDATION)


def test_a_function_without_labels_trains_without_labels():
    model = compiled(one_output(), {"sparse": sparse, "mirrored": mirrored})

    def columns(w, x, y, step, training):
        (hidden, p), (_, back) = forward(w, x), forward(w, -x)
        parts = {"sparse": np.mean(np.abs(hidden)), "mirrored": np.mean((p + back) ** 2)}
        return {"loss": sum(parts.values()), **parts}

    assert_trains_as(model, columns, (X, None), epochs=1)


# --- the model's own losses -----------------------------------------------------------------------------------------------


class Pull(keras.layers.Layer):
    def call(self, x):
        self.add_loss(0.3 * ops.mean(ops.square(x)))
        return x


@pytest.mark.parametrize("terms", [{"fit": "mse"}, {"fit": "mse", "mirrored": mirrored}], ids=["one pass", "two passes"])
def test_the_models_own_losses_are_added_once(terms):
    inputs = keras.Input((3,))
    hidden = Pull()(trunk(inputs, kernel_regularizer=keras.regularizers.L2(0.1)))
    outputs = keras.layers.Dense(2, bias_regularizer=keras.regularizers.L1(0.05), bias_initializer="normal")(hidden)
    model = compiled(Model(inputs, outputs), terms)

    def columns(w, x, y, step, training):
        (hidden, p), (_, back) = forward(w, x), forward(w, -x)
        own = 0.1 * np.sum(w[0] ** 2) + 0.3 * np.mean(hidden**2) + 0.05 * np.sum(np.abs(w[3]))
        parts = {"fit": squared(y, p), "mirrored": np.mean((p + back) ** 2)}
        parts = {name: parts[name] for name in terms}
        return {"loss": own + sum(parts.values()), **parts}

    assert_trains_as(model, columns, DATA, validation=VALIDATION)


def test_the_models_own_losses_are_those_of_plain_keras():
    """Activity regularisers too, whose share of a batch has changed between versions of Keras."""
    inputs = keras.Input((3,))
    activity = keras.layers.Dense(2, activity_regularizer=keras.regularizers.L2(0.05))
    outputs = keras.layers.ActivityRegularization(l1=0.02)(activity(Pull()(trunk(inputs))))
    plain = keras.Model(inputs, outputs)
    plain.compile(keras.optimizers.SGD(0.1), "mse")
    start = plain.get_weights()
    expected, weights = fit(plain, DATA, validation=VALIDATION, epochs=2), weights_of(plain)
    plain.set_weights(start)
    model = compiled(Model.from_keras(plain), {"fit": "mse"})
    close({k: v for k, v in fit(model, DATA, validation=VALIDATION, epochs=2).items() if "fit" not in k}, expected, rtol=1e-6)
    close(weights_of(model), weights, rtol=1e-6)


# --- several outputs and inputs -------------------------------------------------------------------------------------------

Y2, VAL_Y2 = samples((7, 1), (5, 1), seed=2)


def two_outputs(kind):
    inputs = keras.Input((3,))
    hidden = trunk(inputs)
    heads = [keras.layers.Dense(2, name="left")(hidden), keras.layers.Dense(1, name="right")(hidden)]
    return Model(inputs, heads if kind is list else {"left": heads[0], "right": heads[1]})


def both(y_pred, factor=0.5):
    """Ties two outputs; they come in the structure of the model's outputs."""
    wide, narrow = (y_pred["left"], y_pred["right"]) if isinstance(y_pred, dict) else y_pred
    return factor * ops.square(ops.sum(wide, axis=-1) - narrow[:, 0])


TWO_OUTPUTS = {
    "dict by term name": (dict, lambda: {"left": "mse", "right": "mae", "both": both}, ("left", "right", "both")),
    "dict by output": (
        dict,
        lambda: {"a": Term("mse", output="left"), "b": Term("mae", output="right"), "c": both},
        ("a", "b", "c"),
    ),
    "list by position": (list, lambda: [Term("mse", name="a"), Term("mae", name="b"), Term(both, name="c")], ("a", "b", "c")),
    "list by output name": (list, lambda: {"right": "mae", "left": "mse", "c": both}, ("left", "right", "c")),
    "list by index": (list, lambda: {"a": Term("mse", output=0), "b": Term("mae", output=1), "c": both}, ("a", "b", "c")),
}


@pytest.mark.parametrize("case", TWO_OUTPUTS)
def test_terms_of_several_outputs(case):
    kind, terms, names = TWO_OUTPUTS[case]
    model = compiled(two_outputs(kind), terms())

    def columns(w, x, y, step, training):
        hidden = np.tanh(x @ w[0] + w[1])
        wide, narrow = hidden @ w[2] + w[3], hidden @ w[4] + w[5]
        y = y if kind is dict else {"left": y[0], "right": y[1]}
        tied = np.mean(0.5 * (wide.sum(-1) - narrow[:, 0]) ** 2)
        parts = dict(zip(names, (squared(y["left"], wide), np.mean(np.abs(y["right"] - narrow)), tied), strict=True))
        return {"loss": sum(parts.values()), **parts}

    pack = (lambda a, b: {"left": a, "right": b}) if kind is dict else (lambda a, b: [a, b])
    assert_trains_as(model, columns, (X, pack(Y, Y2)), validation=(VAL_X, pack(VAL_Y, VAL_Y2)), epochs=1)


def towards_map(x, y_pred):
    return ops.mean(x["map"] * ops.square(y_pred), axis=-1)


def test_a_term_reads_an_array_that_is_no_feature_of_the_model():
    inputs = keras.Input((3,), name="x")
    model = Model([inputs], keras.layers.Dense(2)(trunk(inputs)))
    compiled(model, {"fit": "mse", "weighted": Term(towards_map, weight=0.4)})

    def columns(w, x, y, step, training):
        p = forward(w, x["x"])[1]
        parts = {"fit": squared(y, p), "weighted": np.mean(x["map"] * p**2)}
        return {"loss": parts["fit"] + 0.4 * parts["weighted"], **parts}

    assert_trains_as(model, columns, ({"x": X, "map": np.abs(Y)}, Y), validation=({"x": VAL_X, "map": np.abs(VAL_Y)}, VAL_Y))


# --- how often ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run_eagerly", [True, False], ids=["eager", "compiled"])
def test_no_term_is_computed_twice(run_eagerly):
    calls = []

    def counted(y, y_pred):
        calls.append(len(y_pred.shape))
        return ops.mean(ops.square(y - y_pred), axis=-1)

    model = one_output()
    schedule = keras.optimizers.schedules.CosineDecay(1.0, 10)
    objective = Objective({"a": Term(counted, weight=schedule), "b": Term(counted, weight="learned"), "c": counted})
    model.compile(keras.optimizers.SGD(0.1), objective, run_eagerly=run_eagerly)
    fit(model, (X[:6], Y[:6]), epochs=1)  # builds the variables of the optimizer
    calls.clear()
    fit(model, (X[:6], Y[:6]), epochs=2)
    # Three terms in each of 2 x 2 steps, in eager code; nothing is traced again in compiled code.
    eager = run_eagerly or keras.backend.backend() == "torch"
    assert len(calls) == (12 if eager else 0)
    if not eager:
        model.make_train_function(force=True)
        model.train_on_batch(X[:3], Y[:3])
        assert len(calls) == 3  # one trace


def test_an_objective_leaves_no_trace_in_the_prediction():
    model = compiled(one_output(), {"fit": "mse", "mirrored": mirrored})
    np.testing.assert_allclose(model.predict(X, verbose=0), forward(weights_of(model), X)[1], rtol=1e-5, atol=1e-6)
