"""A composite loss given to `kerasmith.Model` shows its terms without a callback."""

import keras
import numpy as np
import pytest

import kerasmith
from kerasmith import losses
from kerasmith.callbacks import LossTerms

rng = np.random.default_rng(0)
x = rng.random((5, 6, 6, 1)).astype("float32")
y = (rng.random((5, 6, 6, 1)) < 0.4).astype("float32")


def made(model=kerasmith.Model, **compiled):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 1))
    model = model(inputs, keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(inputs))
    model.compile("sgd", **compiled)
    return model


def dice_and_cross_entropy(p):
    """Of each image, in NumPy."""
    t, p = np.float64(y).reshape(5, -1), np.float64(p).reshape(5, -1)
    dice = 1 - (2 * (t * p).sum(1) + 2e-5) / (t.sum(1) + p.sum(1) + 2e-5)
    return dice, -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(1)


def test_terms_are_shown_once_and_belong_to_the_model():
    """In history and evaluation, for ragged batches and weights; nothing changes what is trained."""
    loss = 0.3 * losses.Dice() + losses.CrossEntropy(name="ce")
    model, plain = made(loss=loss), made(keras.Model, loss=0.3 * losses.Dice() + losses.CrossEntropy(name="ce"))
    dice, ce = dice_and_cross_entropy(model.predict(x, verbose=0))
    values = model.evaluate(x, y, batch_size=2, return_dict=True, verbose=0)
    assert sorted(values) == ["ce", "dice", "loss"]
    assert values["dice"] == pytest.approx(dice.mean(), abs=1e-5)
    assert values["ce"] == pytest.approx(ce.mean(), abs=1e-5)
    assert values["loss"] == pytest.approx(0.3 * dice.mean() + ce.mean(), abs=1e-5)
    history = model.fit(x, y, validation_data=(x, y), batch_size=2, shuffle=False, verbose=0, callbacks=[LossTerms()]).history
    assert sorted(history) == ["ce", "dice", "loss", "val_ce", "val_dice", "val_loss"]
    assert history["loss"][0] == pytest.approx(0.3 * history["dice"][0] + history["ce"][0], abs=1e-5)
    plain.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    for ours, theirs in zip(model.get_weights(), plain.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    # Outside of the model's steps the loss feeds nobody.
    loss(y, np.full_like(y, 0.5))
    assert loss.trackers == ()
    assert float(model.evaluate(x, y, return_dict=True, verbose=0)["dice"]) == pytest.approx(history["val_dice"][0], abs=1e-5)


@pytest.mark.host("names of columns, before anything is trained")
def test_names():
    def columns(**compiled):
        return [metric.name for metric in made(**compiled).metrics]

    assert "dice" in columns(loss=losses.DiceCE())
    # A metric of that name keeps it.
    names = columns(loss=losses.DiceCE(), metrics=[kerasmith.metrics.DiceScore(name="dice")])
    assert "dice_ce_dice" in names
    assert "dice_ce_ce" in names
    assert columns(loss=losses.Dice()) == columns(loss="mse") == ["loss"]
    model = made(loss=losses.DiceCE())
    model.compile("sgd", losses.DiceFocal())
    assert [metric.name for metric in model.metrics] == ["loss", "dice", "focal"]
    model.compile("sgd", kerasmith.Objective({"a": losses.DiceCE()}))
    assert "a" in [metric.name for metric in model.metrics]
    assert "ce" not in [metric.name for metric in model.metrics]


def test_saved_and_loaded(tmp_path):
    model = made(loss=losses.DiceCE())
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.evaluate(x, y, return_dict=True, verbose=0) == pytest.approx(
        model.evaluate(x, y, return_dict=True, verbose=0), abs=1e-6
    )


def test_each_output_has_its_terms():
    inputs = keras.Input((6, 6, 1))
    first = keras.layers.Conv2D(1, 1, activation="sigmoid", name="a")(inputs)
    second = keras.layers.Conv2D(1, 1, activation="sigmoid", name="b")(inputs)
    model = kerasmith.Model(inputs, {"a": first, "b": second})
    model.compile("sgd", {"a": losses.DiceCE(), "b": losses.DiceCE()}, run_eagerly=True)
    values = model.evaluate(x, {"a": y, "b": y}, return_dict=True, verbose=0)
    assert {"a_dice", "a_ce", "b_dice", "b_ce"} <= set(values)
