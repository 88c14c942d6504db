"""Region losses with `soft_labels=True` against the formulas of the papers, as plain NumPy, and PyTorch's gradient of them."""

import keras
import numpy as np
import pytest
import torch
from keras import ops

from kerasmith import losses
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("values and gradients beside an oracle")


def semimetric(alpha, beta, gamma=1.0):
    """Wang et al. 2023: TP = (|p| + |y| - |p - y|) / 2, without smoothing, for each image and class."""

    def oracle(p, y, w):
        p, y = p * w, y * w
        both = (p.sum(1) + y.sum(1) - (p - y).abs().sum(1)) / 2
        index = both / (both + alpha * (p.sum(1) - both) + beta * (y.sum(1) - both))
        return ((1 - index) ** gamma).mean(-1)

    return oracle


LOSSES = {
    "Dice": (losses.Dice(smooth=0.0, soft_labels=True), semimetric(0.5, 0.5)),
    "Jaccard": (losses.Jaccard(smooth=0.0, soft_labels=True), semimetric(1.0, 1.0)),
    "Tversky": (losses.Tversky(0.2, 0.7, smooth=0.0, soft_labels=True), semimetric(0.2, 0.7)),
    "FocalTversky": (losses.FocalTversky(0.2, 0.7, 2.0, smooth=0.0, soft_labels=True), semimetric(0.2, 0.7, 2.0)),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("channels", [1, 3])
def test_value_and_gradient(name, channels):
    loss, oracle = LOSSES[name]
    rng = np.random.default_rng(0)
    p, y = rng.random((2, 3, 4, 7, channels)).astype("float32")
    w = rng.random((3, 4, 7)).astype("float32")
    tensors = [torch.tensor(np.asarray(x, "float64").reshape(3, 28, -1)) for x in (p, y, w)]
    tensors[0].requires_grad_(True)
    expected = oracle(*tensors).mean()
    expected.backward()
    got, slope = value_and_grad(lambda p: loss(y, p, w), p)
    assert got == pytest.approx(expected.item(), rel=1e-5)
    np.testing.assert_allclose(slope.reshape(3, 28, -1), tensors[0].grad.numpy(), rtol=1e-4, atol=1e-7)


ALL = (
    *(losses.Dice, losses.Jaccard, losses.Tversky, losses.FocalTversky, losses.GeneralizedDice, losses.LogCoshDice),
    *(losses.DiceIoU, losses.UnifiedFocal),
)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_smallest_where_predictions_are_the_labels(cls, channels):
    more = {"weight": 0.0} if cls is losses.UnifiedFocal else {}  # its Tversky term
    soft, hard = (cls(smooth=0.0, soft_labels=value, **more) for value in (True, False))
    rng = np.random.default_rng(1)
    y = rng.uniform(0.1, 0.9, (2, 4, 5, channels)).astype("float32")
    least, slope = value_and_grad(lambda p: soft(y, p), y)
    assert least == pytest.approx(0, abs=1e-4)  # a root of what is rounded
    np.testing.assert_allclose(slope, 0, atol=1e-7)
    assert float(hard(y, y)) > 1e-3
    others = [np.clip(y + rng.normal(0, 0.1, y.shape), 0, 1).astype("float32"), np.round(y), np.zeros_like(y)]
    assert min(float(soft(y, p)) for p in others) > 1e-3
    # With labels of 0 and 1 nothing changes.
    ids, p = np.round(y), others[0]
    assert float(soft(ids, p)) == pytest.approx(float(hard(ids, p)), rel=1e-5)


def test_saved_and_passed_on():
    loss = losses.DiceCE(soft_labels=True)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.soft_labels is True
    y = np.full((1, 4, 1), 0.25, "float32")
    assert float(losses.dice(y, y, soft_labels=True)[0]) == pytest.approx(0, abs=1e-6)
    alone = losses.CrossEntropy()(y, y)
    assert float(again(y, y)) == pytest.approx(float(alone) / 2, rel=1e-5)
    assert float(ops.sum(losses.Dice(scope="batch", soft_labels=True)(y, y))) == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="soft_labels"):
        losses.Dice(soft_labels="yes")
