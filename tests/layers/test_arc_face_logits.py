"""ArcFaceLogits: values and gradients, precision, masks, shapes, seeds, saving."""

import json

import keras
import numpy as np
import pytest
import torch
from keras import ops
from keras.src.backend import get_keras_mask

from kerasmith import layers, losses
from tests.support import fresh_process
from tests.support.gradients import value_and_grad


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(ops.cast(x, "float32")))


def built(kernel, **config):
    layer = layers.ArcFaceLogits(kernel.shape[1], **config)
    layer.build((None, kernel.shape[0]))
    layer.set_weights([kernel])
    return layer


@pytest.mark.parametrize("shape", [(7, 5), (3, 4, 5)])
def test_value_and_gradient_against_torch(shape):
    x, kernel, factor = normal(*shape), normal(5, 4, seed=1), normal(*shape[:-1], 4, seed=2)
    other = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    direction = torch.nn.functional.normalize(torch.tensor(kernel, dtype=torch.float64), dim=0)
    expected = torch.nn.functional.normalize(other, dim=-1) @ direction
    (expected * torch.tensor(factor)).sum().backward()
    layer = built(kernel)
    np.testing.assert_allclose(numpy(layer(x)), expected.detach().numpy(), atol=1e-6)
    _, slope = value_and_grad(lambda x: ops.sum(layer(x) * ops.convert_to_tensor(factor)), x)
    np.testing.assert_allclose(slope, other.grad.numpy(), atol=1e-5 * np.abs(slope).max())


def test_the_loss_of_the_library_in_a_model():
    # One plain step of gradient descent moves the class directions as in pytorch-metric-learning.
    from tests.oracles import metric_learning as pml

    x, kernel, ids = normal(12, 5), normal(5, 4, seed=1), np.arange(12) % 4
    loss = pml.losses.ArcFaceLoss(4, 5, margin=float(np.degrees(0.4)), scale=16)
    loss.W.data = torch.tensor(kernel, dtype=torch.float64)
    loss(torch.tensor(x, dtype=torch.float64), torch.tensor(ids)).backward()
    model = keras.Sequential([keras.Input((5,)), layers.ArcFaceLogits(4)])
    model.set_weights([kernel])
    model.compile(keras.optimizers.SGD(0.1), losses.ArcFace(0.4, 16.0))
    model.train_on_batch(x, ids)
    step = (kernel - np.asarray(model.get_weights()[0])) / 0.1
    expected = loss.W.grad.numpy()
    np.testing.assert_allclose(step, expected, atol=2e-5 * np.abs(expected).max())


def test_zero_and_extreme_embeddings():
    layer = built(normal(5, 4))
    x = np.stack([np.zeros(5), np.full(5, 1e30), np.full(5, 1e-30)]).astype("float32")
    value, slope = value_and_grad(lambda x: ops.sum(layer(x)), x)
    assert np.isfinite(value)
    assert np.all(np.isfinite(slope))
    cosines = numpy(layer(x))
    assert not cosines[0].any()
    np.testing.assert_allclose(cosines[1], cosines[2], rtol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
def test_cosines_stay_in_float32(policy):
    x, kernel = normal(6, 512), normal(512, 3, seed=1)
    layer = built(kernel, dtype=policy)
    cosines = layer(x)
    assert keras.backend.standardize_dtype(cosines.dtype) == "float32"
    assert layer.compute_output_spec(keras.KerasTensor((None, 512), "float16")).dtype == "float32"
    if policy.startswith("mixed"):
        np.testing.assert_allclose(numpy(cosines), numpy(built(kernel)(x)), atol=1e-6)


def test_float64():
    layer = built(normal(5, 3), dtype="float64")
    assert layer.compute_output_spec(keras.KerasTensor((None, 5), "float64")).dtype == "float64"


def test_mixed_precision_in_fit():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4), layers.ArcFaceLogits(3)])
        model.compile(keras.optimizers.Adam(0.05), losses.ArcFace())
        history = model.fit(normal(30, 6), np.arange(30) % 3, epochs=6, verbose=0).history["loss"]
    finally:
        keras.config.set_dtype_policy(before)
    assert np.isfinite(history).all()
    assert history[-1] < history[0]
    assert model.outputs[0].dtype == "float32"


def test_shapes_and_masks():
    layer = layers.ArcFaceLogits(3)
    assert layer.compute_output_shape((None, 7, 5)) == (None, 7, 3)
    assert layer(keras.Input((7, 5))).shape == (None, 7, 3)
    steps = normal(2, 4, 5)
    steps[:, 2:] = 0
    model = keras.Sequential([keras.Input((4, 5)), keras.layers.Masking(), layers.ArcFaceLogits(3)])
    got = model(steps)
    mask = ops.convert_to_numpy(get_keras_mask(got))
    np.testing.assert_array_equal(mask, [[True, True, False, False]] * 2)


def test_seeds_decide_the_weights():
    kernels = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        layer = layers.ArcFaceLogits(3)
        layer.build((None, 5))
        kernels.append(numpy(layer.kernel))
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.abs(kernels[0] - kernels[2]).max() > 1e-3


def test_regularizer_adds_a_loss():
    layer = built(np.ones((5, 3), "float32"), kernel_regularizer=keras.regularizers.L2(0.1))
    assert float(layer.losses[0]) == pytest.approx(1.5)


def test_config_keeps_every_argument():
    layer = layers.ArcFaceLogits(
        4, kernel_initializer=keras.initializers.HeNormal(seed=3), kernel_regularizer="l2", name="heads", dtype="mixed_float16"
    )
    text = json.dumps(keras.saving.serialize_keras_object(layer))
    again = keras.saving.deserialize_keras_object(json.loads(text))
    assert again.get_config() == layer.get_config()
    assert (again.num_classes, again.name, again.kernel_initializer.seed) == (4, "heads", 3)
    assert again.dtype_policy.name == "mixed_float16"


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX can be told the precision of one product")
def test_products_keep_full_precision_on_accelerators():
    import jax

    layer = built(normal(5, 3))
    program = jax.jit(jax.grad(lambda x: ops.sum(layer(x) ** 2))).trace(normal(6, 5))
    products = [line for line in program.lower(lowering_platforms=("cuda",)).as_text().splitlines() if "dot_general" in line]
    assert products
    assert all("[HIGHEST, HIGHEST]" in line for line in products)


LOAD = """
import json, sys
import kerasmith, keras
import numpy as np
model = keras.saving.load_model(sys.argv[1] + "/model.keras")
data = np.load(sys.argv[1] + "/data.npz")
print(json.dumps(model.evaluate(data["x"], data["y"], verbose=0)))
"""


@pytest.mark.heavy("starts a process that imports the backend anew", on=("jax", "tensorflow"), seconds=3)
def test_loads_in_a_fresh_process(tmp_path):
    x, y = normal(12, 5), np.arange(12) % 3
    model = keras.Sequential([keras.Input((5,)), layers.ArcFaceLogits(3)])
    model.compile("sgd", losses.ArcFace(0.3, 10.0))
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=x, y=y)
    got = json.loads(fresh_process.run(LOAD, tmp_path).splitlines()[-1])
    assert got == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-5)


def test_bad_input():
    with pytest.raises(ValueError, match="num_classes"):
        layers.ArcFaceLogits(1)
    with pytest.raises(TypeError, match="whole number"):
        layers.ArcFaceLogits(2.5)
    for shape in ((5,), (None, None)):
        with pytest.raises(ValueError, match=r"known dimension.*Received"):
            layers.ArcFaceLogits(3).build(shape)
