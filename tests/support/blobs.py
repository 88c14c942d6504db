"""Random images of several objects, and predictions of them."""

import numpy as np
from scipy import ndimage


def blobs(seed, size=(5, 40, 40)):
    """Random masks of several objects and a disturbed copy; the second image has no truth, the third no prediction."""
    truth, field = fields(seed, size)
    prediction = field > 0
    truth[1], prediction[2] = False, False
    return truth, prediction


def fields(seed, size=(5, 40, 40)):
    """Random masks of several objects, and logits of a prediction."""
    rng = np.random.default_rng(seed)
    sigma = (0, *[2.0] * (len(size) - 1))
    field = ndimage.gaussian_filter(rng.normal(size=size), sigma)
    truth = field > field.std()
    field = field + 0.6 * ndimage.gaussian_filter(rng.normal(size=size), sigma)
    return truth, 4 * (field / field.std() - 1)
