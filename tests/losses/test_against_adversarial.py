"""GeneratorLoss and DiscriminatorLoss against their formulas in float64 NumPy, for any shape of outputs."""

import numpy as np
import pytest
from keras import ops

from kerasmith import losses
from tests.support.gradients import value_and_grad

KINDS = ("bce", "hinge", "least_squares", "wgan")


def discriminator(kind, y, d, smoothing=0.0):
    """The loss of each output, and its slope."""
    if kind == "hinge":
        real, made = np.maximum(0, 1 - d), np.maximum(0, 1 + d)
        return y * real + (1 - y) * made, -y * (d < 1) + (1 - y) * (d > -1)
    if kind == "wgan":
        return np.where(y == 1, -d, d), np.where(y == 1, -1.0, 1.0)
    y = y * (1 - smoothing)
    if kind == "least_squares":
        return (d - y) ** 2, 2 * (d - y)
    return -(y * -np.logaddexp(0, -d) + (1 - y) * -np.logaddexp(0, d)), 1 / (1 + np.exp(-d)) - y


def generator(kind, d):
    """The loss of each output, and its slope."""
    if kind in ("hinge", "wgan"):
        return -d, -np.ones_like(d)
    return ((d - 1) ** 2, 2 * (d - 1)) if kind == "least_squares" else (np.logaddexp(0, -d), -1 / (1 + np.exp(d)))


@pytest.mark.formula("values and gradients beside an oracle")
@pytest.mark.parametrize("kind", KINDS)
def test_closed_forms(kind):
    rng = np.random.default_rng(0)
    y = np.array([1, 0, 0, 1])
    weight = rng.random(4)
    for shape in ((4,), (4, 1), (4, 3), (4, 3, 2, 1)):
        d = 2 * rng.normal(size=shape)
        label = np.broadcast_to(y.reshape(-1, *(1,) * (len(shape) - 1)), shape)
        outputs = d.size // 4
        smoothed = 0.1 if kind in ("bce", "least_squares") else 0.0
        for smoothing, given in ((0.0, y), (smoothed, label.astype("float32"))):
            values, slope = discriminator(kind, label, d, smoothing)
            each = values.reshape(4, -1).mean(1)
            loss = losses.DiscriminatorLoss(kind, label_smoothing=smoothing)
            got, gradient = value_and_grad(lambda p, loss=loss, given=given: loss(given, p, weight), d.astype("float32"))
            np.testing.assert_allclose(got, (weight * each).mean(), rtol=2e-6)
            scaled = slope * weight.reshape(-1, *(1,) * (len(shape) - 1)) / 4 / outputs
            np.testing.assert_allclose(gradient, scaled, atol=1e-6)
        values, slope = generator(kind, d)
        each = values.reshape(4, -1).mean(1)
        got, gradient = value_and_grad(lambda p: losses.GeneratorLoss(kind)(np.zeros(4), p), d.astype("float32"))
        np.testing.assert_allclose(got, each.mean(), rtol=2e-6)
        np.testing.assert_allclose(gradient, slope / d.size, atol=1e-6)
        # Real samples do not count.
        got, gradient = value_and_grad(lambda p, label=label: losses.GeneratorLoss(kind)(label, p), d.astype("float32"))
        np.testing.assert_allclose(got, each[y == 0].mean(), rtol=2e-6)
        assert np.all(gradient[y == 1] == 0)
        np.testing.assert_allclose(gradient[y == 0], slope[y == 0] / d.size * 2, atol=1e-6)


@pytest.mark.formula("values and gradients at the edge")
@pytest.mark.parametrize("kind", KINDS)
def test_finite_far_out(kind):
    d = np.array([200, -200, 200, -200], "float32")
    y = np.array([1, 1, 0, 0])
    for loss, truth, (values, slope) in (
        (losses.DiscriminatorLoss(kind, reduction="sum"), y, discriminator(kind, y, d.astype("float64"))),
        (losses.GeneratorLoss(kind, reduction="sum"), 0 * y, generator(kind, d.astype("float64"))),
    ):
        got, gradient = value_and_grad(lambda p, loss=loss, truth=truth: loss(truth, p), d)
        np.testing.assert_allclose(got, values.sum(), atol=1e-6)
        np.testing.assert_allclose(gradient, slope, atol=1e-6)


def test_single_patches_may_be_real_or_masked():
    rng = np.random.default_rng(1)
    d = rng.normal(size=(2, 3, 1)).astype("float32")
    y = np.array([[1, 0, 0], [1, 1, 1]])
    values = generator("bce", d[..., 0].astype("float64"))[0]
    got = ops.convert_to_numpy(losses.generator_loss(y, d))
    np.testing.assert_allclose(got, [values[0, 1:].mean(), 0], rtol=1e-6)
    assert float(losses.GeneratorLoss()(y, d)) == pytest.approx(values[0, 1:].mean(), rel=1e-6)
    weight = np.array([[1, 0, 2], [1, 1, 1]], "float32")
    assert float(losses.GeneratorLoss()(y, d, weight)) == pytest.approx(2 * values[0, 2] / 2, rel=1e-6)


def test_bad_input():
    d = np.zeros((3, 2), "float32")
    for loss in (losses.GeneratorLoss, losses.DiscriminatorLoss):
        with pytest.raises(ValueError, match=r"'hinge', 'least_squares', 'bce', 'wgan'.*'vanilla'"):
            loss("vanilla")
        with pytest.raises(ValueError, match=r"1 \(real\) and 0 \(generated\).*from 0 to 2.*ones_like"):
            loss()([0, 1, 2], d)
        with pytest.raises(ValueError, match="would broadcast"):
            loss()(np.zeros((3, 4)), d)
        with pytest.raises(ValueError, match="scalar"):
            loss()(0, d)
        with pytest.raises(ValueError, match="scalar"):
            loss()([0], np.float32(1))
    with pytest.raises(ValueError, match="fractions"):
        losses.GeneratorLoss()([0, 0.9, 0], d)
    with pytest.raises(ValueError, match=r"needs generated samples.*zeros_like"):
        losses.GeneratorLoss()(np.ones(3), d)
    with pytest.raises(ValueError, match="only 'bce' and 'least_squares'"):
        losses.DiscriminatorLoss("wgan", label_smoothing=0.1)
