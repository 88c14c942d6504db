"""Image losses against pytorch-msssim, MONAI, scikit-image, TensorFlow, kornia and plain loops; their limits and errors."""

import importlib.util

import keras
import numpy as np
import pytest

from kerasmith import losses
from kerasmith.numerics.gaussian_filter import gaussian_window
from tests.losses.batches import images
from tests.losses.test_battery import masked, same, value
from tests.oracles import images as oracles
from tests.support.agreement import JIT, agrees, gradient, name
from tests.support.cover import each_value
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("values and gradients beside an oracle")

needs_tensorflow = pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="the oracle is TensorFlow's")
WANG = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("shape", [(13, 12, 2), (24, 17, 1), (11, 11, 3), (12, 13, 11, 1)], ids=str)
@pytest.mark.parametrize("max_val", [1.0, 255.0])
def test_ssim(shape, max_val):
    y_true, y_pred = (max_val * a for a in images(*shape)())
    loss = losses.SSIM(max_val)
    expected = oracles.msssim_ssim(max_val, 11, 1.5)(y_true, y_pred)
    agrees(gradient(loss, y_true, y_pred), expected)
    if len(shape) == 3:
        assert value(loss, y_true, y_pred) == pytest.approx(oracles.skimage_ssim(max_val, 1.5)(y_true, y_pred), rel=1e-5)
    first = (np.ascontiguousarray(np.moveaxis(a, -1, 1)) for a in (y_true, y_pred))
    got, slope = gradient(losses.SSIM(max_val, axis=1), *first)
    agrees((got, np.moveaxis(slope, 1, -1)), expected)


@pytest.mark.parametrize("shape", [(9, 12, 2), (8, 9, 10, 2)], ids=str)
def test_ssim_of_monai(shape):
    y_true, y_pred = images(*shape)()
    expected = oracles.monai_ssim(len(shape) - 1, 1.0, 7, 1.1)(y_true, y_pred)
    agrees(gradient(losses.SSIM(window=7, sigma=1.1), y_true, y_pred), expected, 2e-5)


@needs_tensorflow
def test_ssim_of_tensorflow():
    y_true, y_pred = images(15, 20, 3)()
    expected = oracles.tensorflow_ssim(1.0, filter_size=9, filter_sigma=2.0)(y_true, y_pred)
    agrees(gradient(losses.SSIM(window=9, sigma=2.0), y_true, y_pred), expected, 2e-5)


def test_ssim_from_its_definition_with_one_window_per_axis():
    y_true, y_pred = images(4, 7, 6, 1)()
    sizes, sigmas = [1, 5, 3], [1.0, 1.5, 0.7]
    windows = [gaussian_window(size, sigma) for size, sigma in zip(sizes, sigmas)]
    pairs = zip(y_true[..., 0], y_pred[..., 0])
    expected = [oracles.ssim_loops(y, x, windows, 0.02**2, 0.05**2).mean() for y, x in pairs]
    loss = losses.SSIM(window=sizes, sigma=sigmas, k1=0.02, k2=0.05, reduction="none")
    same(value(loss, y_true, y_pred), expected, rtol=1e-5)


@pytest.mark.parametrize("noise", [1e-1, 1e-2, 1e-3, 1e-4])
def test_nearly_equal_bright_images_lose_no_digits(noise):
    rng = np.random.default_rng(0)
    y_true = (0.9 + 0.05 * rng.random((2, 16, 16, 1))).astype("float32")
    y_pred = (y_true + noise * rng.normal(size=y_true.shape)).astype("float32")
    agrees(gradient(losses.SSIM(), y_true, y_pred), oracles.msssim_ssim(1.0, 11, 1.5)(y_true, y_pred))


def test_equal_images():
    y_true, _ = images(13, 12, 2)()
    for loss in (losses.SSIM(), losses.MSSSIM(window=5, scale_weights=[0.5, 0.5])):
        got, slope = gradient(loss, y_true, y_true)
        assert abs(got) < 1e-6
        assert np.abs(slope).max() < 1e-6


