"""Every kind of Keras model trains on an objective, and nothing of Keras is damaged by it."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerasmith
from kerasmith import Objective, Tap, Term
from tests.objectives.user_models import (
    COUNT,
    LayersInBuild,
    LayersInInit,
    PlainKeras,
    X,
    Y,
    active,
    array,
    fit,
    functional,
    graph_subclass,
    nested,
    scores,
    sequential,
    shrink,
)

COLUMNS = {"loss", "fit", "active", "active_weight"}


def objective():
    return Objective({"fit": "mse", "active": Term(active, weight="learned")})


def built(model):
    model.build((None, 3))
    return model


KINDS = {
    "functional": functional,
    "layers in init": LayersInInit,
    "layers in init, built before": lambda: built(LayersInInit()),
    "layers in build": LayersInBuild,
    "layers in build, built before": lambda: built(LayersInBuild()),
    "functional subclass": lambda: graph_subclass()(4),
    "sequential": lambda: kerasmith.Model.from_keras(sequential(True)),
    "sequential, not built": lambda: kerasmith.Model.from_keras(sequential(False)),
    "keras functional": lambda: kerasmith.Model.from_keras(functional(keras.Model)),
    "keras subclass": lambda: kerasmith.Model.from_keras(PlainKeras()),
    "nested": nested,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_trains(kind):
    model = KINDS[kind]()
    assert isinstance(model, kerasmith.Model)
    model.compile(keras.optimizers.SGD(0.1), objective())
    before = [array(v) for v in model.trainable_variables]
    history = fit(model, validation_data=(X, Y))
    assert set(history) == COLUMNS | {f"val_{name}" for name in COLUMNS}
    # The learned weight and both dense layers train.
    assert len(model.trainable_variables) == 5
    assert all(np.abs(array(v) - b).max() > 0 for v, b in zip(model.trainable_variables, before, strict=len(before) == 5))
    # By hand: the mean squared error, and the learned weight exp(-s) / 2 with its penalty s / 2.
    s = float(array(model.objective.terms[1].factor.log_variance))
    np.testing.assert_allclose(history["val_fit"], np.square(model.predict(X, verbose=0) - Y).mean(), rtol=1e-5)
    np.testing.assert_allclose(history["val_active_weight"], np.exp(-s) / 2, rtol=1e-5)
    total = history["val_fit"][0] + np.exp(-s) / 2 * history["val_active"][0] + s / 2
    np.testing.assert_allclose(history["val_loss"], total, rtol=1e-5)


def test_a_functional_subclass_leaves_the_base_alone():
    bases = kerasmith.Model.__bases__
    model = graph_subclass()(5)
    assert model.width == 5
    assert kerasmith.Model.__bases__ == bases
    for other in (functional(), LayersInInit(), graph_subclass()(2), functional(keras.Model)):
        other.compile("sgd", "mse")
        assert set(fit(other)) == {"loss"}
    assert not isinstance(LayersInInit(), type(functional()))


def test_an_existing_model_shares_its_layers():
    for plain in (sequential(True), sequential(False), functional(keras.Model), PlainKeras()):
        plain.compile(keras.optimizers.SGD(0.25), "mse")
        plain.predict(X, verbose=0)
        before = array(plain.trainable_variables[0])
        model = Objective({"fit": "mse"}).attach(plain, metrics=["mae"])
        assert float(model.optimizer.learning_rate) == 0.25
        assert set(fit(model)) == {"loss", "fit", "mae"}
        assert np.abs(array(plain.trainable_variables[0]) - before).max() > 0
        np.testing.assert_allclose(plain.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)
    assert kerasmith.Model.from_keras(model) is model


def test_compiling_again_leaves_nothing_of_the_objective_before():
    model, untouched = functional(), functional(keras.Model)
    layer_names = [layer.name for layer in model.layers]
    for loss, columns in ((objective(), COLUMNS), ("mse", {"loss"}), (Objective({"other": "mae"}), {"loss", "other"})):
        model.compile("adam", loss)
        assert set(fit(model)) == columns
        assert set(scores(model)) == columns
        assert set(model.metrics_names) == columns
        assert [layer.name for layer in model.layers] == layer_names
        state = [v.path for v in model.variables if "objective" in v.path]
        assert len(state) == {COLUMNS.__len__(): 2, 1: 0, 2: 1}[len(columns)]
        assert len(model.trainable_variables) == len(untouched.trainable_variables) + (columns == COLUMNS)


def test_a_clone_of_an_objective_is_fresh_and_one_objective_has_one_model():
    model, mine = functional(), objective()
    model.compile("adam", mine)
    fit(model)
    assert int(array(mine.step)) == 3
    with pytest.raises(ValueError, match="from_config"):
        functional().compile("adam", mine)
    clone, other = Objective.from_config(mine.get_config()), functional()
    other.compile("adam", clone)
    assert int(array(clone.step)) == 0
    assert [term.name for term in clone.terms] == ["fit", "active"]
    assert set(fit(other)) == COLUMNS
    copied = keras.models.clone_model(model)
    assert isinstance(copied, kerasmith.Model)
    copied.compile("adam", objective())
    assert set(fit(copied)) == COLUMNS
    # The same model may be compiled with its objective again: the step goes on.
    model.compile("adam", mine)
    assert int(array(mine.step)) == 3


LOSSES = {"name": "mse", "object": keras.losses.Huber(0.5), "function": lambda y, p: ops.mean(ops.abs(y - p), axis=-1)}


@pytest.mark.parametrize("loss", LOSSES)
def test_plain_losses_are_those_of_keras(loss):
    histories = []
    for kind in (keras.Model, kerasmith.Model):
        keras.utils.set_random_seed(5)
        model = functional(kind)
        model.layers[1].kernel_regularizer = keras.regularizers.L2(0.01)
        model.compile(keras.optimizers.Adam(0.05), LOSSES[loss], metrics=["mae"])
        histories.append(fit(model, epochs=2, validation_data=(X, Y), sample_weight=np.linspace(0, 2, COUNT, dtype="float32")))
    assert set(histories[0]) == set(histories[1]) == {"loss", "mae", "val_loss", "val_mae"}
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-6, err_msg=name)


def test_a_trained_model_inside_another_brings_no_columns():
    encoder = functional()
    encoder.compile("sgd", Objective({"fit": "mse", "shrink": shrink}))
    fit(encoder)
    for kind, loss, columns in ((keras.Model, "mse", {"loss"}), (kerasmith.Model, Objective({"b": "mae"}), {"loss", "b"})):
        inputs = keras.Input((3,))
        outer = kind(inputs, layers.Dense(1)(encoder(inputs)))
        outer.compile("sgd", loss)
        assert set(fit(outer)) == columns
    assert set(scores(encoder)) == {"loss", "fit", "shrink"}


def test_two_losses_for_one_output_are_refused():
    with pytest.raises(ValueError, match=r"2 losses for 1 output.*kerasmith\.Objective"):
        functional().compile("sgd", ["mse", "mae"])
    model = LayersInInit()
    model.compile("sgd", ["mse", "mae"])
    with pytest.raises(ValueError, match=r"2 losses for 1 output.*kerasmith\.Objective"):
        fit(model)
    one = functional()
    one.compile("sgd", ["mse"])
    assert set(fit(one)) == {"loss"}


def two_outputs(kind):
    inputs = keras.Input((3,))
    return kind(inputs, [layers.Dense(1, name="a")(inputs), layers.Dense(1, name="b")(inputs)])


def test_a_loss_for_each_of_two_outputs_works_as_in_keras():
    histories = []
    for kind in (keras.Model, kerasmith.Model):
        keras.utils.set_random_seed(5)
        model = two_outputs(kind)
        model.compile("sgd", ["mse", "mae"], loss_weights=[1.0, 0.5])
        histories.append(fit(model, y=[Y, -Y]))
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-6, err_msg=name)


def test_metrics_stand_beside_the_terms():
    model = functional()
    model.compile("sgd", objective(), metrics=["mae"], weighted_metrics=[keras.metrics.MeanSquaredError(name="wmse")])
    history = fit(model, sample_weight=np.ones(COUNT, "float32"))
    assert set(history) == COLUMNS | {"mae", "wmse"}
    found = scores(model)
    np.testing.assert_allclose(found["mae"], np.abs(array(model(X)) - Y).mean(), rtol=1e-5)


def test_a_train_step_that_does_not_record_says_so():
    class Own(LayersInInit):
        def train_step(self, *args):
            x, y = args[-1][:2]
            y_pred = self.stateless_call(*args[0][:2], x)[0] if len(args) == 2 else self(x, training=True)
            return {"loss": self.compute_loss(x, y, y_pred)}

    model = Own()
    model.compile("sgd", Objective({"fit": "mse", "active": active}))
    with pytest.raises(ValueError, match=r"`train_step` of your own.*super\(\)\.train_step"):
        fit(model)


def test_the_objective_is_no_part_of_the_graph(tmp_path):
    plain, model = functional(keras.Model, name="net"), functional(name="net")
    model.compile("sgd", objective())
    lines = {kind: [] for kind in ("plain", "objective")}
    plain.summary(print_fn=lambda line, **_: lines["plain"].append(line))
    model.summary(print_fn=lambda line, **_: lines["objective"].append(line))
    assert "objective" not in "\n".join(lines["objective"])
    assert [layer.name.split("_")[0] for layer in model.layers] == [layer.name.split("_")[0] for layer in plain.layers]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        model.export(tmp_path / "exported", verbose=False)
        exported = tf.saved_model.load(str(tmp_path / "exported"))
        np.testing.assert_allclose(exported.serve(X), model.predict(X, verbose=0), rtol=1e-5)


def test_frozen_layers_stay():
    model = functional()
    model.layers[1].trainable = False
    model.compile(keras.optimizers.SGD(0.1), objective())
    frozen, free = array(model.layers[1].kernel), array(model.layers[-1].kernel)
    assert set(fit(model)) == COLUMNS
    np.testing.assert_array_equal(array(model.layers[1].kernel), frozen)
    assert np.abs(array(model.layers[-1].kernel) - free).max() > 0
    assert len(model.trainable_variables) == 3


def test_a_layer_as_a_term_trains_with_the_model():
    class Scaled(layers.Layer):
        def build(self, *_):
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
            self.built = True

        def call(self, y, y_pred):
            return ops.mean(ops.abs(y - y_pred), axis=-1) * self.scale

    term = Scaled()
    with pytest.raises(ValueError, match=r"build\(\.\.\.\)"):
        functional().compile("sgd", Objective({"scaled": term}))
    term.build()
    model = functional()
    model.compile(keras.optimizers.SGD(0.1), Objective({"scaled": term, "shrink": shrink}))
    assert set(fit(model)) == {"loss", "scaled", "shrink"}
    assert float(array(term.scale)) < 1.0


def test_a_tap_used_twice_gives_both_tensors():
    inputs, tap = keras.Input((3,)), Tap("both")
    model = kerasmith.Model(inputs, layers.Dense(1)(tap(layers.Dense(3, name="inner")(tap(inputs)))))

    def moved(x, features):
        before, after = features["both"]
        return ops.mean(ops.square(after - before), axis=-1)

    model.compile(keras.optimizers.SGD(0.0), Objective({"moved": moved}))
    after = array(model.get_layer("inner")(X))
    np.testing.assert_allclose(scores(model)["moved"], np.square(after - X).mean(), rtol=1e-5)
