import keras
import numpy as np
import pytest

from kerasmith.recipes.unet import unet


@pytest.mark.parametrize("shape", [(1, 16, 24), (3, 8, 8)])
def test_every_head_has_one_channel_in_the_size_of_the_image(shape):
    model = unet((4, 8, 8), ["mask", "cores"])
    outputs = model(np.zeros((*shape, 1), "float32"))
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {"mask": (*shape, 1), "cores": (*shape, 1)}


def test_a_far_pixel_reaches_the_output_through_the_deepest_level():
    keras.utils.set_random_seed(0)
    model = unet((4, 4, 8), ["mask"])
    x = np.zeros((1, 32, 32, 1), "float32")
    there = x.copy()
    there[0, 4, 4] = 10
    change = np.abs(keras.ops.convert_to_numpy(model(there)["mask"] - model(x)["mask"]))[0, ..., 0]
    assert change[14, 4] > 0


def test_it_saves_and_loads(tmp_path):
    model = unet((4, 8), ["mask", "cores"])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype("float32")
    for name, value in model(x).items():
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(value), keras.ops.convert_to_numpy(again(x)[name]))


def test_heads_stay_in_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        outputs = unet((4, 8), ["mask"])(np.zeros((1, 8, 8, 1), "float32"))
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(outputs["mask"].dtype) == "float32"