@pytest.mark.parametrize("loss", [losses.SSIM(), losses.MSSSIM(window=5, scale_weights=[0.5, 0.5])], ids=name)
def test_constant_images_are_finite(loss):
    for truth, prediction in ((0, 0), (0.5, 0.5), (0, 1), (1, 0.5)):
        y_true, y_pred = (np.full((1, 14, 12, 1), level, "float32") for level in (truth, prediction))
        got, slope = gradient(loss, y_true, y_pred)
        assert np.isfinite(got)
        assert np.all(np.isfinite(slope))
        assert (got > 0.01) == (truth != prediction)


@pytest.mark.parametrize("shape", [(176, 192, 1), (162, 163, 2)], ids=str)
def test_ms_ssim(shape):
    y_true, y_pred = (a[:2] for a in images(*shape)())
    got = gradient(losses.MSSSIM(), y_true, y_pred)
    agrees(got, oracles.wang_ms_ssim(1.0, 11, 1.5, WANG)(y_true, y_pred))
    if shape[0] % 16 == 0:
        # pytorch-msssim mixes zeros into the border of odd sides.
        agrees(got, oracles.msssim_ms_ssim(1.0, 11, 1.5, WANG)(y_true, y_pred))
    if importlib.util.find_spec("tensorflow"):
        agrees(got, oracles.tensorflow_ms_ssim(1.0, WANG)(y_true, y_pred), 3e-4)  # its float32 is not centred


def test_ms_ssim_of_volumes():
    y_true, y_pred = (a[:2] for a in images(40, 40, 40, 1)())
    weights = [0.2, 0.3, 0.5]
    expected = oracles.msssim_ms_ssim(2.0, 3, 0.8, weights)(y_true, y_pred)
    agrees(gradient(losses.MSSSIM(2.0, weights, window=3, sigma=0.8), y_true, y_pred), expected)


@needs_tensorflow
def test_ms_ssim_with_other_scales():
    y_true, y_pred = images(35, 29, 3)()
    weights = [0.1, 0.5, 0.4]
    expected = oracles.tensorflow_ms_ssim(1.0, weights, filter_size=5)(y_true, y_pred)
    agrees(gradient(losses.MSSSIM(1.0, weights, window=5), y_true, y_pred), expected, 1e-4)


def test_ms_ssim_of_one_scale_is_ssim():
    y_true, y_pred = images(13, 12, 2)()
    expected = gradient(losses.SSIM(), y_true, y_pred)
    agrees(gradient(losses.MSSSIM(scale_weights=[1.0]), y_true, y_pred), expected)


def test_anti_correlated_images_are_finite():
    y_true, _ = images(22, 21, 1)()
    for prediction in (1 - y_true, -y_true):
        got, slope = gradient(losses.MSSSIM(window=5, scale_weights=[0.2, 0.3, 0.5]), y_true, prediction.astype("float32"))
        same(got, 1.0)
        assert np.all(np.isfinite(slope))
    assert value(losses.SSIM(window=5), y_true, 1 - y_true) > 1


def test_weights_of_places():
    y_true, y_pred = images(13, 12, 1)()
    windows = [gaussian_window(5, 1.5)] * 2
    places = np.stack([oracles.ssim_loops(y[..., 0], x[..., 0], windows, 1e-4, 9e-4) for y, x in zip(y_true, y_pred)])
    weight = np.random.default_rng(0).random((4, 13, 12)).astype("float32")
    inner = weight[:, 2:-2, 2:-2]
    same(value(losses.SSIM(window=5), y_true, y_pred, weight), (places * inner).mean(), rtol=1e-5)
    loss = losses.SSIM(window=5, reduction="mean_with_sample_weight")
    same(value(loss, y_true, y_pred, weight[..., None]), (places * inner).sum() / inner.sum(), rtol=1e-5)


