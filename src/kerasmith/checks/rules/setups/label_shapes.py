"""Whether each prediction meets its own label: shapes, one-hot or ids, and the axis of the classes."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.label_kinds import head_for
from kerasmith.checks.rules.setups.loss_reading import few, made_up, reading_of
from kerasmith.checks.rules.setups.read_outputs import ReadOutput, labels_of, read_outputs


@check("T125", "setup", "error", requires=("T120",), since="0.2.0")
def ids_or_one_hot(case: SetupCase) -> None:
    """The labels are ids and the loss is for one-hot rows, or the other way round.

    Mostly `fit` stops with shapes that do not fit; a loss of one's own may stretch the column of ids over all classes, and
    learn something else.

    Fix: `loss="sparse_categorical_crossentropy"` for ids, `loss="categorical_crossentropy"` for one-hot rows.
    """
    for read in read_outputs(case):
        encoding, kind = read.reading.encoding, read.reading.kind
        if encoding not in ("ids", "classes") or kind is not None:
            continue
        pred, y = few(read.head.predicted), read.y
        logits = " (`from_logits=True` as before)"
        if encoding == "ids":
            if not np.all(y == np.round(y)) or y.min() < 0:
                continue
            other = reading_of(read.value, np.zeros(pred.shape, "float32"), pred)
            if other.kind not in ("logits", "probabilities"):
                continue
            yes_or_no = other.elementwise and y.max() <= 1 and read.head.rows is None
            raise Failed(
                f"one-hot rows of shape {read.head.predicted.shape} for {read.loss_text}",
                f"ids of shape {y.shape}: {np.unique(y)[:5].tolist()}",
                ["print(y.shape, model.predict(x).shape)"],
                fix=(
                    f"For these labels write {head_for(y, 1)}."
                    if yes_or_no
                    else f'Take `loss="sparse_categorical_crossentropy"`{logits if other.kind == "logits" else ""}, '
                    "and sparse metrics."
                ),
                title="The labels are ids, and the loss is for one-hot rows",
            )
        if not np.all(np.isin(y, (0, 1))) or not np.all(y.sum(axis=-1) == 1):
            continue
        for shape in (y.shape[:-1], (*y.shape[:-1], 1)):
            other = reading_of(read.value, np.zeros(shape, "int32"), pred)
            if other.kind in ("logits", "probabilities"):
                raise Failed(
                    f"ids of shape {shape} for {read.loss_text}",
                    f"one-hot rows of shape {y.shape}",
                    ["print(y.shape, model.predict(x).shape)"],
                    fix=f'Take `loss="categorical_crossentropy"`{logits if other.kind == "logits" else ""}, '
                    "and metrics that are not sparse.",
                    title="The labels are one-hot rows, and the loss is for ids",
                )


@check("T126", "setup", "error", requires=("T120", "T125"), since="0.2.0")
def labels_meet_their_predictions(case: SetupCase) -> None:
    """Labels and predictions have different shapes, and the loss stretches one over the other.

    (B,) labels against (B, 1) predictions become a (B, B) table: each prediction is compared with the labels of all samples,
    and the best one is their mean. A column of labels against several units trains all units on the same number.

    Fix: give both one shape: `y = y[:, None]`, or as many units as there are columns of labels.
    """
    for read in read_outputs(case):
        y, pred = few(read.y), few(read.head.predicted)
        true = y.shape
        if true == pred.shape or (read.reading.encoding == "ids" and read.reading.kind is not None):
            continue
        made = np.random.default_rng(5).uniform(0.1, 0.9, pred.shape)
        if read.reading.encoding == "elements":
            labels = made_up(y, pred)[0]
            given, right = read.value(labels, made), read.value(labels.reshape(pred.shape), made)
            alone = np.mean([read.value(labels[k : k + 1], made[k : k + 1]) for k in range(len(pred))])
            if not np.isfinite([given, right, alone]).all() or abs(given - right) <= 1e-4 * (abs(given) + abs(right)):
                continue
            if abs(right - alone) > 1e-3 * (abs(right) + abs(alone)):
                continue  # one that compares samples on purpose
            raise _failed(
                read,
                f"{read.loss_text} is {given:.4g} for labels of shape {read.y.shape} and predictions of "
                f"{read.head.predicted.shape}, {right:.4g} where the labels have that shape, as for each sample alone",
                f"Give the labels the shape of the predictions: `y = y.reshape({_open(read.head.predicted.shape)})`.",
            )
        labels = few(labels_of(case, read.output))
        given = read.value(labels, made[: len(labels)])
        if not np.isfinite(given):
            if _has_other_columns(read, true, pred.shape) and np.isfinite(read.value(np.round(made), made)):
                raise Failed(
                    f"as many columns of labels as units, {pred.shape[-1]}",
                    f"{true[-1]} columns, in labels of shape {read.y.shape}, which {read.loss_text} refuses",
                    ["print(y.shape, model.predict(x).shape)"],
                    fix=f"For these labels write {head_for(labels_of(case, read.output), read.output.units)}.",
                    title="The labels have another number of columns than the output has units",
                )
            continue
        made = made[: len(labels)]
        stretched = next((one for one in _stretched(labels, made) if _same(read.value(*one), given)), None)
        if stretched is None:
            continue
        if stretched[0].shape == pred.shape and labels.size // len(labels) == 1 and pred.ndim > 2:
            raise _failed(
                read,
                f"{read.loss_text} of labels {read.y.shape} and predictions {read.head.predicted.shape} is {given:.4g}, "
                f"that of each label repeated {pred[0].size} times",
                "Give out one value for each sample: `return_sequences=False` in the last recurrent layer, or a pooling or "
                "`Flatten()` before the last layer.",
                severity=None if _is_of_keras(read.output.loss) else "warning",
            )
        columns = true[-1] if len(true) == pred.ndim else 1
        if columns == 1 and not _same(read.value(labels, np.roll(made, 1, axis=-1)), given):
            continue  # each unit has its own part in the loss, as quantiles have
        if columns > 1 and not _same(read.value(np.roll(labels, 1, axis=-1), made), given):
            continue  # each column has its own, as times and events have
        own = not _is_of_keras(read.output.loss)
        raise _failed(
            read,
            f"{read.loss_text} of labels {read.y.shape} and predictions {read.head.predicted.shape} is {given:.4g}, that of "
            f"both stretched to {stretched[0].shape}",
            f"For these labels write {head_for(labels_of(case, read.output), read.output.units)}."
            if columns == 1
            else f"Give the last layer {columns} units, one for each column of the labels.",
            severity="warning" if own and read.head.rows is None else None,
        )


def _has_other_columns(read, true, pred):
    return len(true) == len(pred) and true[:-1] == pred[:-1] and true[-1] != pred[-1] and read.reading.encoding is None


def _is_of_keras(loss):
    """Whether a loss is one of Keras' own, or a function of it."""
    function = getattr(loss, "fn", loss if callable(loss) else None)
    return str(getattr(function, "__module__", type(loss).__module__)).partition(".")[0] == "keras"


