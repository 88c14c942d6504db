"""What a rule is told of a set-up: the outputs with their losses, labels and activations, and what a loss says."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from kerasmith.checks.engine.case import case_of
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import Inconclusive
from kerasmith.checks.engine.training_setup import SetupSubject, setup_of

pytestmark = pytest.mark.host("reads models and losses; what they say on other backends is asked with the zoo")
NOTHING = dict.fromkeys(("sample_weight", "validation_data", "callbacks", "class_weight", "validation_split", "shuffle"))
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3)).astype("float32")
IDS = RNG.integers(0, 2, 20)


def case_for(model, x, y=None, **fit):
    setup = setup_of(model, (x, y), {**NOTHING, "x": None, "y": None, **fit})
    return case_of(SetupSubject(setup), Contract())


def compiled(outputs, inputs, loss, **options):
    model = keras.Model(inputs, outputs)
    model.compile("adam", loss, **options)
    return model


def test_outputs_of_a_dict_have_their_own_losses():
    inputs = keras.Input((3,))
    hidden = layers.Dense(4)(inputs)
    outputs = {
        "kind": layers.Dense(2, activation="softmax")(hidden),
        "angle": layers.Reshape((1,))(ops.sigmoid(layers.Dense(1)(hidden))),
    }
    model = compiled(
        outputs,
        inputs,
        {"kind": "sparse_categorical_crossentropy", "angle": keras.losses.BinaryCrossentropy()},
        metrics={"kind": ["accuracy"]},
        weighted_metrics={"angle": ["mae"]},
        loss_weights={"kind": 1.0, "angle": 0.5},
    )
    case = case_for(model, X, {"angle": IDS.astype("float32")[:, None], "kind": IDS}, shuffle=False)
    angle, kind = case.outputs
    assert [one.name for one in case.outputs] == ["angle", "kind"]
    assert (angle.activation, angle.units, angle.loss_weight) == ("sigmoid", 1, 0.5)
    assert (kind.activation, kind.units, kind.layer.units) == ("softmax", 2, 2)
    np.testing.assert_array_equal(kind.y_true, IDS)
    assert angle.y_true.shape == (20, 1)
    assert [one.name for one in kind.metrics] == ["accuracy"]
    assert [one.name for one in angle.weighted_metrics] == ["mae"]
    own = case.loss_values(kind, kind.y_true, case.predictions()[1])
    np.testing.assert_allclose(own, -np.log(case.predictions()[1][range(20), IDS]), rtol=1e-5)
    gradient = case.loss_gradient(kind, np.array([0, 1]), np.array([[0.5, 0.5], [0.25, 0.75]], "float32"))
    assert gradient[1, 1] < 0 <= gradient[1, 0]
    with pytest.raises(Inconclusive):
        case.loss_values(kind, np.zeros((20, 7)), case.predictions()[1][:, :1])


class Plain(keras.Model):
    def __init__(self, end):
        super().__init__()
        self.hidden, self.last, self.end = layers.Dense(4), layers.Dense(3), end

    def call(self, x):
        return self.end(self.last(self.hidden(x)))


@pytest.mark.parametrize(
    ("end", "activation"),
    [
        (ops.softmax, "softmax"),
        (lambda x: x, "linear"),
        (layers.Activation("tanh"), "tanh"),
        (layers.LeakyReLU(), "leaky_relu"),
        (layers.Softmax(), "softmax"),
        (lambda x: ops.squeeze(ops.sigmoid(x)[:, None], axis=1), "sigmoid"),
        (lambda x: layers.Activation("linear")(ops.relu(x)), "relu"),
        (layers.BatchNormalization(), "linear"),
        (layers.Lambda(lambda x: x * 2), None),
    ],
)
def test_the_activation_of_a_model_of_any_kind(end, activation):
    model = Plain(end)
    model.compile("adam", "mse")
    (output,) = case_for(model, X, np.zeros((20, 3))).outputs
    assert output.activation == activation


def test_the_activation_inside_of_other_models_and_layers():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2, activation="sigmoid")])
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3, activation="relu"), inner])
    model.compile("adam", "mse")
    assert case_for(model, X, np.zeros((20, 2))).outputs[0].activation == "sigmoid"
    model = keras.Sequential([keras.Input((5, 3)), layers.TimeDistributed(layers.Dense(2, activation="softmax"))])
    model.compile("adam", "categorical_crossentropy")
    assert case_for(model, np.zeros((4, 5, 3)), np.zeros((4, 5, 2))).outputs[0].activation == "softmax"


def test_losses_that_reach_one_output():
    inputs = keras.Input((3,))
    case = case_for(compiled(layers.Dense(1)(inputs), inputs, ["mse", "mae"]), X, IDS.astype("float32"))
    (output,) = case.outputs
    assert [loss.name for loss in output.losses] == ["mse", "mae"]
    assert output.loss is output.losses[0]
    assert case.compiled["loss"] == ["mse", "mae"]


def test_data_of_the_set_up():
    inputs = keras.Input((3,))
    model = compiled(layers.Dense(2)(inputs), inputs, "sparse_categorical_crossentropy")
    case = case_for(model, X, IDS, batch_size=8, shuffle=False, validation_split=0.2, class_weight={0: 1.0, 1: 5.0})
    assert case.x.shape == (8, 3)
    np.testing.assert_array_equal(case.sample_weight, np.where(IDS[:8] == 1, 5.0, 1.0))
    assert [len(batch[0]) for batch in case.more_batches(5)] == [8]
    assert len(case.arrays[0]) == 16
    np.testing.assert_array_equal(case.validation_arrays[1], IDS[16:])
    assert case.validation[0].shape == (4, 3)
    assert case.fit.class_weight == {0: 1.0, 1: 5.0}


class OwnStep(keras.Model):
    def train_step(self, data):
        return {"loss": 0.0}


def test_a_step_of_its_own_may_have_no_call():
    model = OwnStep()
    model.compile("adam")
    case = case_for(model, X, IDS)
    assert case.has_own_step
    with pytest.raises(Inconclusive):
        case.outputs  # noqa: B018
