"""Total variation of images and volumes, as a map."""

from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics.safe import absolute, root


def variation_map(x: Tensor, isotropic: bool = False, valid: Tensor | None = None) -> Tensor:
    """The variation at each pixel: from its differences to the next pixel along each axis, 0 behind the last pixel.

    Args:
        x: (B, *spatial, C).
        isotropic: False for the sum of the absolute differences, True for the root of their sum of squares.
        valid: (B, *spatial), 0 on pixels that take part in no difference; or None.

    Returns:
        (B, *spatial, C).
    """
    total = None
    for axis in range(1, len(x.shape) - 1):
        behind, ahead = _cut(axis, slice(None, -1)), _cut(axis, slice(1, None))
        difference = x[ahead] - x[behind]
        if valid is not None:
            difference = difference * ops.expand_dims(valid[ahead] * valid[behind], -1)
        term = ops.square(difference) if isotropic else absolute(difference)
        term = ops.pad(term, [(0, 1) if i == axis else (0, 0) for i in range(len(x.shape))])
        total = term if total is None else total + term
    return root(total) if isotropic else total


def _cut(axis, part):
    return (slice(None),) * axis + (part,)
