"""Penalty on components of a mask beyond the largest."""

from typing import Any

from kerasmith._types import Function
from kerasmith.base import make_functional, register
from kerasmith.base.arguments import check_integer
from kerasmith.losses._component_rule import ComponentRule


@register
class Connectivity(ComponentRule):
    """Share of a predicted mask that lies outside its largest component.

    loss = sum of p over the mask outside the `components` largest / sum of p over the mask

    0 for a mask of one piece and for an empty one. Meant as a term: `DiceCE() + 0.1 * Connectivity()`. The gradient takes
    surplus pieces away and does not build bridges; see `losses.component_rule.ComponentRule`.

    Args:
        components: how many pieces may be there.
        threshold, connectivity, include_background: see `losses.component_rule.ComponentRule`.
        from_logits, axis, labels, class_weights, ignore_class, multi_label: see `losses.SegmentationLoss`.
        reduction, name, dtype: see `kerasmith.base.Loss`.

    Call arguments:
        y_true: labels as for `losses.Dice`; only `ignore_class` is read from them.
        y_pred: probabilities (or logits) (B, *spatial, C), 1-D to 3-D images.
        sample_weight: (B,), or (B, *spatial[, 1]) inside the sums.

    Returns:
        A scalar in [0, 1] for weights of 1; (B,) for `reduction="none"`.

    Raises:
        ValueError: for shapes that would broadcast, predictions that are no images, or an unknown option.

    Example:

    >>> y_pred = [[[0.9], [0.9], [0.1], [0.6]]]
    >>> round(float(Connectivity()([[[0.0]] * 4], y_pred)), 4)
    0.25
    """

    def __init__(self, components: int = 1, **kwargs: Any) -> None:
        check_integer("components", components, minimum=1)
        super().__init__(**kwargs)
        self.components = components

    @property
    def rule(self) -> dict[str, Any]:
        return {"keep": self.components}


connectivity: Function = make_functional(Connectivity, "connectivity")
