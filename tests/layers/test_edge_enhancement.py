"""EdgeEnhancement: beside scikit-image and SciPy, borders, precision, gradients, layouts, training, saving, export."""

import functools
import json

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import layers
from tests.support import float64, fresh_process
from tests.support.gradients import value_and_grad

KINDS = ("sobel", "scharr", "laplacian", "log", "canny", "wavelet")
EACH_KIND = pytest.mark.parametrize("kind", KINDS)
COMPILES = pytest.mark.heavy("each kind and shape compiles its operations anew", on=("jax", "tensorflow"), seconds=2)
Layer = functools.partial(layers.EdgeEnhancement, data_format="channels_last")


def uniform(*shape, seed=0):
    return np.random.default_rng(seed).random(shape).astype("float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def edges(image, kind, **arguments):
    """The response to one image or volume without batch and channel."""
    return numpy(Layer(kind, **arguments)(image[None, ..., None]))[0, ..., 1]


@functools.cache
def expected(kind, scale):
    """A function of one image: what other libraries say."""
    from scipy import ndimage
    from skimage import filters

    at_one = {"sobel": filters.sobel, "scharr": filters.scharr, "laplacian": filters.laplace}
    if kind == "log":
        # Without its first pixel: SciPy's filter, cut off at 4 deviations, does not quite ignore a constant.
        return lambda x: -(scale**2) * ndimage.gaussian_laplace(x - x.mean(), scale, mode="nearest", truncate=4.0)
    factor, sigma = scale ** (2 if kind == "laplacian" else 1), (scale**2 - 1) ** 0.5
    # A filter after a blur, each with a border of its own, is another filter at the border: extended first, cut off again.
    wide = lambda x: ndimage.gaussian_filter(np.pad(x, 12, mode="edge"), sigma) if sigma else np.pad(x, 12, mode="edge")  # noqa: E731
    return lambda x: factor * at_one[kind](wide(x.astype("float64")))[(slice(12, -12),) * x.ndim]


@COMPILES
@pytest.mark.parametrize("shape", [(17, 22), (7, 9, 8), (1, 5)])
@pytest.mark.parametrize("scale", [1, 1.5, 2])
def test_against_scikit_image_and_scipy(shape, scale):
    image = uniform(*shape)
    for kind in ("sobel", "scharr", "laplacian", "log"):
        tolerance = 2e-3 if kind == "log" else 1e-5
        np.testing.assert_allclose(
            edges(image, kind, scales=(scale,)), expected(kind, scale)(image), atol=tolerance, err_msg=kind
        )


@COMPILES
@pytest.mark.parametrize(("wavelet", "level"), [("haar", 1), ("haar", 2), ("db2", 1), ("sym4", 1)])
def test_wavelets_against_pywavelets(wavelet, level):
    import pywt

    image = uniform(32, 32)
    details = pywt.swt2(image.astype("float64"), wavelet, level, norm=True)[0][1]
    wanted = np.sqrt(sum(band**2 for band in details))
    found = edges(image, "wavelet", scales=(level,), wavelet=wavelet)
    # PyWavelets goes on at the other side of the image, and numbers the pixels from another tap.
    inside = (slice(12, -12),) * 2
    shifted = [np.abs(np.roll(wanted, (by, by), (0, 1)) - found)[inside].max() for by in range(-4, 5)]
    assert min(shifted) < 1e-6


@COMPILES
def test_canny_beside_the_hard_one():
    # Hard edges are thin: those of either that have one of the other within a pixel.
    from scipy.ndimage import binary_dilation
    from skimage import data, feature

    image = data.camera()[100:260, 150:330].astype("float32") / 255
    for scale, low, high in ((1.0, 0.05, 0.1), (2.0, 0.04, 0.08)):
        hard = feature.canny(image, scale, 8 * low / scale, 8 * high / scale, mode="nearest")
        soft = edges(image, "canny", scales=(scale,), thresholds=(low, high), reach=32)
        assert 0 <= soft.min() <= soft.max() <= 1
        cut, near = soft > 0.5, functools.partial(binary_dilation, structure=np.ones((3, 3)))
        assert (cut & near(hard)).sum() > 0.85 * cut.sum()
        assert (hard & near(cut)).sum() > 0.85 * hard.sum()


@pytest.mark.heavy(
    "compiles a model of each kind", on=("jax", "tensorflow"), seconds=3, light=lambda kind: kind in ("sobel", "wavelet")
)
@EACH_KIND
def test_constants_give_zero_and_half_precision_stays_finite(kind):
    inputs = keras.Input((None, None, 2), dtype="float32")
    edge = Layer(kind, scales=(1, 2), dtype="mixed_float16")(inputs)[..., 2:]
    model = keras.Model(inputs, [edge, Layer(kind, "multiply", dtype="float16")(inputs)])
    flat, _ = model.predict(np.full((2, 5, 6, 2), 1234.5, "float32"), verbose=0)
    assert flat.dtype == "float16"
    assert not flat.any()
    extreme = np.where(uniform(2, 5, 6, 2) > 0.5, 6e4, -6e4).astype("float32")
    for values in model.predict(extreme, verbose=0):
        assert np.isfinite(values).all()
        assert values.any()


@COMPILES
@EACH_KIND
def test_gradient_by_image_and_filters(kind):
    with float64.enabled():
        image, weight = (uniform(1, 5, 6, 2, seed=seed).astype("float64") for seed in (1, 2))
        layer = Layer(kind, "multiply", scales=(1, 2), trainable=True, dtype="float64")
        layer.build(image.shape)
        function = lambda x: ops.sum(layer(x) * ops.convert_to_tensor(weight))  # noqa: E731
        _, slope = value_and_grad(function, image)
        for place in ((0, 0, 0, 0), (0, 2, 3, 1), (0, 4, 5, 0), (0, 3, 0, 1)):
            step = np.zeros_like(image)
            step[place] = 1e-6
            numeric = (numpy(function(image + step)) - numpy(function(image - step))) / 2e-6
            assert slope[place] == pytest.approx(numeric, rel=1e-4, abs=1e-5)
        # No pixel of a flat image has an undefined slope.
        _, slope = value_and_grad(function, np.zeros_like(image))
        assert np.isfinite(slope).all()


@COMPILES
@EACH_KIND
def test_layouts_modes_and_volumes(kind):
    for shape in ((2, 5, 6, 3), (1, 4, 5, 3, 2)):
        image = uniform(*shape)
        first = np.ascontiguousarray(np.moveaxis(image, -1, 1))
        both = numpy(Layer(kind, scales=(1, 2))(image))
        assert both.shape == (*shape[:-1], 3 * shape[-1])
        np.testing.assert_array_equal(both[..., : shape[-1]], image)
        mean = (both[..., shape[-1] : 2 * shape[-1]] + both[..., 2 * shape[-1] :]) / 2
        for mode, wanted in (("concat", both), ("add", image + mean), ("multiply", image * (1 + mean))):
            other = layers.EdgeEnhancement(kind, mode, scales=(1, 2), data_format="channels_first")
            assert other.compute_output_shape(first.shape) == tuple(other(first).shape)
            np.testing.assert_allclose(np.moveaxis(numpy(other(first)), 1, -1), wanted, atol=1e-5)
    # Each channel for itself.
    np.testing.assert_allclose(numpy(Layer(kind, "add")(image[..., :1])), numpy(Layer(kind, "add")(image))[..., :1], atol=1e-6)


LOAD = """
import json, sys
import kerasmith, keras
import numpy as np
model = keras.saving.load_model(sys.argv[1] + "/model.keras")
data = np.load(sys.argv[1] + "/data.npz")
print(json.dumps([float(np.abs(model.predict(data["x"], verbose=0) - data["y"]).max()), len(model.trainable_weights)]))
"""


@pytest.mark.heavy("trains, saves, and loads in another process", on=("jax", "tensorflow", "torch"), seconds=20)
def test_trained_frozen_saved_and_exported(tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, Layer("sobel", "add", scales=(1, 2), trainable=True, name="edges")(inputs))
    before = [numpy(w) for w in model.get_layer("edges").weights]
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(uniform(8, 9, 7, 2), uniform(8, 9, 7, 2, seed=1), verbose=0)
    assert all(np.abs(numpy(w) - b).max() > 1e-6 for w, b in zip(model.get_layer("edges").weights, before))
    # Trained, they are edge filters still.
    np.testing.assert_array_equal(model.predict(np.full((1, 6, 5, 2), 0.7), verbose=0), np.full((1, 6, 5, 2), 0.7, "float32"))
    model.get_layer("edges").trainable = False
    x = uniform(3, 11, 6, 2)
    y = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=x, y=y)
    gap, trainable = json.loads(fresh_process.run(LOAD, tmp_path).splitlines()[-1])
    assert gap < 1e-6
    assert trainable == 0
    if keras.backend.backend() != "torch":
        import tensorflow as tf

        model.export(tmp_path / "exported", format="tf_saved_model", verbose=False)
        exported = tf.saved_model.load(str(tmp_path / "exported"))
        np.testing.assert_allclose(exported.serve(tf.constant(x)).numpy(), y, atol=1e-6)


