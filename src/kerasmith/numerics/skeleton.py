"""Soft skeletons: centre lines of masks whose values lie between 0 and 1, with a gradient."""

import math

from keras import ops

from kerasmith._types import Tensor


def soft_skeleton(images: Tensor, iterations: int) -> Tensor:
    """What morphological opening removes at each of `iterations` erosions, joined; (M, *spatial) -> (M, *spatial).

    s = relu(x - open(x)); then, `iterations` times: x = erode(x), d = relu(x - open(x)), s = s + relu(d - s d)

    Args:
        images: values 0 to 1, (M, *spatial), 1-D to 3-D images.
        iterations: at least half the width of the widest structure, in pixels.

    Reference: Shit et al., "clDice - a novel topology-preserving loss function for tubular structure segmentation", 2021.
    """
    x = images
    eroded = _erode(x)
    skeleton = ops.relu(x - _dilate(eroded))
    for _ in range(iterations):
        x, eroded = eroded, _erode(eroded)
        ridge = ops.relu(x - _dilate(eroded))
        skeleton = skeleton + ops.relu(ridge - skeleton * ridge)
    return skeleton


def _erode(x):
    """The minimum over a pixel and its direct neighbours."""
    eroded = x
    for axis in range(1, len(x.shape)):
        lowest = -_maximum(-x, axis)
        eroded = ops.where(lowest < eroded, lowest, eroded)  # `ops.minimum` rounds float64 to float32 on PyTorch
    return eroded


def _dilate(x):
    """The maximum over a pixel and all its neighbours, diagonal ones too."""
    for axis in range(1, len(x.shape)):
        x = _maximum(x, axis)
    return x


def _maximum(x, axis):
    """The maximum over a pixel and its two neighbours along one axis.

    Always a 2-D pooling: of equal values, TensorFlow's 3-D pooling on a CPU gives each the whole gradient.
    """
    sizes = ops.shape(x)
    rows = ops.reshape(x, (-1, sizes[axis], math.prod(sizes[axis + 1 :]), 1))
    return ops.reshape(ops.max_pool(rows, (3, 1), strides=1, padding="same", data_format="channels_last"), sizes)
