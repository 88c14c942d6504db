"""The device counts equal the host counts, compiled by XLA, on masks made to be hard for label propagation."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from kerasmith.numerics.matching import detection_counts

if keras.backend.backend() != "tensorflow":
    pytest.skip("only TensorFlow under XLA forbids host calls", allow_module_level=True)

import tensorflow as tf

from kerasmith.numerics.label_propagation import detection_counts_on_device


def spiral(n):
    """One arm that winds inward with a gap of one pixel: the longest way round for a label."""
    mask = np.zeros((n, n), bool)
    r = c = 0
    dr, dc = 0, 1
    mask[r, c] = True
    for _ in range(n * n):
        a, b = r + 2 * dr, c + 2 * dc
        blocked = not (0 <= r + dr < n and 0 <= c + dc < n) or (0 <= a < n and 0 <= b < n and mask[a, b])
        if blocked:
            dr, dc = dc, -dr
            if mask[r + dr, c + dc] or mask[min(max(r + 2 * dr, 0), n - 1), min(max(c + 2 * dc, 0), n - 1)]:
                break
        r, c = r + dr, c + dc
        mask[r, c] = True
    return mask


def rings(n):
    y, x = np.mgrid[:n, :n] - n // 2
    return np.maximum(abs(y), abs(x)) % 2 == 0


def masks():
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(rng.normal(size=(2, 41, 41)), (0, 2, 2))
    board = np.indices((41, 41)).sum(0) % 2 == 0
    single = np.zeros((41, 41), bool)
    single[[0, 0, 40, 20], [0, 40, 40, 20]] = True
    hard = [spiral(41), spiral(41)[::-1], spiral(41).T, rings(41), board, single, np.zeros((41, 41), bool), np.ones((41, 41), bool)]
    return np.stack([*hard, *(rng.random((4, 41, 41)) < np.array([0.2, 0.45, 0.6, 0.8])[:, None, None]), *(smooth > 0.02)])


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.8])
@pytest.mark.parametrize(("connectivity", "min_size"), [(None, 0), (4, 0), (8, 5)])
def test_equals_the_host_in_2d(threshold, connectivity, min_size):
    truth = masks()
    rng = np.random.default_rng(1)
    prediction = np.concatenate([truth[1:], truth[:1]]) ^ (rng.random(truth.shape) < 0.02)
    prediction[3:8] = truth[3:8]
    expected = detection_counts(truth, prediction, threshold, connectivity=connectivity, min_size=min_size)
    compiled = tf.function(
        lambda a, b: detection_counts_on_device(a, b, threshold, connectivity, min_size),
        jit_compile=True,
        input_signature=[tf.TensorSpec((None, 41, 41), tf.bool)] * 2,
    )
    got = compiled(truth, prediction).numpy()
    np.testing.assert_array_equal(got, expected)
    assert expected[:, 0].sum() > 0
    assert compiled(truth[:0], prediction[:0]).shape == (0, 3)


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_equals_the_host_in_3d(connectivity):
    rng = np.random.default_rng(2)
    truth = rng.random((3, 11, 12, 13)) < 0.25
    prediction = truth ^ (rng.random(truth.shape) < 0.03)
    expected = detection_counts(truth, prediction, 0.3, connectivity=connectivity)
    got = tf.function(lambda a, b: detection_counts_on_device(a, b, 0.3, connectivity), jit_compile=True)(truth, prediction)
    np.testing.assert_array_equal(got.numpy(), expected)
