"""Penalty on masks, or pieces of masks, that are too small."""

from typing import Any

from keras import ops

from kerasmith._types import Function, Tensor
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_choice, check_number
from kerasmith.labels.overlap import region_sums
from kerasmith.labels.pixels import Pixels
from kerasmith.losses._component_rule import ComponentRule


@register
class MinimumArea(ComponentRule):
    """Penalty on predicted objects below a minimum area.

    per="component": sum of p over components of fewer pixels than `area` / sum of p over the mask: specks are taken away
    per="image": max(0, 1 - sum(p) / area) where the labels have the class: the mask is made to grow

    Meant as a term: `DiceCE() + 0.1 * MinimumArea(20)`.

    Args:
        area: the smallest area (volume) allowed, in pixels.
        per: "component" or "image".
        threshold, connectivity, include_background: see `losses.component_rule.ComponentRule`.
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: labels as for `losses.Dice`.
        y_pred: probabilities (or logits) (B, *spatial, C), 1-D to 3-D images.
        sample_weight: (B,), or (B, *spatial[, 1]) inside the sums.

    Returns:
        A scalar in [0, 1] for weights of 1; (B,) for `reduction="none"`.

    Raises:
        ValueError: for shapes that would broadcast, predictions that are no images, an unknown option, or `threshold` and
            `connectivity` beside per="image".

    Example:

    >>> y_pred = [[[0.9], [0.9], [0.1], [0.6]]]
    >>> round(float(MinimumArea(2)([[[0.0]] * 4], y_pred)), 4)
    0.25
    >>> round(float(MinimumArea(5, per="image")([[[1.0]] * 4], y_pred)), 4)
    0.5
    """

    def __init__(self, area: float, per: str = "component", **kwargs: Any) -> None:
        check_number("area", area, above=0)
        check_choice("per", per, ("component", "image"))
        super().__init__(**kwargs)
        if per == "image" and (self.threshold, self.connectivity) != (0.5, None):
            raise ValueError(
                "per='image' sums probabilities, without a mask: `threshold` and `connectivity` have no effect. Received: "
                f"threshold={self.threshold}, connectivity={self.connectivity}. Leave them out, or write per='component'."
            )
        self.area = area
        self.per = per

    @property
    def rule(self) -> dict[str, Any]:
        return {"min_size": self.area}

    def penalties(self, pixels: Pixels) -> Tensor:
        if self.per == "component":
            return super().penalties(pixels)
        sums = region_sums(pixels)
        missing = ops.relu(1.0 - sums.predicted / self.area)
        return ops.where(sums.actual > 0, missing, ops.zeros_like(missing))


minimum_area: Function = make_functional(MinimumArea, "minimum_area")
