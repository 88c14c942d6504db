"""Mistakes are answered with what was expected, what came and what to write; before training where that can be known."""

import functools

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerasmith
from kerasmith import Objective, Tap, Term
from kerasmith.losses import Dice
from kerasmith.metrics import DiceScore
from tests.objectives.user_models import COUNT, LayersInInit, X, Y, active, fit, functional, scores, shrink

KNOWN = r"x, y, y_true, y_pred, sample_weight, features, model, training, step"


def unknown_name(y_pred, temperature):
    return y_pred * temperature


def takes_anything(*args, **kwargs):
    return kwargs["y_pred"]


def positional_only(predictions, /):
    return predictions


AT_CONSTRUCTION = {
    "unknown name": (lambda: Term(unknown_name), ValueError, rf"asks for 'temperature'.*knows: {KNOWN}.*fixed="),
    "positional only": (lambda: Term(positional_only), ValueError, r"asks for 'predictions'"),
    "anything": (lambda: Term(takes_anything), ValueError, rf"`takes_anything` takes anything.*There is: {KNOWN}"),
    "two terms of one name": (lambda: Objective(["mse", "mse"]), ValueError, r"Two terms are named 'mean_squared_error'.*_1'"),
    "two functions of one name": (lambda: Objective([shrink, shrink]), ValueError, r"Two terms are named 'shrink'"),
    "no terms": (lambda: Objective({}), ValueError, r"at least one term.*Objective\(\{'fit': 'mse'\}\)"),
    "None for terms": (lambda: Objective(None), TypeError, r"dict \{name: term\} or a list.*terms=None"),
    "a loss for terms": (lambda: Objective("mse"), TypeError, r"dict \{name: term\} or a list.*terms='mse'"),
    "a set of terms": (lambda: Objective({"mse"}), TypeError, r"dict \{name: term\} or a list"),
    "misspelt loss": (lambda: Objective({"a": "msse"}), ValueError, r"no loss of this name.*'mse'.*'msse'"),
    "a number": (lambda: Objective({"a": 3}), TypeError, r"a loss, the name of one, or a function.*3 of type int"),
    "None": (lambda: Objective({"a": None}), TypeError, r"Received: None"),
    "pairs": (lambda: Objective([("a", "mse")]), TypeError, r"Received: \('a', 'mse'\) of type tuple"),
    "class of Keras": (lambda: Term(keras.losses.Huber), TypeError, r"not a class. Write `Huber\(\.\.\.\)`"),
    "class of kerasmith": (lambda: Term(Dice), TypeError, r"not a class. Write `Dice\(\.\.\.\)`"),
    "metric of Keras": (lambda: Term(keras.metrics.MeanSquaredError()), TypeError, r"a loss, .*of type MeanSquaredError"),
    "metric of kerasmith": (lambda: Term(DiceScore()), TypeError, r"a loss, .*of type DiceScore"),
    "objective in an objective": (lambda: Objective({"a": Objective({"b": "mse"})}), TypeError, r"the whole loss.*into one"),
    "NaN weight": (lambda: Term("mse", weight=float("nan")), ValueError, r"`weight` must be finite.*nan"),
    "infinite weight": (lambda: Objective({"a": "mse"}, weights=[float("inf")]), ValueError, r"finite.*inf"),
    "misspelt weight": (lambda: Term("mse", weight="learn"), TypeError, r'number.*function of the step.*"learned".*\'learn\''),
    "boolean weight": (lambda: Term("mse", weight=True), TypeError, r"weight=True"),
    "no weight": (lambda: Term("mse", weight=None), TypeError, r"weight=None"),
    "array for a weight": (lambda: Term("mse", weight=np.ones(2)), TypeError, r"weight=array"),
    "variable for a weight": (lambda: Term("mse", weight=keras.Variable(1.0)), TypeError, r"is a function of the step"),
    "too few weights": (lambda: Objective({"a": "mse", "b": "mae"}, weights=[1.0]), ValueError, r"each of the 2 terms"),
    "one number as weights": (lambda: Objective({"a": "mse"}, weights=1.0), ValueError, r"each of the 1 terms.*weights=1.0"),
    "weight of no term": (lambda: Objective({"a": "mse"}, weights={"c": 1}), ValueError, r"names 'c'.*terms are: a"),
    "name with a slash": (lambda: Objective({"a/b": "mse"}), ValueError, r"'/'.*name='a/b'"),
    "name of a validation": (lambda: Objective({"val_a": "mse", "a": "mae"}), ValueError, r"'val_'.*name='val_a'"),
    "empty name": (lambda: Objective({"": "mse"}), ValueError, r"must not be empty"),
    "number as name": (lambda: Objective({0: "mse"}), TypeError, r"`name` must be a string.*name=0"),
    "two names": (lambda: Objective({"a": Term("mse", name="b")}), ValueError, r"'a' has another name, 'b'"),
    "argument that is not there": (lambda: Term(shrink, fixed={"q": 1}), ValueError, r"`shrink` has no argument 'q'.*y_pred"),
    "fixed for a loss": (lambda: Term("mse", fixed={"q": 1}), ValueError, r"a loss has its own.*\{'q': 1\}"),
    "fixed is no dict": (lambda: Term(shrink, fixed=3), TypeError, r"dict \{argument: value\}.*fixed=3"),
    "no reduction": (lambda: Term(shrink, reduction="none"), ValueError, r"one of 'sum_over_batch_size'.*'none'"),
    "loss without reduction": (lambda: Term(keras.losses.Huber(reduction=None)), ValueError, r"'huber_loss' a reduction"),
    "output is no key": (lambda: Term("mse", output=1.5), TypeError, r"key or a position.*output=1.5"),
    "balance by name": (lambda: Objective(["mse", "mae"], balance="dwa"), TypeError, r"kerasmith.multitask.*balance='dwa'"),
    "Tap without a name": (lambda: Tap(None), TypeError, r'Tap\("hidden"\).*name=None'),
    "Tap of a tensor": (lambda: Tap(keras.Input((3,))), TypeError, r'Tap\("hidden"\).*KerasTensor'),
    "attach to no model": (lambda: Objective(["mse"]).attach(3), TypeError, r"Expected a keras.Model.*model=3 of type int"),
    "converting a layer": (lambda: kerasmith.Model.from_keras(layers.Dense(1)), TypeError, r"keras.Model.*of type Dense"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", AT_CONSTRUCTION)
def test_at_construction(mistake):
    make, error, message = AT_CONSTRUCTION[mistake]
    with pytest.raises(error, match=f"(?s){message}"):
        make()


AT_COMPILE = {
    "name of the total": ({"loss": "mse"}, ValueError, r"'loss'.*another name"),
    "name of a metric": ({"mae": "mse"}, ValueError, r"'mae'.*another name"),
    "name of a weight": ({"a": Term("mse", weight="learned"), "a_weight": "mae"}, ValueError, r"'a_weight'.*another name"),
    "parts of a loss": ({"a": 1.0 * Dice() + Dice(name="b"), "a_b": "mae"}, ValueError, r"'a_b'.*another name"),
    "weight without an argument": ({"a": Term("mse", weight=lambda: 1.0)}, TypeError, r"'a'.*`def weight\(step\)`"),
    "vector for a weight": (
        {"a": Term("mse", weight=lambda s: ops.ones(2))},
        ValueError,
        r"'a' must be a finite number",
    ),
    "nothing for a weight": ({"a": Term("mse", weight=lambda s: None)}, ValueError, r"'a' must be a finite number.*None"),
    "NaN for a weight": ({"a": Term("mse", weight=lambda s: float("nan"))}, ValueError, r"'a' must be a finite number.*nan"),
}


@pytest.mark.parametrize("mistake", AT_COMPILE)
def test_at_compile(mistake):
    terms, error, message = AT_COMPILE[mistake]
    model = functional()
    with pytest.raises(error, match=f"(?s){message}"):
        model.compile("sgd", Objective(terms), metrics=["mae"])


def test_weights_outside_of_the_objective_are_refused():
    with pytest.raises(ValueError, match=r"Objective\(terms, weights="):
        functional().compile("sgd", Objective(["mse"]), loss_weights=[1.0])


def test_a_graph_without_taps_is_noticed_at_compile():
    inputs = keras.Input((3,))
    model = kerasmith.Model(inputs, layers.Dense(1)(inputs))
    with pytest.raises(ValueError, match=r"no Tap.*kerasmith\.Tap\('hidden'\)"):
        model.compile("sgd", Objective({"active": active}))


def test_objectives_and_terms_beside_other_losses():
    with pytest.raises(TypeError, match=r"the whole loss"):
        functional().compile("sgd", [Objective(["mse"]), "mae"])
    model = functional()
    model.compile("sgd", Term("mse", name="fit"))
    assert set(fit(model)) == {"loss", "fit"}
    model.compile("sgd", {"fit": Term("mse"), "far": "mae"})
    assert set(scores(model)) == {"loss", "fit", "far"}


def test_a_plain_model_of_keras_says_what_to_write():
    for objective in (Objective({"fit": "mse"}), [Objective({"fit": "mse"})]):
        model = functional(keras.Model)
        model.compile("sgd", objective)
        with pytest.raises(TypeError, match=r"kerasmith\.Model\(inputs, outputs\).*objective\.attach\(model\)"):
            fit(model)


def returns(value):
    return lambda y_pred: value(y_pred)


IN_THE_FIRST_STEP = {
    "another batch size": ({"a": returns(lambda p: ops.concatenate([p, p]))}, {}, ValueError, r"'a'.*one value a sample"),
    "mean over the batch": ({"a": returns(lambda p: ops.mean(p, axis=0))}, {}, ValueError, r"'a'.*one value a sample"),
    "nothing": ({"a": returns(lambda p: None)}, {}, TypeError, r"'a' must return one tensor.*returned nothing"),
    "two tensors": ({"a": returns(lambda p: (p, p))}, {}, TypeError, r"'a' must return one tensor.*a tuple"),
    "a dict": ({"a": returns(lambda p: {"p": p})}, {}, TypeError, r"'a' must return one tensor.*a dict"),
    "no labels for a loss": ({"a": "mse"}, {"y": None}, ValueError, r"'a' needs labels.*Pass `y` to fit"),
    "no labels for a function": ({"a": lambda y, y_pred: y - y_pred}, {"y": None}, ValueError, r"'a' needs labels.*y=None"),
    "no such output": ({"a": Term("mse", output="kind")}, {}, ValueError, r"'a'.*'kind'.*Leave `output` out"),
    "another shape": ({"a": "mse"}, {"y": np.zeros((COUNT, 2), "float32")}, ValueError, r"y_true.*does not fit y_pred"),
    "no such tap": ({"a": lambda features: features["hiden"][:, 0]}, {}, ValueError, r"'hiden'.*taps: 'hidden'"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", IN_THE_FIRST_STEP)
def test_in_the_first_step(mistake):
    terms, data, error, message = IN_THE_FIRST_STEP[mistake]
    model = functional()
    # Fixed batches, so that TensorFlow, too, knows how many samples there are.
    model.compile("sgd", Objective(terms))
    with pytest.raises(error, match=f"(?s){message}"):
        model.train_on_batch(X[:8], **{"y": Y[:8], **{k: v if v is None else v[:8] for k, v in data.items()}})


def test_several_outputs_ask_for_a_choice():
    inputs = keras.Input((3,))
    outputs = {name: layers.Dense(1, name=name)(inputs) for name in ("left", "right")}
    model = kerasmith.Model(inputs, outputs)
    model.compile("sgd", Objective({"fit": "mse"}))
    with pytest.raises(ValueError, match=r"'fit' needs one array.*'left', 'right'.*output='left'"):
        fit(model, y={"left": Y, "right": Y})


def test_a_tap_that_the_forward_pass_leaves_out():
    class Skips(LayersInInit):
        def call(self, inputs):
            return self.last(self.first(inputs))

    model = Skips()
    model.compile("sgd", Objective({"fit": "mse", "active": active}))
    with pytest.raises(ValueError, match=r"Nothing was recorded at the Tap 'hidden'"):
        fit(model)


def powered(y_pred, power):
    return ops.abs(y_pred[:, 0]) ** power


def test_unusual_but_fine():
    class Callable:
        def __call__(self, y_pred):
            return ops.abs(y_pred)

    terms = {
        "partial": Term(functools.partial(powered, power=2)),
        "callable": Callable(),
        "number": Term(lambda: 1.0),
        "boolean": Term(lambda y_pred: y_pred > 0),
        "float": Term("mse", weight=np.float32(0.5)),
        "zero": Term("mae", weight=0),
        "ints": lambda y_pred: ops.cast(y_pred > 0, "int32"),
    }
    model = functional()
    model.compile(keras.optimizers.SGD(0.0), Objective(terms))
    found, y_pred = scores(model), model.predict(X, verbose=0)
    np.testing.assert_allclose(found["partial"], np.square(y_pred).mean(), rtol=1e-5)
    np.testing.assert_allclose(found["callable"], np.abs(y_pred).mean(), rtol=1e-5)
    np.testing.assert_allclose([found["boolean"], found["ints"]], (y_pred > 0).mean(), rtol=1e-5)
    assert found["number"] == 1.0
    shown = sum(found[name] for name in ("partial", "callable", "number", "boolean", "ints")) + 0.5 * found["float"]
    np.testing.assert_allclose(found["loss"], shown, rtol=1e-5)


def test_two_losses_in_the_slot_of_one_output_are_refused():
    inputs = keras.Input((2,))
    model = kerasmith.Model(inputs, [keras.layers.Dense(1)(inputs), keras.layers.Dense(1)(inputs)])
    with pytest.raises(ValueError, match="drop the rest"):
        model.compile("sgd", [["mse", "mae"], None])
