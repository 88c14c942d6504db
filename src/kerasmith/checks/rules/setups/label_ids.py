"""Ids of classes against the units of the output."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.label_kinds import kind_of_labels
from kerasmith.checks.rules.setups.loss_reading import few, made_up
from kerasmith.checks.rules.setups.read_outputs import ReadOutput, labels_of, read_outputs

# More units than this are a vocabulary: not every word occurs.
_MOST_UNITS = 200


@check("T123", "setup", "error", requires=("T120",), since="0.2.0")
def ids_have_units(case: SetupCase) -> None:
    """There are ids of classes for which the output has no unit.

    Ids are counted from 0: with C units the largest is C - 1. What a larger one does depends on the backend: an error, a loss
    of NaN, or on JAX a sample that is left out without a word.

    Fix: `y = y - 1` for ids that begin at 1; else one unit more for each class: `Dense(int(y.max()) + 1)`.
    """
    for read, y in _with_ids(case):
        classes = read.head.predicted.shape[read.reading.axis]
        outside = (y < 0) | (y >= classes)
        if not outside.any() or (y != np.round(y)).any():
            continue
        values, counts = np.unique(y[outside], return_counts=True)
        known = _left_out(read, values)
        if known is True:
            continue
        inside = y[~outside]
        listed = ", ".join(f"{value:.0f} ({count}x)" for value, count in list(zip(values, counts))[:4])
        shifted = y.min() != 0 and y.max() - y.min() == classes - 1
        from_one = shifted and y.min() == 1
        void = not shifted and len(values) == 1 and values[0] in (-1, 255, 254) and inside.size > 0
        if from_one:
            fix = "The ids begin at 1: count from 0 before `fit`, `y = y - 1`."
        elif void:
            fix = (
                f"If {values[0]:.0f} marks what has no label, say so: "
                f"`keras.losses.SparseCategoricalCrossentropy({_from_logits(read)}ignore_class={values[0]:.0f})`."
            )
        elif shifted:
            fix = f"Count the classes from 0 before `fit`: `y = y {-y.min():+.0f}`."
        elif len(np.unique(y)) <= classes or y.min() < 0 or y.max() > 10 * classes:
            fix = "Number the classes before `fit`: `classes, y = np.unique(y, return_inverse=True)`, with "
            fix += f"{len(np.unique(y))} units."
        else:
            fix = f"Give the last layer {y.max() + 1:.0f} units: `Dense({y.max() + 1:.0f}, ...)`."
        raise Failed(
            f"ids of 0 to {classes - 1} for the {classes} units of {read.head.text}",
            f"ids of {y.min():.0f} to {y.max():.0f}: {listed} without a unit, {outside.mean():.1%} of all",
            ["print(np.unique(y))"],
            fix=fix,
            title=(
                "A void id is among the labels, and the loss does not know of it"
                if void
                else "Ids of classes begin at 1, and the last one has no unit"
                if from_one
                else None
            ),
            severity="warning" if known is None else read.severity,
        )


def _with_ids(case) -> list[tuple[ReadOutput, np.ndarray]]:
    found = [read for read in read_outputs(case) if read.reading.encoding == "ids" and read.reading.kind is not None]
    if not found:
        raise NotApplicable("no labels are ids of classes")
    return [(read, labels_of(case, read.output).astype("float64")) for read in found]


def _left_out(read, values):
    """Whether the loss knows ids without a unit: True, False, or None where that cannot be seen."""
    from kerasmith.keras_internals.compiled import function_arguments

    loss = read.output.loss
    arguments = {**vars(loss), **function_arguments(loss)}
    if len(values) == 1 and arguments.get("ignore_class") == values[0]:
        return True
    count = len(few(read.y))
    made = made_up(few(read.y), few(read.head.predicted))
    if made is None:
        return None
    labels, hot = made
    signed = read.y.dtype.kind != "u"
    pred = np.full_like(hot, 1 / hot.shape[read.reading.axis])

    def with_id(value):
        other = labels.astype("int64" if signed else labels.dtype)
        other[: max(count // 2, 1)] = value
        return read.value(other.astype(labels.dtype) if labels.dtype.kind == "f" else other, pred)

    here = [with_id(value) for value in values[:2]]
    if not np.all(np.isfinite(here)):
        return False
    strange = with_id(read.head.predicted.shape[read.reading.axis] + 11)
    if not np.isfinite(strange):
        return True
    # JAX gives any number for any id.
    return False if type(loss).__module__.partition(".")[0] == "keras" else None


def _from_logits(read):
    return "from_logits=True, " if read.reading.kind == "logits" else ""


@check("T124", "setup", "note", requires=("base", "T123", "T130"), since="0.2.0")
def units_have_ids(case: SetupCase) -> None:
    """Units of the output belong to no class of the labels.

    They take part in the softmax and learn to be 0: a waste, and a sign that a class is missing in the data, that ids begin
    at 1, or that the number of units is that of another data set.

    Fix: as many units as classes, ids counted from 0: `y = y - 1` where the first one is 1.
    """
    if case.arrays is None:
        raise NotApplicable("not all labels are at hand")
    for read, y in _with_classes(case):
        classes = read.head.predicted.shape[read.reading.axis]
        if classes > _MOST_UNITS or y.size < 5 * classes:
            continue
        unused = sorted(set(range(classes)) - set(np.unique(y).astype(int).tolist()))
        if not unused:
            continue
        first = unused == [0]
        raise Failed(
            f"labels for each of the {classes} units of {read.head.text}",
            f"none of the {y.size} labels is {', '.join(map(str, unused[:8]))}{', ...' if len(unused) > 8 else ''}",
            ["print(np.unique(y))"],
            fix=f"Count from 0, `y = y - 1`, with {classes - 1} units."
            if first
            else f"Give the last layer {y.max() + 1:.0f} units, and number the classes without gaps.",
            severity="warning" if len(unused) > max(1, classes // 2) else None,
        )


def _with_classes(case):
    """Ids, and those of one-hot rows."""
    rows = []
    for read in read_outputs(case):
        reading = read.reading
        if reading.encoding == "classes" and reading.kind in ("logits", "probabilities") and not reading.elementwise:
            y = labels_of(case, read.output)
            if kind_of_labels(y) == "rows" and np.all(np.isin(y, (0, 1))):
                rows.append((read, y.argmax(axis=-1).astype("float64")))
    return rows or _with_ids(case)


@check("T130", "setup", "error", requires=("T120",), since="0.2.0")
def ids_are_whole(case: SetupCase) -> None:
    """Ids of classes are no whole numbers: the loss cuts off what is behind the point.

    Shares such as .3 and .7 all become class 0, and so do scaled ids.

    Fix: `y = y.astype("int32")` from whole numbers, not scaled; numbers that are no classes need a linear output and `"mse"`.
    """
    for read, y in _with_ids(case):
        broken = y != np.round(y)
        if not broken.any():
            continue
        count = len(few(read.y))
        pred = few(read.head.predicted)
        given, cut = read.value(few(read.y), pred), read.value(np.floor(read.y[:count]).astype(read.y.dtype), pred)
        if not np.isfinite(given) or abs(given - cut) > 1e-6 * (1 + abs(cut)):
            continue
        raise Failed(
            f"whole numbers for {read.loss_text}",
            f"{broken.mean():.0%} of the labels are none, such as {y[broken][0]:.4g}; the loss is the same, {given:.4g}, for "
            f"{np.floor(y[broken][0]):.0f}",
            ["print(np.unique(y)[:10])"],
            fix='For labels that are numbers write `Dense(1)` without an activation and `loss="mse"`.',
            severity=read.severity,
        )
