"""Perceptual losses against plain PyTorch in float64: values, gradients, layouts, ranges; the published LPIPS."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses
from kerasmith.backbones import lpips
from kerasmith.backbones.lpips import published_weights
from tests.losses.batches import images
from tests.losses.test_battery import same, value
from tests.oracles import features_torch, lpips_torch
from tests.support.agreement import gradient
from tests.support.gradients import value_and_grad
from tests.support.tiny_backbone import tiny_backbone

pytestmark = pytest.mark.formula("values and gradients beside an oracle")

LAYERS = ["first", "second"]


def agrees(got, expected, slope=1e-5):
    np.testing.assert_allclose(got[0], expected[0].mean(), rtol=2e-6)
    np.testing.assert_allclose(got[1], expected[1], atol=slope * np.abs(expected[1]).max())


@pytest.mark.parametrize(("alpha", "distance"), [(0.3, "l1"), (0.7, "l2"), (0.0, "l2"), (1.0, "l1")])
def test_perceptual(alpha, distance):
    y_true, y_pred = images(9, 8, 2)()
    weights = tiny_backbone().get_weights()
    loss = losses.Perceptual(tiny_backbone(), LAYERS, alpha, distance)
    expected = features_torch.perceptual(y_true, y_pred, weights, alpha, distance)
    agrees(gradient(loss, y_true, y_pred), expected)
    if alpha == 0.3:
        same(value(losses.perceptual, y_true, y_pred, backbone=tiny_backbone(), layers=LAYERS, alpha=alpha), expected[0])
        first = (np.ascontiguousarray(np.moveaxis(a, -1, 1)) for a in (y_true, y_pred))
        same(value(losses.Perceptual(tiny_backbone(), LAYERS, alpha, axis=1), *first), expected[0].mean())
        factors = losses.Perceptual(tiny_backbone(), LAYERS, alpha, layer_weights=[2, 0.1])
        expected = features_torch.perceptual(y_true, y_pred, weights, alpha, distance, (2, 0.1))
        same(value(factors, y_true, y_pred), expected[0].mean())


def test_gram_style():
    y_true, y_pred = images(9, 8, 2)()
    expected = features_torch.gram_style(y_true, y_pred, tiny_backbone().get_weights())
    agrees(gradient(losses.GramStyle(tiny_backbone(), LAYERS), y_true, y_pred), expected)
    same(value(losses.gram_style, y_true, y_pred, backbone=tiny_backbone(), layers=LAYERS), expected[0], rtol=5e-6)


@pytest.mark.parametrize(("net", "size"), [("alex", (35, 33)), ("vgg", (19, 16))])
def test_lpips(net, size):
    y_true, y_pred = (2 * a - 1 for a in images(*size, 3)())
    expected = lpips_torch.lpips(net, *published_weights(net), y_true[:2], y_pred[:2])
    got = gradient(losses.LPIPS(net), y_true[:2], y_pred[:2])
    assert abs(got[0] - expected[0].mean()) < 1e-6
    agrees(got, expected)
    if net == "alex":
        halves = (np.ascontiguousarray(np.moveaxis(a[:2] / 2 + 0.5, -1, 1)) for a in (y_true, y_pred))
        same(value(losses.lpips, *halves, value_range=(0, 1), axis=1), expected[0], rtol=5e-6)


@pytest.mark.heavy("two images of 512 x 512 pixels through VGG16", seconds=20)
def test_lpips_of_two_photographs():
    data = pytest.importorskip("skimage.data")
    camera, gravel = (
        np.repeat(a[None, ..., None], 3, -1).astype("float32") / 127.5 - 1 for a in (data.camera(), data.gravel())
    )
    assert value(losses.LPIPS("vgg"), camera, gravel) == pytest.approx(0.7237163782, abs=1e-6)


@pytest.mark.heavy("traces a large network in a step", on=("tensorflow",), seconds=4)
def test_a_function_makes_its_network_inside_of_a_step():
    y_true, y_pred = images(32, 31, 3)()
    expected = value(losses.LPIPS(value_range=(0, 1)), y_true[:1], y_pred[:1])
    lpips._network.cache_clear()
    got = value_and_grad(lambda p: ops.sum(losses.lpips(y_true[:1], p, value_range=(0.0, 1.0))), y_pred[:1], jit=True)
    same(got[0], expected, rtol=1e-5)
    same(value(losses.lpips, y_true[:1], y_pred[:1], value_range=(0.0, 1.0)), [expected], rtol=1e-5)


def test_a_vector_of_zeros_has_a_finite_gradient():
    black = np.full((1, 32, 32, 3), -1.0, "float32")
    got, slope = gradient(losses.LPIPS(), black, black)
    assert abs(got) < 1e-9
    assert np.all(np.isfinite(slope))


@pytest.mark.parametrize("name", ["vgg16", "mobilenet", "densenet121", "efficientnetb0"])
def test_images_go_through_what_the_network_was_trained_on(name):
    from kerasmith.backbones.applications import of_application

    module = {"densenet121": "densenet", "efficientnetb0": "efficientnet"}.get(name, name)
    colours = np.random.default_rng(0).uniform(0, 1, (2, 3, 3, 3)).astype("float32")
    expected = getattr(keras.applications, module).preprocess_input(255.0 * colours, data_format="channels_last")
    for low, high in ((0, 1), (-1, 1), (0, 255)):
        given = ops.convert_to_tensor(low + (high - low) * colours)
        np.testing.assert_allclose(ops.convert_to_numpy(of_application(name, (low, high))(given)), expected, atol=2e-4)