def _failed(read: ReadOutput, actual, fix, severity=None):
    return Failed(
        "one prediction for each label",
        actual,
        ["print(y.shape, model.predict(x).shape)"],
        fix=fix,
        severity=severity or read.severity,
    )


def _open(shape):
    return ", ".join(["-1", *map(str, shape[1:])])


def _same(first, second):
    return bool(np.isfinite([first, second]).all() and abs(first - second) <= 1e-4 * (abs(first) + abs(second)))


def _stretched(labels, made):
    """(labels, predictions) in one shape: axes of length 1 repeated, also such as stand between those of the labels."""
    places = range(1, labels.ndim + 1)
    shapes = [labels.shape]
    shapes += [(*labels.shape[:k], *(1,) * (made.ndim - labels.ndim), *labels.shape[k:]) for k in places]
    for shape in dict.fromkeys(shapes):
        try:
            together = np.broadcast_shapes(shape, made.shape)
        except ValueError:
            continue
        if together[0] == len(made):
            yield np.broadcast_to(labels.reshape(shape), together), np.broadcast_to(made, together)


@check("T127", "setup", "error", requires=("base", "T120"), since="0.2.0")
def classes_are_on_one_axis(case: SetupCase) -> None:
    """The classes of predictions, labels and loss lie along different axes.

    A softmax along the channels of (batch, channels, height, width), with a loss along the last axis, makes the columns of an
    image compete. The shapes agree, the loss falls, and means nothing.

    Fix: classes on the last axis of labels and outputs, `axis=-1` in softmax and loss.
    """
    seen = False
    for read in read_outputs(case):
        pred = read.head.predicted
        of_ids = read.reading.encoding == "ids"
        of_classes = read.reading.kind in ("probabilities", "logits") and read.reading.encoding in ("classes", "ids")
        if pred.ndim < 3 or not of_classes:
            continue
        # Ids have no axis of classes; that of the loss is the one that they lack.
        rows, labels = read.head.rows, None if of_ids else _axis_of_ones(labels_of(case, read.output))
        loss = read.reading.axis % pred.ndim if of_ids else _axis_of_loss(read)
        named = {"outputs": rows, "labels": labels, "loss": loss}
        known = {name: axis for name, axis in named.items() if axis is not None}
        seen = seen or len(known) > 1
        if len(set(known.values())) < 2:
            continue
        texts = ", ".join(f"{name} along axis {axis} (of length {pred.shape[axis]})" for name, axis in known.items())
        raise Failed(
            "classes along one axis",
            f"in shape {pred.shape}: {texts}",
            ["y_pred = model.predict(x)", "print([(a, y_pred.sum(axis=a).std(), y.sum(axis=a).std()) for a in (1, -1)])"],
            fix=_same_axis(rows, labels, loss, pred.ndim),
            severity=read.severity,
        )
    if not seen:
        raise NotApplicable("no output has classes beside other axes")