def test_windows_that_touch_a_masked_pixel_are_left_out():
    y_true, y_pred = images(13, 12, 2)()
    expected = value(losses.SSIM(window=5), y_true[:, :, 3:], y_pred[:, :, 3:])
    mask = np.ones((4, 13, 12), bool)
    mask[:, :, :3] = False
    y_true[:, :, 0] = np.nan
    got, slope = gradient_masked(losses.SSIM(window=5), y_true, y_pred, mask)
    same(got, expected)
    assert np.all(slope[:, :, :3] == 0)
    assert np.any(slope[:, :, 3] != 0)
    same(value(losses.SSIM(window=5), y_true, masked(y_pred, np.zeros_like(mask))), 0)


def gradient_masked(loss, y_true, y_pred, mask):
    # Adding 0 gives a fresh tensor that can carry the mask.
    return value_and_grad(lambda p: loss(y_true, masked(p + 0.0, mask)), y_pred, jit=JIT)


@pytest.mark.parametrize("shape", [(6, 5, 2), (7, 9, 1)], ids=str)
def test_total_variation(shape):
    y_true, y_pred = images(*shape)()
    agrees(gradient(losses.TotalVariation(), y_true, y_pred), oracles.kornia_total_variation()(y_true, y_pred))
    first = np.ascontiguousarray(np.moveaxis(y_pred, -1, 1))
    same(value(losses.TotalVariation(axis=1), y_true, first), value(losses.TotalVariation(), y_true, y_pred))
    if importlib.util.find_spec("tensorflow"):
        import tensorflow as tf

        each = tf.image.total_variation(tf.constant(y_pred)).numpy() / np.prod(shape)
        same(value(losses.TotalVariation(reduction="none"), y_true, y_pred), each)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("kind", ["anisotropic", "isotropic"])
@pytest.mark.parametrize("shape", [(6, 5, 1), (4, 5, 6, 1)], ids=str)
def test_total_variation_from_its_definition(kind, shape):
    y_true, y_pred = images(*shape)()
    maps = np.stack([oracles.variation_loops(x[..., 0], kind == "isotropic") for x in y_pred])
    loss = losses.TotalVariation(kind)
    same(value(loss, y_true, y_pred), maps.mean())
    same(value(loss, np.zeros((4, 1)), y_pred), maps.mean())
    weight = np.random.default_rng(0).random(maps.shape).astype("float32")
    same(value(loss, y_true, y_pred, weight), (maps * weight).mean())
    mask = np.ones(maps.shape, bool)
    mask[:, 4:] = False
    got, slope = gradient_masked(loss, y_true, y_pred, mask)
    same(got, value(loss, y_true, y_pred[:, :4]))
    assert np.all(slope[:, 4:] == 0)


@pytest.mark.parametrize("kind", ["anisotropic", "isotropic"])
def test_total_variation_of_a_constant_image_is_flat(kind):
    image = np.full((2, 6, 5, 1), 0.3, "float32")
    got, slope = gradient(losses.TotalVariation(kind), image, image)
    assert got == 0
    assert np.all(slope == 0)


