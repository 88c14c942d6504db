"""Distance transforms on host and device against SciPy."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.objects.distance_maps import signed_distances, squared_distances, squared_distances_on_device
from tests.oracles.shape_loops import border_distance, signed_distance
from tests.support.cover import each_value

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")

CASES = [
    ((23,), None),
    ((23,), 1.7),
    ((1, 9), None),
    ((12, 19), None),
    ((12, 19), [0.4, 2.5]),
    ((7, 1, 8), 0.5),
    ((9, 8, 11), [3.0, 1.0, 0.7]),
]


def random_masks(shape):
    rng = np.random.default_rng(0)
    return np.stack([rng.random(shape) < share for share in (0.1, 0.5, 0.9, 0.0, 1.0)])


@pytest.mark.parametrize(("shape", "spacing"), CASES)
def test_host_equals_scipy(shape, spacing):
    masks = random_masks(shape)
    sampling = spacing
    got = squared_distances(masks, spacing)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, [border_distance(m, sampling) ** 2 for m in masks], rtol=1e-5)
    np.testing.assert_allclose(signed_distances(masks, spacing), [signed_distance(m, sampling) for m in masks], rtol=1e-5)
    np.testing.assert_array_equal(squared_distances(np.asfortranarray(masks), spacing), got)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize(("shape", "spacing"), CASES)
@pytest.mark.parametrize("jit", [False, True])
def test_device_equals_host(shape, spacing, jit):
    masks = random_masks(shape)
    got = run(lambda x: squared_distances_on_device(x, spacing), masks, jit)
    np.testing.assert_allclose(got, squared_distances(masks, spacing), rtol=1e-5)


def test_whole_numbers_are_exact_on_the_device():
    masks = np.zeros((1, 64, 70), bool)
    masks[0, 5, 9] = True
    row, column = np.mgrid[:64, :70]
    expected = (row - 5) ** 2 + (column - 9) ** 2
    expected[5, 9] = 1
    np.testing.assert_array_equal(run(squared_distances_on_device, masks, True)[0], expected)


def test_nothing_at_all():
    for empty in (np.zeros((0, 4, 4), bool), np.zeros((2, 0, 4), bool)):
        assert squared_distances(empty).shape == empty.shape
        assert tuple(squared_distances_on_device(ops.convert_to_tensor(empty)).shape) == empty.shape


def test_bad_images_are_refused():
    for transform in (squared_distances, squared_distances_on_device):
        with pytest.raises(ValueError, match="4 spatial axes"):
            transform(np.zeros((1, 2, 2, 2, 2), bool))
        with pytest.raises(ValueError, match=r"spacing=\[1, 2, 3\]"):
            transform(np.zeros((1, 2, 2), bool), [1, 2, 3])


def run(function, masks, jit):
    backend = keras.backend.backend()
    if jit and backend == "tensorflow":
        import tensorflow as tf

        function = tf.function(function, jit_compile=True)
    if jit and backend == "jax":
        import jax

        function = jax.jit(function)
    return ops.convert_to_numpy(function(ops.convert_to_tensor(masks)))
