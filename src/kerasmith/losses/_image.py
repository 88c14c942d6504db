"""What losses on whole images have in common: how images and volumes are read."""

from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import Loss
from kerasmith.base.arguments import check_choice
from kerasmith.labels.image_pairs import image_shape
from kerasmith.numerics.tensors import accumulation_dtype


class ImageLoss(Loss):
    """Base of losses on images (B, H, W, C) and volumes (B, D, H, W, C).

    Args:
        axis: the channel axis, -1 or 1.
        reduction, name, dtype: see `kerasmith.base.Loss`.
    """

    _reads_one_array = True

    def __init__(self, *, axis: int = -1, **kwargs: Any) -> None:
        check_choice("axis", axis, (-1, 1))
        super().__init__(**kwargs)
        self.axis = axis

    def weight_shape(self, y_pred: Tensor) -> tuple[int | None, ...]:
        shape = image_shape(y_pred, self.axis)
        return shape[:-1] if self.axis == -1 else (shape[0], *shape[2:])

    def channels_last(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """`x` as (B, *spatial, C) in the dtype of sums, with 0 on pixels that do not count, whatever stands there."""
        image_shape(x, self.axis)
        x = ops.cast(x, accumulation_dtype(self.dtype))
        x = ops.moveaxis(x, 1, -1) if self.axis == 1 else x
        return x if valid is None else ops.where(ops.expand_dims(valid, -1) > 0, x, ops.zeros_like(x))
