"""Intersection over union."""

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.labels.overlap import RegionSums, tversky_index
from kerasmith.metrics.overlap_score import OverlapScore


@register
class IoU(OverlapScore):
    """Intersection over union (Jaccard index) of thresholded predictions: |A and B| / |A or B|.

    `per="dataset"` gives the usual mean IoU of semantic segmentation; the default averages over images.

    Args:
        num_classes: channels of y_pred; None reads them from the first batch.
        threshold, average, per, include_background, absent, class_weights: see `metrics.overlap_score.OverlapScore`.
        from_logits, axis, labels, ignore_class, multi_label: as in `losses.Dice`.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true, y_pred, sample_weight: as of `losses.Dice`.

    Returns:
        A scalar in [0, 1]; for `average=None` a dict `<name>_<class>`; NaN without data.

    Example:

    >>> metric = IoU(average=None, per="dataset")
    >>> metric.update_state([[0, 1, 1]], [[[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]]])
    >>> {key: float(value) for key, value in metric.result().items()}
    {'iou_0': 0.5, 'iou_1': 0.5}
    """

    def score(self, sums: RegionSums) -> Tensor:
        return tversky_index(sums, 1.0, 1.0, 0.0)
