"""Pictures that metrics draw of their counts, as sections of the report."""

import keras

from kerasmith.report.page import Section


def metric_sections(metrics, has_validation):
    """A `Section` for each metric, or metric inside one, with a method `picture()` and something to show.

    Call it when an epoch has ended: metrics then hold the counts of the validation data, or of the training data without one.

    Args:
        metrics: metric objects.
        has_validation: whether the epoch ended with a validation.
    """
    sections = []
    for metric in metrics:
        sections += metric_sections(getattr(metric, "metrics", None) or (), has_validation)
        if not hasattr(metric, "picture") or not _has_data(metric):
            continue
        data = "validation" if has_validation else "training"
        sections.append(Section(f"{metric.name.replace('_', ' ')}, last epoch, {data} data", metric.picture()))
    return sections


def _has_data(metric):
    return any(keras.ops.convert_to_numpy(variable.value).any() for variable in metric.variables)
