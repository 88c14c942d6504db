"""Several metrics of one statistic, which is counted once."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasmith._types import DType, Tensor
from kerasmith.base import AdditiveMetric, Metric, register


@register
class Shared(Metric):
    """Several metrics that read the same statistic, which is counted once a batch.

    Results have the keys and values that the metrics give alone. What can be shared: the joint counts of classes, by
    `ConfusionMatrix`, `TruePositives`, `CohenKappa`, `MCC`, `IoU` and `DiceScore`; or histograms of scores, by `AUC` and
    `AveragePrecision`. Where classes are counted, soft labels (above 0 and below 1) are decided first, as predictions are.

    Args:
        metrics: a list of metrics that read their batches alike: the same `num_classes`, `threshold`, `predictions`,
            `from_logits`, `axis`, `labels`, `ignore_class` and `multi_label`, or, for histograms, the same `bins`. A binary
            mask may be `num_classes=1` or 2. `IoU` and `DiceScore` need `num_classes`.
        name: name of the whole; it is in no key.
        dtype: of the results; that of the first metric by default.

    Call arguments:
        y_true, y_pred, sample_weight: as of the metrics.

    Returns:
        A dict of the results of all metrics: a scalar under the name of its metric, dicts as they are. `kerasmith.callbacks`
        know the direction of each; callbacks of Keras need `mode="max"` or "min", as for every key of a dict.

    Raises:
        TypeError: for what is no list of such metrics.
        ValueError: for metrics of different statistics or settings, or two of one name.

    Example:

    >>> from kerasmith.metrics import MCC, IoU
    >>> metric = Shared([IoU(2, per="dataset"), MCC(2)])
    >>> metric.update_state([0, 0, 1, 1], [[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.1, 0.9]])
    >>> {key: round(float(value), 4) for key, value in metric.result().items()}
    {'iou': 0.5833, 'mcc': 0.5774}
    """

    def __init__(self, metrics: Sequence[AdditiveMetric], name: str | None = None, dtype: DType = None) -> None:
        _check(metrics)
        super().__init__(name=name, dtype=dtype or metrics[0].dtype)
        self.metrics = list(metrics)
        directions = {metric.direction for metric in metrics}
        self.direction = directions.pop() if len(directions) == 1 else None
        self.sums_over_replicas = all(metric.sums_over_replicas for metric in metrics)

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Adds a batch to all metrics."""
        reader = self.metrics[0]  # all read alike
        y_true, y_pred, weights = reader.sorted_inputs(y_true, y_pred, sample_weight)
        per_sample = any(metric.keeps_samples_apart(y_true, weights) for metric in self.metrics)
        counts = reader.count(y_true, y_pred, weights, per_sample)
        for metric in self.metrics:
            metric.add_counts(counts, weights)

    def result(self) -> dict[str, Tensor]:
        """A dict of the results of all metrics."""
        results = {}
        for metric in self.metrics:
            result = metric.result()
            results |= result if isinstance(result, dict) else {metric.name: result}
        return {key: ops.cast(value, self.dtype) for key, value in results.items()}


def _check(metrics: Any) -> None:
    """Raises TypeError or ValueError unless the metrics read one statistic alike and have names of their own."""
    if not isinstance(metrics, (list, tuple)) or not metrics:
        raise TypeError(f"`metrics` must be a list of metrics, such as [IoU(5), MCC(5)]. Received: metrics={metrics!r}")
    for metric in metrics:
        if isinstance(metric, type) or not hasattr(metric, "count_settings"):
            kind = metric.__name__ if isinstance(metric, type) else type(metric).__name__
            raise TypeError(
                "`metrics` must hold metrics of the joint counts of classes (ConfusionMatrix, TruePositives, CohenKappa, MCC, "
                "IoU, DiceScore), or of histograms of scores (AUC, AveragePrecision), as objects. "
                f"Received: {metric!r}. Write it beside, `metrics=[Shared([...]), {kind}(...)]`."
            )
    first = metrics[0]
    names = [metric.name for metric in metrics]
    for metric in metrics:
        if names.count(metric.name) > 1:
            raise ValueError(
                f"Two metrics are named {metric.name!r}, and one result would overwrite the other. "
                f"Write `{type(metric).__name__}(..., name={metric.name + '_2'!r})`."
            )
        if metric.count_settings.get("num_classes", 0) is None:
            kind = type(metric).__name__
            raise ValueError(f"Metrics that share must count known classes. Write `{kind}(num_classes)`. Received: {kind}()")
        if metric.counted_statistic != first.counted_statistic:
            raise ValueError(
                f"'{first.name}' reads {first.counted_statistic}, '{metric.name}' reads {metric.counted_statistic}, so they "
                "have nothing to share. Write one `Shared` for each kind."
            )
        _check_settings(first, metric)


def _check_settings(first: Any, other: Any) -> None:
    settings = other.count_settings
    for setting, value in first.count_settings.items():
        if _plain(value) != _plain(settings[setting]):
            raise ValueError(
                f"Metrics that share must read their batches alike. Received: {setting}={value!r} in '{first.name}', "
                f"{setting}={settings[setting]!r} in '{other.name}'. Write the same `{setting}` for both, or leave "
                f"'{other.name}' out and write it beside, `metrics=[Shared([...]), {type(other).__name__}(...)]`."
            )


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
