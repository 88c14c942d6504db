"""What losses that show images to a network have in common: how images are read."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import Tensor
from kerasmith.backbones.image_input import RangeCheck, checked_range
from kerasmith.base.elements import without_unused
from kerasmith.base.weights import Weights
from kerasmith.labels.image_pairs import image_pair
from kerasmith.labels.label_watch import watch_labels
from kerasmith.losses._image import ImageLoss
from kerasmith.numerics.tensors import accumulation_dtype


class BackboneLoss(ImageLoss):
    """Base of losses that compare what a frozen network makes of two images.

    Args:
        value_range: (low, high), the range of the images' values, or None where they are not checked.
        axis: the channel axis, -1 or 1.
        reduction, name, dtype: see `kerasmith.base.Loss`.
    """

    def __init__(self, *, value_range: Sequence[float] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = checked_range("value_range", value_range)
        self._check_range = None if self.value_range is None else RangeCheck(self.value_range)

    def _check_labels(self, y_true, y_pred, sample_weight):
        """Only reads the images: the network need not see them for that."""
        y_true, y_pred, weights = self._sorted(y_true, y_pred, sample_weight)
        with watch_labels(owner=self, sample=weights.effective_sample):
            self.read(y_true, y_pred, weights)

    def read(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> tuple[Any, ...]:
        """Predicted and true images, (B, *spatial, C), in the dtype of sums."""
        if weights.pixel is not None or weights.valid_pixel is not None:
            raise ValueError(
                f"{type(self).__name__} compares features of whole images, where single pixels have no weight or mask of "
                "their own. Pass one weight per image, (B,), or weigh pixels in a loss of pixels beside it: "
                f'`kerasmith.Objective({{"pixels": Term(fn), "features": {type(self).__name__}(...)}})`.'
            )
        prediction, truth = image_pair(y_true, y_pred, self.axis)
        dtype = accumulation_dtype(self.dtype)
        prediction, truth = ops.cast(prediction, dtype), ops.stop_gradient(without_unused(ops.cast(truth, dtype), weights))
        return prediction, truth if self._check_range is None else self._check_range(truth)
