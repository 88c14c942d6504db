"""Predictions of windows beside those of the whole image."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from kerasmith.recipes.images.sliding_window import predict_windows
from kerasmith.recipes.unet import unet

RNG = np.random.default_rng(0)
host = pytest.mark.host("cuts and blends with NumPy")


def filtered(batch):
    """A network that looks 3 pixels far, with zeros beyond the edge: two channels."""
    spatial = batch.ndim - 2
    kernel = np.random.default_rng(1).normal(size=(7,) * spatial)
    first = [ndimage.convolve(image[..., 0], kernel, mode="constant") for image in batch]
    return np.stack([np.tanh(first), np.array(first) + batch[..., 0]], axis=-1)


@host
@pytest.mark.parametrize("overlap", [0.5, 0.8])
@pytest.mark.parametrize(
    ("size", "window"), [((64, 64), (32, 32)), ((50, 71), (32, 24)), ((33, 20), (32, 32)), ((40, 30, 26), (24, 24, 26))]
)
def test_windows_equal_the_whole_where_the_network_looks_no_further(size, window, overlap):
    image = RNG.normal(size=(*size, 1)).astype("float32")
    whole = filtered(image[None])[0]
    result = predict_windows(filtered, image, window=window, overlap=overlap, batch_size=3)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, whole, atol=1e-5)


@host
def test_the_grid_of_a_network_that_halves_is_kept():
    def pooled(batch):
        means = batch.reshape(len(batch), batch.shape[1] // 8, 8, batch.shape[2] // 8, 8).mean((2, 4))
        return means.repeat(8, 1).repeat(8, 2)[..., None]

    image = RNG.normal(size=(80, 120, 1)).astype("float32")
    result = predict_windows(pooled, image, window=(32, 40), divisor=8)
    np.testing.assert_allclose(result, pooled(image[None])[0], atol=1e-6)
    # Another size is continued by reflection.
    cut = image[:77, :115]
    expected = pooled(np.pad(cut, ((0, 3), (0, 5), (0, 0)), mode="reflect")[None])[0][:77, :115]
    np.testing.assert_allclose(predict_windows(pooled, cut, window=(32, 40), divisor=8), expected, atol=1e-6)


@host
def test_small_images_and_whole_windows():
    seen = []

    def same(batch):
        seen.append(batch.shape)
        return batch

    image = RNG.normal(size=(5, 20, 2)).astype("float32")
    np.testing.assert_allclose(predict_windows(same, image, window=(16, 16), divisor=4), image, atol=1e-6)
    np.testing.assert_allclose(predict_windows(same, image, window=(16, 16), whole_window=True), image, atol=1e-6)
    one = np.full((1, 1, 2), 3, "float32")
    np.testing.assert_allclose(predict_windows(same, one, window=(16, 16), divisor=8), one)
    assert seen == [(2, 8, 16, 2), (2, 16, 16, 2), (1, 8, 8, 2)]


@host
@pytest.mark.parametrize("size", [(16, 24), (8, 16, 12)])
def test_flips_are_the_mean_of_the_plain_loop(size):
    def ramp(batch):
        return batch * np.arange(batch.shape[1]).reshape((-1,) + (1,) * (batch.ndim - 2)) + batch[:, :, :1]

    image = RNG.normal(size=(*size, 1)).astype("float32")
    expected = 0
    for number in range(2 ** len(size)):
        axes = [axis for axis in range(len(size)) if number >> axis & 1]
        expected = expected + np.flip(ramp(np.flip(image, axes)[None])[0], axes) / 2 ** len(size)
    np.testing.assert_allclose(predict_windows(ramp, image, window=size, flips=True), expected, atol=1e-5)


@host
def test_batches_are_of_one_size_and_progress_is_told():
    sizes, told = [], []

    def same(batch):
        sizes.append(len(batch))
        return batch

    predict_windows(same, np.zeros((64, 64, 1)), window=(32, 32), batch_size=4, on_window=lambda *count: told.append(count))
    assert sizes == [4, 4, 4]
    assert told == [(4, 9), (8, 9), (9, 9)]


@host
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": (8,)}, "each spatial axis"),
        ({"window": (8, 8), "overlap": 1.0}, "overlap=1.0"),
        ({"window": (8, 8), "overlap": -0.1}, "overlap=-0.1"),
        ({"window": (8, 8), "batch_size": 0}, "batch_size=0"),
        ({"window": (8, 9), "divisor": 4}, "multiples of divisor=4"),
        ({"window": (8, 0)}, "window"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        predict_windows(lambda x: x, np.zeros((16, 16, 1)), **options)


@host
def test_a_prediction_of_another_size_is_refused():
    with pytest.raises(ValueError, match="Expected a prediction"):
        predict_windows(lambda x: x[:, ::2], np.zeros((16, 16, 1)), window=(8, 8))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_convolutional_network_gives_the_whole_from_windows(dimensions):
    keras.utils.set_random_seed(0)
    convolve = getattr(keras.layers, f"Conv{dimensions}D")
    inputs = keras.Input((None,) * dimensions + (2,))
    model = keras.Model(inputs, convolve(3, 3, padding="same")(convolve(4, 3, padding="same", activation="relu")(inputs)))

    def run(batch):
        return keras.ops.convert_to_numpy(model(batch, training=False))

    image = RNG.normal(size=(*(40, 36, 20)[:dimensions], 2)).astype("float32")
    result = predict_windows(run, image, window=(16,) * dimensions, batch_size=8)
    np.testing.assert_allclose(result, run(image[None])[0], atol=1e-5)


@pytest.mark.heavy("calls a network of many layers", on=("tensorflow", "jax"), seconds=3)
def test_a_unet_keeps_its_grid():
    """Far from the seams a shallow network does not see them."""
    keras.utils.set_random_seed(0)
    model = unet((4, 4), ["mask"])

    def run(batch):
        return keras.ops.convert_to_numpy(model(batch, training=False)["mask"])

    image = RNG.normal(size=(64, 128, 1)).astype("float32")
    result = predict_windows(run, image, window=(64, 64), divisor=2)
    np.testing.assert_allclose(result, run(image[None])[0], atol=1e-5)