@pytest.mark.host("refuses arguments before anything is computed")
def test_bad_input():
    cases = [
        (dict(kind="prewitt"), ValueError, "'sobel'"),
        (dict(mode="sum"), ValueError, "'concat'"),
        (dict(scales=()), ValueError, "at least one scale"),
        (dict(scales=(0.5,)), ValueError, r"scales\[0\].*>= 1"),
        (dict(kind="log", scales=(0,)), ValueError, "> 0"),
        (dict(kind="wavelet", scales=(1.5,)), TypeError, "whole number"),
        (dict(scales=("a",)), TypeError, "number"),
        (dict(scales=(100,)), ValueError, "<= 32"),
        (dict(thresholds=(0.1, 0.2)), ValueError, "belongs to kind='canny'"),
        (dict(kind="canny", thresholds=(0.2, 0.1)), ValueError, "> 0.2"),
        (dict(kind="canny", thresholds=(0.2,)), ValueError, "two slopes"),
        (dict(kind="canny", thresholds=0.2), ValueError, r"two slopes.*thresholds=\(0.2,\)"),
        (dict(kind="wavelet", wavelet="db9"), ValueError, "'sym4'"),
        (dict(data_format="last"), ValueError, "channels_first"),
    ]
    for arguments, error, text in cases:
        with pytest.raises(error, match=text):
            layers.EdgeEnhancement(**arguments)
    for shape, text in (((None, 8, 8), "expand_dims"), ((None, 8, 8, None), "must be known")):
        with pytest.raises(ValueError, match=text):
            Layer()(keras.Input(shape[1:]))


@pytest.mark.host("reads a config and computes nothing")
def test_config_keeps_every_argument():
    layer = layers.EdgeEnhancement(
        "canny", "add", scales=(1, 2.5), trainable=True, thresholds=(0.1, 0.3), reach=3, data_format="channels_first"
    )
    again = layers.EdgeEnhancement.from_config(json.loads(json.dumps(layer.get_config())))
    assert again.get_config() == layer.get_config()
    assert (again.scales, again.thresholds, again.reach, again.trainable) == ((1, 2.5), (0.1, 0.3), 3, True)
