"""Small images, masks and weights of pixels, the same in every process."""

import numpy as np


def weighted_masks(samples):
    """(x, y, weight); every third sample weighs nothing."""
    rng = np.random.default_rng(0)
    x = rng.random((samples, 3, 3, 2), "float32")
    weight = rng.random((samples, 3, 3)).astype("float32")
    weight[::3] = 0
    return x, (x[..., :1] > 0.5).astype("float32"), weight
