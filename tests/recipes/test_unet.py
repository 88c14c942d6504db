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


@pytest.mark.host("names and shapes of layers")
def test_the_first_call_builds_the_model_that_it_always_built():
    keras.backend.clear_session()
    model = unet((4, 8), ["mask", "cores"])
    names = [layer.name for layer in model.layers]
    assert names[:5] == ["image", "conv2d", "batch_normalization", "re_lu", "conv2d_1"]
    assert set(names[-2:]) == {"mask", "cores"}
    kernels = [tuple(weight.shape) for weight in model.weights if len(weight.shape) == 4]
    first, second = [(3, 3, 1, 4), (3, 3, 4, 4), (3, 3, 4, 8), (3, 3, 8, 8)], [(1, 1, 8, 4), (3, 3, 8, 4), (3, 3, 4, 4)]
    assert kernels == [*first, *second, (1, 1, 4, 1), (1, 1, 4, 1)]
    assert model.count_params() == 1650


@pytest.mark.heavy("builds, calls and saves networks", on=("tensorflow", "jax"), seconds=3)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_channels_dimensions_and_classes(dimensions, tmp_path):
    model = unet((2, 4), {"organs": 3, "edge": 1}, channels=2, dimensions=dimensions)
    x = np.random.default_rng(0).normal(size=(1, *(4, 6, 8)[:dimensions], 2)).astype("float32")
    result = {name: keras.ops.convert_to_numpy(value) for name, value in model(x).items()}
    assert {name: value.shape for name, value in result.items()} == {"organs": (*x.shape[:-1], 3), "edge": (*x.shape[:-1], 1)}
    assert unet((2,), ["a", "b"], outputs=5, dimensions=dimensions).output["b"].shape[-1] == 5
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")(x)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again["organs"]), result["organs"])


@pytest.mark.host("looks at arguments only")
@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (((4,), "mask"), {}, r'\["mask"\]'),
        (((4,), []), {}, "heads"),
        (((4,), ["a", "a"]), {}, "name of its own"),
        (((), ["a"]), {}, "widths"),
        (((4, 0), ["a"]), {}, "widths"),
        (((4,), ["a"]), {"dimensions": 4}, "dimensions=4"),
        (((4,), ["a"]), {"channels": 0}, "channels"),
        (((4,), {"a": 1.5}), {}, "outputs"),
    ],
)
def test_wrong_arguments_are_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        unet(*arguments, **options)


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
