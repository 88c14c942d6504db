"""LPIPS as a metric."""

import math
from collections.abc import Sequence
from typing import Self

from keras import ops

from kerasmith._types import Config, DType, Tensor
from kerasmith.backbones.image_input import RangeCheck, checked_range
from kerasmith.backbones.lpips import NETS, PUBLISHED_RANGE, LPIPSDistance, weights_may_be_missing
from kerasmith.base import AdditiveMetric, Weights, register
from kerasmith.base.arguments import check_choice
from kerasmith.base.elements import without_unused
from kerasmith.labels.image_pairs import image_pair
from kerasmith.numerics import safe
from kerasmith.numerics.tensors import accumulation_dtype


@register
class LPIPS(AdditiveMetric):
    """LPIPS, learned perceptual image patch similarity, version 0.1, as published: the mean over images (since 0.2).

    The formula, the weights and where they come from: `losses.LPIPS`. 0 for equal images; numbers of one network only can be
    compared.

    Args:
        net: "alex", which the authors advise as a metric, or "vgg".
        value_range: (low, high), the range of the images' values: true images beyond it are refused.
        axis: the channel axis, -1 or 1.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true: images in the shape of y_pred, of any dtype.
        y_pred: (B, H, W, 3), at least 31 x 31 pixels for "alex" and 16 x 16 for "vgg".
        sample_weight: (B,).

    Returns:
        A dict `<name>` and `<name>_cases`, the number of images in the mean. NaN without data.

    Raises:
        ImportError: if the package of the weights is not installed.
        ValueError: for other numbers of channels, images too small or of another range, and weights of single pixels.

    Example:

    >>> import numpy as np
    >>> image = np.linspace(-1, 1, 3072, dtype="float32").reshape(1, 32, 32, 3)
    >>> metric = LPIPS()
    >>> metric.update_state(image, image)
    >>> {key: float(value) for key, value in metric.result().items()}
    {'lpips': 0.0, 'lpips_cases': 1.0}

    Reference: Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", 2018.
    """

    direction = "min"
    directions: dict[str, str | None] = {"cases": None}

    def __init__(
        self,
        net: str = "alex",
        *,
        value_range: Sequence[float] = PUBLISHED_RANGE,
        axis: int = -1,
        name: str = "lpips",
        dtype: DType = None,
    ) -> None:
        check_choice("net", net, NETS)
        check_choice("axis", axis, (-1, 1))
        given = checked_range("value_range", value_range) or PUBLISHED_RANGE
        super().__init__(name=name, dtype=dtype)
        self.net = net
        self.value_range = given
        self.axis = axis
        self._distance = LPIPSDistance(net, given)
        self._check_range = RangeCheck(given)
        self.create_totals({"distance": (), "cases": ()})

    @classmethod
    def from_config(cls, config: Config) -> Self:
        with weights_may_be_missing():
            return super().from_config(config)

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        if weights.pixel is not None or weights.valid_pixel is not None:
            raise ValueError(
                "LPIPS compares features of whole images, where single pixels have no weight or mask of their own. Pass one "
                "weight per image, (B,)."
            )
        prediction, truth = image_pair(y_true, y_pred, self.axis)
        dtype = accumulation_dtype(self.dtype)
        prediction, truth = ops.cast(prediction, dtype), without_unused(ops.cast(truth, dtype), weights)
        distance = self._distance(self._check_range(truth), prediction)
        return {"distance": distance, "cases": ops.ones_like(distance, dtype="int32")}

    def combine(self, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        mean = safe.ratio(totals["distance"], totals["cases"], when_empty=math.nan)
        return {self.key(): mean, self.key("cases"): totals["cases"]}
