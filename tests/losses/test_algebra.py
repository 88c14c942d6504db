"""`a * L1 + L2`: values, gradients, names, saving, and each part in a fit."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.callbacks import LossTerms
from kerasmith.losses import CrossEntropy, Dice, DiceCE, Focal, Jaccard, KerasLoss, WeightedSum
from tests.losses.battery import batch
from tests.support import fresh_process
from tests.support.gradients import value_and_grad

DATA = batch(1, size=(7, 6, 5))


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"])
@pytest.mark.parametrize("weight", [None, "sample", "pixel"])
def test_the_sum_is_the_sum_of_the_values(reduction, weight):
    shape = {"sample": (7,), "pixel": (7, 6, 5)}.get(weight)
    weight = shape and np.random.default_rng(1).random(shape).astype("float32")
    a, b, c = (loss(reduction=reduction) for loss in (Dice, Focal, DiceCE))
    total = 0.5 * (a - 2 * b) + c / 4 + -a
    assert total.reduction == reduction

    def by_hand(p):
        return ops.sum(-0.5 * a(DATA.y_true, p, weight) - b(DATA.y_true, p, weight) + c(DATA.y_true, p, weight) / 4)

    expected, slope = value_and_grad(by_hand, DATA.y_pred)
    got, other = value_and_grad(lambda p: ops.sum(total(DATA.y_true, p, weight)), DATA.y_pred)
    assert got == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(other, slope, atol=1e-6 * np.abs(slope).max())


def test_names_are_flat_and_unique():
    total = 0.3 * (Dice() + Focal(name="f")) + DiceCE() + keras.losses.MeanSquaredError()
    assert total.term_names == ("dice", "f", "dice_2", "ce", "mean_squared_error")
    assert sum([Dice(), Focal()]).term_names == ("dice", "focal")
    assert [type(loss) for loss in total.losses] == [Dice, Focal, DiceCE, KerasLoss]
    np.testing.assert_allclose(total.factors, [0.3, 0.3, 1, 1])
    assert (np.float32(2) * Dice()).factors == [2.0]
    assert WeightedSum([Dice(), "mse"], [1, 2], name="mine").name == "mine"


@pytest.mark.heavy("compiles a fit and loads it in another process", on=("jax", "tensorflow"), seconds=5)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_every_part_is_in_the_history_and_in_the_saved_model(tmp_path, jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
    weight = np.linspace(0, 2, 7).astype("float32")
    model = keras.Sequential([keras.Input((6, 5, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
    total = 0.3 * Dice() + 2 * (CrossEntropy(name="ce") + keras.losses.MeanSquaredError())
    model.compile(keras.optimizers.SGD(0.0), total, jit_compile=jit_compile)
    history = model.fit(
        DATA.y_pred, DATA.y_true, sample_weight=weight, batch_size=3, shuffle=False, verbose=0, callbacks=[LossTerms()]
    ).history
    assert set(history) == {"loss", "dice", "ce", "mean_squared_error"}
    prediction = model.predict(DATA.y_pred, verbose=0)
    squares = (weight * ((prediction - DATA.y_true) ** 2).mean((1, 2, 3))).mean()
    assert history["mean_squared_error"][0] == pytest.approx(squares, rel=1e-5)
    parts = 0.3 * history["dice"][0] + 2 * (history["ce"][0] + squares)
    assert history["loss"][0] == pytest.approx(parts, rel=1e-5)

    expected = model.evaluate(DATA.y_pred, DATA.y_true, verbose=0, return_dict=True)["loss"]
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=DATA.y_pred, y=DATA.y_true)
    code = """