def test_total_variation_does_not_depend_on_the_size():
    stripes = np.tile(np.array([0, 1, 1, 0], "float32")[None, None, :, None], (1, 8, 8, 1))
    larger = np.tile(stripes, (1, 4, 4, 1))
    assert value(losses.TotalVariation(), larger, larger) == pytest.approx(
        value(losses.TotalVariation(), stripes, stripes), rel=0.05
    )


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: losses.SSIM(window=10), ValueError, "`window` must be odd"),
        (lambda: losses.SSIM(window=[11, 8]), ValueError, "`window` must be odd"),
        (lambda: losses.SSIM(window=1.5), TypeError, "`window` must be a whole number"),
        (lambda: losses.SSIM(sigma=0), ValueError, "`sigma`.*> 0"),
        (lambda: losses.SSIM(k2=0), ValueError, "`k2`.*> 0"),
        (lambda: losses.SSIM(max_val=0), ValueError, "`max_val`.*> 0"),
        (lambda: losses.SSIM(axis=2), ValueError, "`axis` must be one of -1, 1"),
        (lambda: losses.MSSSIM(scale_weights=[0, 0]), ValueError, "at least one number above 0"),
        (lambda: losses.TotalVariation("huber"), ValueError, "'anisotropic', 'isotropic'"),
        (lambda: losses.SSIM()(*zeros(10, 16, 1)), ValueError, "at least 11 x 11 pixels.*of 10 x 16 pixels.*smaller `window`"),
        (lambda: losses.SSIM()(*zeros(5, 16, 16, 1)), ValueError, "at least 11 x 11 x 11 pixels"),
        (lambda: losses.SSIM(window=[3, 5])(*zeros(8, 9, 10, 1)), ValueError, "each of the 3 spatial axes"),
        (lambda: losses.MSSSIM()(*zeros(160, 200, 1)), ValueError, "at least 161 x 161 .* 5 scales.*fewer `scale_weights`"),
        (lambda: losses.SSIM()(*zeros(16, 16)), ValueError, r"y_pred\[\.\.\., None\]"),
        (lambda: losses.TotalVariation(axis=1)(*zeros(16, 16)), ValueError, r"y_pred\[:, None\]"),
        (lambda: losses.SSIM()(zeros(16, 16, 1)[0], zeros(16, 16, 3)[0]), ValueError, "broadcast"),
        (
            lambda: losses.MSSSIM(window=3, scale_weights=[1])(*zeros(8, 8, 1), np.ones((2, 8, 8))),
            ValueError,
            r"one weight.*\(B,\)",
        ),
        (lambda: losses.TotalVariation()(np.zeros((3, 1)), zeros(8, 8, 1)[0]), ValueError, "same number of samples"),
    ],
)
def test_bad_input(make, error, text):
    with pytest.raises(error, match=text):
        make()


def zeros(*shape):
    return np.zeros((2, *shape), "float32"), np.zeros((2, *shape), "float32")


def test_labels_without_a_channel_axis():
    y_true, y_pred = images(13, 12, 1)()
    same(value(losses.SSIM(), y_true[..., 0], y_pred), value(losses.SSIM(), y_true, y_pred))


def test_a_metric_of_the_same_name_can_be_registered():
    registered = keras.saving.get_registered_name
    assert registered(losses.SSIM) == "kerasmith>SSIMLoss"
    assert registered(losses.MSSSIM) == "kerasmith>MSSSIMLoss"
    assert losses.SSIM().name == "ssim"
    assert losses.MSSSIM().name == "ms_ssim"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="unknown sizes inside a traced function are TensorFlow's")
@pytest.mark.parametrize(
    "loss",
    [
        losses.SSIM(),
        losses.SSIM(axis=1),
        losses.MSSSIM(window=3, scale_weights=[0.5, 0.5]),
        losses.TotalVariation("isotropic"),
    ],
    ids=name,
)
@pytest.mark.parametrize("rank", [2, 3])
def test_images_of_unknown_size_in_a_traced_function(loss, rank):
    import tensorflow as tf

    y_true, y_pred = images(*(13, 12, 11)[:rank], 2)()
    if loss.axis == 1:
        y_true, y_pred = (np.ascontiguousarray(np.moveaxis(a, -1, 1)) for a in (y_true, y_pred))
    unknown = (None,) * (rank + 1)
    spec = tf.TensorSpec((*unknown, 2) if loss.axis == -1 else (None, 2, *unknown[1:]))
    traced = tf.function(loss, input_signature=[spec, spec])
    same(float(traced(y_true, y_pred)), value(loss, y_true, y_pred), rtol=1e-5)
