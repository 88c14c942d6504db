"""Whether the labels are numbers that the loss understands and the output can reach."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.label_kinds import head_for, kind_of_labels, values_text
from kerasmith.checks.rules.setups.loss_reading import few, made_up
from kerasmith.checks.rules.setups.read_outputs import ReadOutput, labels_of, of, read_outputs


@check("T120", "setup", "error", requires=("T138",), since="0.2.0")
def labels_are_numbers(case: SetupCase) -> None:
    """Labels are text, or NaN.

    A loss computes with numbers. One NaN among them makes the loss NaN, and all weights with the first step.

    Fix: number the classes, `classes, y = np.unique(y, return_inverse=True)`; leave out the samples whose label is missing:
    `keep = np.isfinite(y); x, y = x[keep], y[keep]`.
    """
    if case.y is None or case.is_objective:
        raise NotApplicable("there are no labels")
    for output in case.outputs:
        y = output.y_true
        if y is None:
            continue
        y = np.asarray(y)
        if y.dtype.kind in "OUS":
            values = list(dict.fromkeys(np.ravel(y).tolist()))
            if any(isinstance(value, (str, bytes)) for value in values):
                raise Failed(
                    "numbers as labels",
                    f"text: {', '.join(map(repr, values[:4]))}{', ...' if len(values) > 4 else ''}",
                    ["print(y.dtype, y[:4])"],
                    fix="Number the classes before `fit`: `classes, y = np.unique(y, return_inverse=True)`.",
                )
        if y.dtype.kind != "f" or output.loss is None:
            continue
        every = labels_of(case, output)
        missing = ~np.isfinite(every)
        if not missing.any():
            continue
        rows = missing.reshape(len(every), -1).any(axis=1)
        if not np.isfinite(y).all():
            with np.errstate(all="ignore"):
                values = case.loss_values(output, y, case.predictions()[output.index].astype("float32"))
            if np.isfinite(values).all():
                continue  # a loss that leaves them out on purpose
        raise Failed(
            "finite labels",
            f"{missing.sum()} of {every.size} labels are not finite, in {rows.sum()} of {len(every)} samples",
            ["print(np.isnan(y).sum())"],
            fix="Leave those samples out before `fit`: `keep = np.isfinite(y).reshape(len(y), -1).all(1)`, "
            "`x, y = x[keep], y[keep]`.",
        )


@check("T121", "setup", "error", requires=("T120",), since="0.2.0")
def labels_are_in_the_domain(case: SetupCase) -> None:
    """Labels lie outside of what the loss is defined for.

    A cross-entropy is for labels between 0 and 1. With 255, 2 or -1 it has no lowest value: it falls below 0 without end, and
    the output runs to one side. A margin loss is for -1 and 1: with 1 and 2 all samples are of one class for it.

    Fix: map the labels: `y / 255` for pixels, `y - 1` for 1 and 2, `(y + 1) / 2` for -1 and 1; for ids of several classes one
    unit for each and a sparse categorical cross-entropy; for numbers of any size a linear output and `"mse"`.
    """
    for read in read_outputs(case):
        if read.reading.encoding not in ("elements", "classes"):
            continue
        y = labels_of(case, read.output)
        kind = read.reading.kind
        if kind == "positive":
            _counts(case, read, y)
        elif kind in ("logits", "probabilities") and read.reading.margin:
            _margins(case, read, y)
        elif kind in ("logits", "probabilities"):
            _shares(case, read, y)


def _counts(case, read, y):
    low = float(np.min(y))
    if low < 0:
        raise Failed(
            f"labels of 0 and more for {read.loss_text}",
            f"{np.mean(y < 0):.0%} of the labels are below 0, the lowest is {low:.4g}",
            ["print(y.min(), y.max())"],
            fix='For labels below 0 leave out the activation of the last layer and take `loss="mse"`.',
            severity=read.severity,
        )


def _margins(case, read, y):
    values = np.unique(y)
    if len(values) > 1 and values[0] > 0:
        raise Failed(
            f"labels of -1 and 1 (or 0 and 1) for {read.loss_text}, which reads their sign",
            f"{values_text(y)}: all of one sign, one class for it",
            ["print(np.unique(y))"],
            fix="Map the labels before `fit`: " + ("`y = 2 * y - 3`." if set(values.tolist()) == {1, 2} else "to -1 and 1."),
            severity=read.severity,
        )


def _shares(case, read, y):
    outside = (y < -1e-6) | (y > 1 + 1e-6)
    if not outside.any():
        return
    lowest = _lowest(read, y)
    rows = read.reading.encoding == "classes" and not read.reading.elementwise
    single = rows and bool(np.all((y.reshape(-1, y.shape[-1]) != 0).sum(axis=1) <= 1))
    if lowest is None and not np.isnan(y.astype("float64")).any():
        raise Failed(
            f"labels{of(case, read.output)} between 0 and 1 for {read.loss_text}",
            f"{values_text(y)}: {outside.mean():.0%} outside, which the loss refuses",
            ["print(np.unique(y)[:10], y.min(), y.max())"],
            fix=_mapping(case, read, y),
            severity=read.severity,
        )
    scaled = single and len(np.unique(y[y != 0])) == 1 and y.min() == 0
    if lowest is None or (single and lowest >= -1e-3 and not scaled):
        return
    usual = read.reading.best if read.reading.kind == "logits" else read.reading.perfect
    floor = min(usual, 0.0)
    if not lowest < floor - 0.1:
        if not rows:
            return  # a loss that leaves such labels out, or knows them
    elif single and y.min() < 0:
        return  # rewards in place of ones: a policy gradient
    falls = f"; the loss falls to {lowest:.4g} with them, where {usual:.3g} is its lowest for labels of 0 and 1"
    raise Failed(
        f"labels{of(case, read.output)} between 0 and 1 for {read.loss_text}",
        f"{values_text(y)}: {outside.mean():.0%} outside{falls if lowest < floor - 0.1 else ''}",
        ["print(np.unique(y)[:10], y.min(), y.max())"],
        fix=_mapping(case, read, y),
        severity=read.severity if lowest < floor - 0.1 else "warning",
    )


def _lowest(read: ReadOutput, y):
    """The lowest mean loss of some predictions on labels of which some are outside; None where nothing finite came."""
    count = len(few(read.head.predicted))
    outside = ((y < -1e-6) | (y > 1 + 1e-6)).reshape(len(y), -1).any(axis=1)
    chosen = np.flatnonzero(outside)[:count]
    shape = (len(chosen), *read.head.predicted.shape[1:])
    size = (1e-4, 1 - 1e-4) if read.reading.kind == "probabilities" else (-12.0, 12.0)
    values = [read.value(y[chosen], np.full(shape, p)) for p in (size[0], sum(size) / 2, size[1])]
    with np.errstate(all="ignore"):
        lean = np.where(y[chosen].reshape(shape) > 0.5, size[1], size[0]) if y[chosen].size == np.prod(shape) else None
    values += [] if lean is None else [read.value(y[chosen], lean)]
    finite = [value for value in values if np.isfinite(value)]
    return min(finite) if finite else None


def _labels_of_another(case, read):
    """The name of an output whose labels would fit here, and these there, as in a list in the wrong order."""
    for one in read_outputs(case):
        fits = one.y.shape == read.y.shape and one.y.min() >= 0 and one.y.max() <= 1
        if one is not read and fits and one.reading.kind == "values":
            return one.output.name
    return None


def _mapping(case, read, y):
    """What to do to labels outside of 0 to 1."""
    other = _labels_of_another(case, read)
    if other is not None:
        return f"The labels of {read.output.name!r} look like those of {other!r}: give them in the order of the outputs."
    values = set(np.unique(y)[:8].tolist())
    kind = kind_of_labels(y)
    if kind == "pixels" or (y.min() >= 0 and 1 < y.max() <= 255 and y.max() > 200 and y.ndim > 2):
        return "Divide the labels before `fit`: `y = y / 255`."
    if values == {1, 2}:
        return "Count the labels from 0 before `fit`: `y = y - 1`."
    if kind == "signs" or values == {-1, 0, 1}:
        return "Map the labels before `fit`: `y = (y + 1) / 2`."
    if len(values) == 2 and (0 not in values or kind != "ids"):
        low, high = sorted(values)
        return f"Map the labels before `fit`: `y = (y - {low:.6g}) / {high - low:.6g}`."
    return f"For these labels write {head_for(y, read.output.units)}."


@check("T131", "setup", "warning", requires=("base", "T101", "T107", "T121"), since="0.2.0")
def labels_of_zero_count(case: SetupCase) -> None:
    """Labels of 0 have no effect: the loss of such a sample is the same whatever is predicted.

    A loss that multiplies the prediction by its label, or takes the logarithm where the label is 1, learns to say yes only. A
    margin loss of one's own knows -1 and 1.

    Fix: labels of -1 and 1, `y = 2 * y - 1`, or a loss with a part for 0: `loss="binary_crossentropy"`.
    """
    for read in read_outputs(case):
        y = few(read.y)
        pred = few(read.head.predicted)
        if read.reading.encoding != "elements" or set(np.unique(read.y).tolist()) != {0, 1} or y.dtype.kind == "b":
            continue
        sizes = (0.1, 0.5, 0.9) if read.head.is_probability else (-3.0, -0.5, 0.5, 3.0)
        labels, hot = made_up(y, pred)
        zeros = [read.value(labels, np.where(hot > 0.5, 0.5, size)) for size in sizes]
        ones = [read.value(labels, np.where(hot > 0.5, size, 0.5)) for size in sizes]
        if np.isfinite([zeros, ones]).all() and np.ptp(zeros) < 1e-6 and np.ptp(ones) > 1e-3:
            raise Failed(
                f"a loss{of(case, read.output)} that depends on the prediction where the label is 0",
                f"{read.loss_text} is {zeros[0]:.4g} for predictions of {sizes[0]:g} to {sizes[-1]:g} at labels of 0, and "
                f"{min(ones):.4g} to {max(ones):.4g} for those at labels of 1",
                ["print(np.unique(y))"],
                fix=(
                    'Take `loss="binary_crossentropy"`.'
                    if read.head.is_probability
                    else "Map the labels before `fit`: `y = 2 * y - 1`."
                ),
            )


@check("T122", "setup", "error", requires=("base", "T101", "T120", "T121"), since="0.2.0")
def labels_can_be_reached(case: SetupCase) -> None:
    """The last activation cannot reach the labels.

    A sigmoid ends at 1, tanh at -1 and 1, a ReLU at 0. Labels beyond are never predicted: the output sits at its end, where
    the activation has no gradient.

    Fix: leave out the last activation, or map the labels into its range.
    """
    for read in read_outputs(case):
        head, reading = read.head, read.reading
        if reading.kind not in ("values", "positive") or np.isnan(head.low) or head.activation in (None, "linear"):
            continue
        y = labels_of(case, read.output)
        y = y[np.isfinite(y)] if y.dtype.kind == "f" else y
        if y.size == 0:
            continue
        span = max(float(np.max(y)) - float(np.min(y)), 1e-6)
        beyond = float(np.mean((y < head.low - 0.01 * span) | (y > head.high + 0.01 * span)))
        if beyond == 0:
            continue
        raise Failed(
            f"labels{of(case, read.output)} within {head.low:g} and {head.high:g}, the ends of {head.text}",
            f"{values_text(y)}: {beyond:.0%} of them beyond; predictions are {head.seen[0]:.3g} to {head.seen[1]:.3g}",
            ["print(y.min(), y.max(), model.predict(x).min(), model.predict(x).max())"],
            fix=_reach(read, labels_of(case, read.output)),
            severity=read.severity if beyond >= 0.02 else "warning",
        )


def _reach(read, y):
    kind = kind_of_labels(y)
    if kind == "pixels" or (read.head.low >= 0 and y.min() >= 0 and 200 < y.max() <= 255 and y.ndim > 2):
        return "Divide the labels before `fit`: `y = y / 255`."
    if kind == "ids" and y.max() > 1 and read.output.units == 1 and read.head.high <= 1:
        return f"For ids of classes write {head_for(y, 1)}; for numbers leave out the activation of the last layer."
    return "Leave out the activation of the last layer (`activation=None`)."


@check("T129", "setup", "warning", requires=("base", "T120", "T121", "T127"), since="0.2.0")
def rows_sum_to_one(case: SetupCase) -> None:
    """Rows of labels do not sum to 1, and the loss takes each row for one of several classes.

    A row with two ones asks a softmax for what it cannot give, one without any adds nothing to the loss: the sample is there
    for nothing.

    Fix: `activation="sigmoid"` and `loss="binary_crossentropy"` where a sample may have several labels or none.
    """
    for read in read_outputs(case):
        reading = read.reading
        if reading.encoding != "classes" or reading.elementwise or reading.margin:
            continue
        if reading.kind != "logits" and not (reading.kind == "probabilities" and reading.logarithmic):
            continue
        y = labels_of(case, read.output)
        if y.shape[1:] != read.head.predicted.shape[1:]:
            raise Inconclusive("labels and outputs have different shapes")
        axis = read.head.rows if read.head.rows is not None else reading.axis
        sums = y.sum(axis=axis)
        several = float(np.mean(((y != 0).sum(axis=axis) > 1) & (sums > 1 + 1e-2)))
        none = float(np.mean(sums == 0))
        if several + none < 1e-3:
            continue
        what = f"{several:.0%} of the rows sum to more" if several else ""
        empty = f"{none:.0%} of the rows are all 0" if none else ""
        raise Failed(
            f"rows of labels{of(case, read.output)} that sum to 1 for {read.loss_text}",
            f"sums of {sums.min():.4g} to {sums.max():.4g}: {' and '.join(filter(None, (what, empty)))}",
            [f"print(np.unique(y.sum(axis={axis})))"],
            fix='Write `activation="sigmoid"` in the last layer and take `loss="binary_crossentropy"`.',
            severity=read.severity if several >= 0.02 else "warning",
        )