def _axis_of_ones(y):
    """The only axis along which labels sum to 1, None if there is none or several."""
    found = [axis for axis in range(1, y.ndim) if y.shape[axis] > 1 and np.all(np.abs(y.sum(axis=axis) - 1) < 1e-3)]
    return found[0] if len(found) == 1 else None


def _axis_of_loss(read: ReadOutput):
    """The only axis along which a factor (or for logits a summand) for each row changes nothing."""
    pred = few(read.head.predicted)
    draws = np.random.default_rng(11)
    y = few(read.y)
    base = draws.uniform(0.2, 0.8, pred.shape)
    before = read.value(y, base)
    found = []
    for axis in range(1, pred.ndim):
        if pred.shape[axis] < 2:
            continue
        change = draws.uniform(0.5, 1.5, [1 if k == axis else n for k, n in enumerate(pred.shape)])
        after = read.value(y, base + change if read.reading.kind == "logits" else base * change)
        if np.isfinite([before, after]).all() and abs(after - before) <= 1e-4 * abs(before):
            found.append(axis)
    return found[0] if len(found) == 1 else None


def _same_axis(rows, labels, loss, ndim):
    last = ndim - 1
    if labels == last and loss == last:
        return "Write `axis=-1` in the softmax."
    if labels is not None and labels != last:
        order = [k for k in range(ndim) if k != labels] + [labels]
        return (
            f"Put the classes last, in the labels by `y = np.transpose(y, {tuple(order)})` and in the outputs by a last layer "
            'with one channel for each class, `data_format="channels_last"`, with `axis=-1` in softmax and loss.'
        )
    return f"Write `axis={labels if labels is not None else -1}` in the softmax and in the loss."
