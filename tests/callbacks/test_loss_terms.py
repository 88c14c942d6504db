"""LossTerms: each term of a composite loss in the history, with the numbers of the terms themselves."""

import keras
import numpy as np
import pytest

from kerasmith.callbacks import LossTerms
from kerasmith.losses import Dice, DiceCE, DiceFocal, Focal
from tests.losses.battery import batch


def model(loss, **config):
    net = keras.Sequential([keras.Input((6, 5, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
    net.compile(keras.optimizers.SGD(0.0), loss, **config)
    return net


@pytest.mark.parametrize("jit_compile", [False, True])
def test_terms_are_those_of_the_loss(jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
    data, weight = batch(1, size=(7, 6, 5)), np.linspace(0, 2, 7).astype("float32")
    net = model(DiceFocal(0.3, 2.0, gamma=1.0), jit_compile=jit_compile)
    history = net.fit(
        data.y_pred,
        data.y_true,
        sample_weight=weight,
        batch_size=3,
        epochs=2,
        shuffle=False,
        verbose=0,
        validation_data=(data.y_pred, data.y_true),
        callbacks=[LossTerms()],
    ).history
    assert set(history) == {"loss", "dice", "focal", "val_loss", "val_dice", "val_focal"}
    prediction = net.predict(data.y_pred, verbose=0)
    for name, loss in (("dice", Dice()), ("focal", Focal(gamma=1.0))):
        batches = [slice(0, 3), slice(3, 6), slice(6, 7)]
        weighted = sum(float(loss(data.y_true[b], prediction[b], weight[b])) * len(weight[b]) for b in batches) / 7
        np.testing.assert_allclose(history[name], [weighted] * 2, rtol=1e-5)
        np.testing.assert_allclose(history[f"val_{name}"], [float(loss(data.y_true, prediction))] * 2, rtol=1e-5)
    np.testing.assert_allclose(history["loss"], 0.3 * np.array(history["dice"]) + 2 * np.array(history["focal"]), rtol=1e-5)


def test_a_second_fit_and_a_second_callback_show_the_same_columns():
    data = batch(1)
    net = model(DiceCE())
    for _ in range(2):
        history = net.fit(data.y_pred, data.y_true, verbose=0, callbacks=[LossTerms()]).history
        assert set(history) == {"loss", "dice", "ce"}


def test_a_metric_of_the_same_name_is_refused():
    net = model(DiceCE(), metrics=[keras.metrics.BinaryAccuracy(name="dice")])
    data = batch(1)
    with pytest.raises(ValueError, match="'dice'"):
        net.fit(data.y_pred, data.y_true, verbose=0, callbacks=[LossTerms()])
