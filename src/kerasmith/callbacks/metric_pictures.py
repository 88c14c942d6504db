"""Pictures of what metrics have counted. A metric gives its numbers; they are drawn here."""

from collections.abc import Iterable

import keras
import numpy as np

from kerasmith.metrics import CalibrationError, ConfusionMatrix
from kerasmith.report.confusion import confusion_image, confusion_table
from kerasmith.report.page import Section
from kerasmith.report.reliability import reliability_chart, reliability_image


def has_picture(metric: object) -> bool:
    """Whether there is a picture of this metric: of our own, and of any with a method `picture()` that returns HTML."""
    if isinstance(metric, ConfusionMatrix):
        return not metric.multi_label
    return hasattr(metric, "picture")


def metric_html(metric: keras.metrics.Metric, title: str = "Reliability") -> str:
    """The picture of a metric as HTML for a page.

    Args:
        metric: one that `has_picture`.
        title: of a chart; a table has none.

    Raises:
        ValueError: for a `ConfusionMatrix` of several labels, which has a matrix for each class.
    """
    if isinstance(metric, CalibrationError):
        return reliability_chart(**metric.reliability(), title=title)
    if isinstance(metric, ConfusionMatrix):
        if metric.multi_label:
            raise ValueError("A picture needs one matrix; with multi_label=True there is one for each class. Use `matrix()`.")
        return confusion_table(metric.matrix(), metric.labels_of_classes())
    return metric.picture()


def metric_image(metric: keras.metrics.Metric) -> np.ndarray | None:
    """The picture of a metric as uint8 pixels; None for one that has HTML only."""
    if isinstance(metric, CalibrationError):
        return reliability_image(**metric.reliability())
    return confusion_image(metric.matrix()) if isinstance(metric, ConfusionMatrix) else None


def metric_sections(metrics: Iterable[keras.metrics.Metric], has_validation: bool) -> list[Section]:
    """A `Section` for each metric, or metric inside one, that has a picture and something to show.

    Call it when an epoch has ended: metrics then hold the counts of the validation data, or of the training data without one.

    Args:
        metrics: metric objects.
        has_validation: whether the epoch ended with a validation.
    """
    sections = []
    for metric in metrics:
        sections += metric_sections(getattr(metric, "metrics", None) or (), has_validation)
        if has_picture(metric) and _has_data(metric):
            data = "validation" if has_validation else "training"
            title = f"{metric.name.replace('_', ' ')}, last epoch, {data} data"
            sections.append(Section(title, metric_html(metric)))
    return sections


def _has_data(metric: keras.metrics.Metric) -> bool:
    return any(keras.ops.convert_to_numpy(variable.value).any() for variable in metric.variables)
