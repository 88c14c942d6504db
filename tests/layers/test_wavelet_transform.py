"""WaveletTransform and its inverse: beside PyWavelets, at every size, layouts, models of unknown sizes, saving."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import layers
from tests.support.gradients import value_and_grad

WAVELETS = ("haar", "db2", "sym4")
EACH_WAVELET = pytest.mark.parametrize("wavelet", WAVELETS)
COMPILES = pytest.mark.heavy("each size compiles its operations anew", on=("jax", "tensorflow"), seconds=1.5)
Forward = functools.partial(layers.WaveletTransform, data_format="channels_last")
Inverse = functools.partial(layers.InverseWaveletTransform, data_format="channels_last")


def uniform(*shape, seed=0):
    return np.random.default_rng(seed).random(shape).astype("float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


@COMPILES
@EACH_WAVELET
@pytest.mark.parametrize("size", [(8, 10), (7, 9), (1, 3), (2, 2), (5, 4, 7), (2, 6, 3)])
def test_against_pywavelets_and_back(wavelet, size):
    import pywt

    image = uniform(2, *size, 3)
    axes = tuple(range(1, 1 + len(size)))
    bands = pywt.dwtn(image.astype("float64"), wavelet, mode="periodization", axes=axes)
    wanted = np.concatenate([bands[name] for name in sorted(bands)], axis=-1)
    found = Forward(wavelet)(image)
    np.testing.assert_allclose(numpy(found), wanted, atol=1e-6)
    assert Forward(wavelet).compute_output_shape(image.shape) == wanted.shape
    for inverse in (Inverse(wavelet)(found, like=image), Inverse(wavelet, size=size)(found)):
        np.testing.assert_allclose(numpy(inverse), image, atol=1e-6)
    first = np.ascontiguousarray(np.moveaxis(image, -1, 1))
    other = layers.WaveletTransform(wavelet, data_format="channels_first")(first)
    np.testing.assert_allclose(np.moveaxis(numpy(other), 1, -1), wanted, atol=1e-6)
    back = layers.InverseWaveletTransform(wavelet, size=size, data_format="channels_first")(other)
    np.testing.assert_allclose(numpy(back), first, atol=1e-6)


@COMPILES
@EACH_WAVELET
def test_the_gradient_is_the_inverse(wavelet):
    # Orthogonal: the gradient of <T x, c> by x is T^-1 c.
    image, weight = uniform(1, 6, 8, 2), uniform(1, 3, 4, 8, seed=1)
    _, slope = value_and_grad(lambda x: ops.sum(Forward(wavelet)(x) * ops.convert_to_tensor(weight)), image)
    np.testing.assert_allclose(slope, numpy(Inverse(wavelet)(weight)), atol=1e-6)


def test_a_model_of_unknown_sizes_reconstructs(tmp_path):
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, Inverse("db2")(Forward("db2")(inputs), like=inputs))
    assert model.output_shape == (None, None, None, 2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for shape in ((3, 7, 9, 2), (2, 1, 2, 2)):
        image = uniform(*shape)
        np.testing.assert_allclose(again.predict(image, verbose=0), image, atol=1e-6)


@pytest.mark.formula("rounding of our own sums")
def test_half_precision():
    image = np.full((1, 4, 5, 1), 300.0, "float16")
    for policy in ("mixed_float16", "float16", "mixed_bfloat16"):
        bands = Forward("sym4", dtype=policy)(image)
        assert keras.backend.standardize_dtype(bands.dtype) == policy.removeprefix("mixed_")
        bands = numpy(ops.cast(bands, "float32"))
        np.testing.assert_allclose(bands[..., 0], 600.0, rtol=1e-2)
        assert np.abs(bands[..., 1:]).max() < 1e-3


@pytest.mark.host("refuses shapes before anything is computed")
def test_bad_input():
    with pytest.raises(ValueError, match="'db2'"):
        layers.WaveletTransform("db3")
    with pytest.raises(ValueError, match="expand_dims"):
        Forward()(keras.Input((8, 8)))
    with pytest.raises(ValueError, match="multiple of 4 channels"):
        Inverse()(keras.Input((8, 8, 6)))
    for size, error, text in ((9, TypeError, "(H, W)"), ((9, 2.5), TypeError, "whole number"), ((0, 9), ValueError, ">= 1")):
        with pytest.raises(error, match=text.replace("(", r"\(").replace(")", r"\)")):
            Inverse(size=size)
    with pytest.raises(ValueError, match="belong to a size of 16 or 15"):
        Inverse(size=(14, 16))(keras.Input((8, 8, 8)))
    with pytest.raises(ValueError, match="must hold 2 numbers"):
        Inverse(size=(16, 16, 16))(keras.Input((8, 8, 8)))
    with pytest.raises(ValueError, match="differ"):
        Inverse(size=(15, 16))(keras.Input((8, 8, 8)), like=keras.Input((16, 16, 1)))