import sys, keras, kerasmith, json, numpy as np
data = np.load(sys.argv[1] + "/data.npz")
model = keras.saving.load_model(sys.argv[1] + "/model.keras")
print(json.dumps([model.evaluate(data["x"], data["y"], verbose=0), model.loss.term_names, model.loss.factors]))
"""
    value, names, factors = json.loads(fresh_process.run(code, tmp_path).splitlines()[-1])
    assert value == pytest.approx(expected, rel=1e-6)
    assert (names, factors) == (["dice", "ce", "mean_squared_error"], [0.3, 2.0, 2.0])


def test_two_outputs_show_their_parts_under_their_names():
    inputs = keras.Input((6, 5, 1))
    heads = {name: keras.layers.Conv2D(1, 1, activation="sigmoid", name=name)(inputs) for name in ("left", "right")}
    model = keras.Model(inputs, heads)
    model.compile("sgd", {"left": DiceCE(), "right": DiceCE()})
    labels = {"left": DATA.y_true, "right": DATA.y_true}
    history = model.fit(DATA.y_pred, labels, verbose=0, callbacks=[LossTerms()]).history
    assert {"left_dice", "left_ce", "right_dice", "right_ce"} < set(history)


def test_no_term_is_computed_twice():
    calls = []

    class Counting(Jaccard):
        def per_sample(self, pixels, weights):
            calls.append(self.name)
            return super().per_sample(pixels, weights)

    total = 0.3 * Counting(name="a") + 0.7 * Counting(name="b")
    total.track_terms()
    total(DATA.y_true, DATA.y_pred)
    assert calls == ["a", "b"]


@pytest.mark.parametrize(
    "loss",
    [
        keras.losses.Huber(delta=0.1),
        keras.losses.MeanAbsoluteError(reduction="sum"),
        keras.losses.BinaryFocalCrossentropy(gamma=3.0, axis=-1),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.2),
        keras.losses.CosineSimilarity(axis=1),
        keras.losses.Dice(),
        "log_cosh",
        keras.losses.mean_squared_error,
    ],
    ids=lambda loss: getattr(loss, "name", None) or getattr(loss, "__name__", loss),
)
def test_losses_of_keras_keep_their_value_and_their_arguments(loss):
    data = batch(3)
    plain = keras.losses.get(loss) if isinstance(loss, str) else loss
    expected = float(ops.mean(plain(data.y_true, data.y_pred)))
    ours = KerasLoss(loss)
    assert float(ours(data.y_true, data.y_pred)) == pytest.approx(expected, rel=1e-6)
    again = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(ours))))
    assert float(again(data.y_true, data.y_pred)) == pytest.approx(expected, rel=1e-6)


def test_losses_of_keras_get_weights_that_reach_the_sample():
    data, weight = batch(3), np.array([0, 1, 2, 3.0], "float32")
    squares = ((data.y_true - data.y_pred) ** 2).mean((1, 2, 3))
    loss = KerasLoss("mse", reduction="mean_with_sample_weight")
    assert float(loss(data.y_true, data.y_pred, weight)) == pytest.approx((weight * squares).sum() / 6, rel=1e-5)
    with pytest.raises(ValueError, match="one number for the whole batch"):
        KerasLoss(keras.losses.Dice())(data.y_true, data.y_pred, weight)


def test_bad_sums_are_refused():
    with pytest.raises(ValueError, match=r"same `reduction`.*'sum'"):
        Dice() + Focal(reduction="sum")
    with pytest.raises(ValueError, match="One factor for each loss"):
        WeightedSum([Dice()], [1, 2])
    with pytest.raises(ValueError, match="finite"):
        float("nan") * Dice()
    with pytest.raises(TypeError, match="from_function"):
        Dice() + (lambda y_true, y_pred: y_pred)
    with pytest.raises(TypeError, match="unsupported operand"):
        Dice() * Focal()
    with pytest.raises(TypeError, match="loss of Keras"):
        Dice() + 3


def test_a_missing_target_of_weight_0_does_no_harm():
    y_true, y_pred = np.array([[1.0, np.nan], [0.0, 2.0]], "float32"), np.ones((2, 2), "float32")
    weight = np.array([[1.0, 0.0], [1.0, 1.0]], "float32")
    for loss, y in (
        (KerasLoss("mse"), y_true[..., None]),
        (0.5 * KerasLoss("mse") + keras.losses.LogCosh(), y_true[..., None]),
    ):
        got, slope = value_and_grad(lambda p, y=y, loss=loss: loss(y, p, weight), y_pred[..., None])
        assert np.isfinite(got)
        assert np.isfinite(slope).all()
