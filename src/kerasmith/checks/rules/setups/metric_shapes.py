"""Whether a metric takes the shapes of labels and predictions, and compares each prediction with its own label."""

import numpy as np

from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.loss_reading import few, made_up
from kerasmith.checks.rules.setups.metric_scores import compiled_metrics, finding_of, result_of


@check("T146", "setup", "error", requires=("base", "T126"), since="0.2.0")
def metric_meets_its_label(case: SetupCase) -> None:
    """A metric stretches labels over predictions of another shape.

    (B,) labels against (B, 1) predictions become a (B, B) table, and the metric the mean over all pairs. Ids against several
    units become a column beside each unit.

    Fix: `y = y[:, None]`, or `ops.reshape(y_true, ops.shape(y_pred))` within the metric; sparse metrics for ids.
    """
    for read, metric, score in compiled_metrics(case):
        y, pred = few(read.y), few(read.head.predicted)
        if y.shape == pred.shape:
            continue
        draws = np.random.default_rng(9)
        made = draws.uniform(0.1, 0.9, pred.shape)
        if read.reading.encoding == "elements" and y.size == pred.size:
            labels = draws.integers(0, 2, y.shape).astype(y.dtype)
            given, right = score(labels, made), score(labels.reshape(pred.shape), made)
            if np.isfinite([given, right]).all() and abs(given - right) > 1e-4 * (abs(given) + abs(right)):
                raise finding_of(
                    case,
                    metric,
                    read,
                    f"{right:.4g}, as with labels of shape {read.head.predicted.shape}",
                    f"{given:.4g} with labels of shape {read.y.shape} and predictions of {read.head.predicted.shape}",
                    "Give the labels the shape of the predictions: "
                    f"`y = y.reshape({', '.join(['-1', *map(str, pred.shape[1:])])})`.",
                )
        if read.reading.encoding == "ids" and read.reading.kind is not None and read.reading.axis == -1:
            labels, hot = made_up(y, pred)
            full = np.broadcast_to(labels.reshape((*pred.shape[:-1], 1)), pred.shape)
            given, stretched, perfect = score(labels, made), score(full, made), score(labels, hot)
            if np.isfinite([given, stretched, perfect]).all() and abs(given - stretched) < 1e-6 and perfect != score(hot, hot):
                raise finding_of(
                    case,
                    metric,
                    read,
                    "a comparison of each id with the largest output",
                    f"{given:.4g}, as with the id beside each of {pred.shape[-1]} units; right ones score {perfect:.4g}",
                    'Write "accuracy" in `metrics`, from which Keras takes the sparse form for ids.',
                )


@check("T147", "setup", "error", requires=("T120", "T123", "T125"), since="0.2.0")
def metric_takes_these_labels(case: SetupCase) -> None:
    """`fit` stops at the first batch: a metric does not take these labels and predictions.

    Metrics are for ids or for rows, for one unit or for several: what fits the loss need not fit them.

    Fix: "accuracy" as text, from which Keras takes the form that fits; sparse metrics for ids, the others for rows.
    """
    for read, metric, _ in compiled_metrics(case):
        y, pred = read.y, read.head.predicted
        try:
            result_of(metric, y, pred)
            continue
        except Exception as error:
            reason = describe_error(error)
        name = type(metric).__name__
        made = made_up(few(y), few(pred))
        fix = None
        if read.reading.encoding == "ids" and made is not None and _takes(metric, made[1], few(pred)):
            fix = (
                f"`{name}` is for rows: give one-hot labels, `y = keras.utils.to_categorical(y, {pred.shape[-1]})`, and "
                f'`loss="categorical_crossentropy"`, or take `"sparse_..."` metrics for ids.'
            )
        elif read.reading.encoding == "classes" and _takes(metric, np.zeros(few(y).shape[:-1], "int32"), few(pred)):
            fix = f'`{name}` is for ids: for rows write "accuracy" or the form that is not sparse.'
        elif y.size == pred.size and _takes(metric, few(y).reshape(few(pred).shape), few(pred)):
            shape = ", ".join(["-1", *map(str, pred.shape[1:])])
            fix = f"Give the labels the shape of the predictions: `y = y.reshape({shape})`."
        raise Failed(
            f"a result of metric {metric.name!r} for labels {y.shape} and predictions {pred.shape}",
            reason,
            ["print(model.metrics, y.shape, model.predict(x).shape)"],
            fix=fix or f"Take `{name}` out of `metrics`, or give it what it is for.",
        )


def _takes(metric, y, pred):
    try:
        return bool(np.isfinite(result_of(metric, y, pred)))
    except Exception:
        return False
