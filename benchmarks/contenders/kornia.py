"""The Lovasz losses of kornia, channels first. They take the batch as one image, so images go in one by one."""

import numpy as np

from benchmarks.contenders.contender import Contender, channels_first

try:
    from kornia import losses
except ImportError:
    losses = None


def contender(loss, case):
    if loss != "lovasz" or losses is None or len(case.shape) != 4:
        return None
    one = losses.lovasz_hinge_loss if case.channels == 1 else losses.lovasz_softmax_loss

    def per_image(y, p):
        return sum(one(image[None], labels[None]) for image, labels in zip(p, y)) / len(p)

    ids = case.truth()[..., 0] if case.channels == 1 else case.truth()
    # It subtracts Jaccard indices close to 1 from each other, and float32 keeps few digits of the differences.
    return Contender(per_image, ids.astype(np.int64), channels_first(case.predictions()), channel_axis=1, tolerance=0.05)
