"""Whether the last layer gives what the loss reads: probabilities, logits, numbers of any size."""

import numpy as np

from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.heads import head_of
from kerasmith.checks.rules.setups.label_kinds import head_for, kind_of_labels
from kerasmith.checks.rules.setups.read_outputs import ReadOutput, labels_of, of, read_outputs

# Of the way from the loss' lowest value to that of a wrong prediction: what a perfect one may cost at most.
_COST = 0.1


@check("T101", "setup", "error", requires=(), since="0.2.0")
def softmax_over_one_unit(case: SetupCase) -> None:
    """The output is a softmax over one unit: it is 1 whatever the input is.

    A softmax divides by the sum over the units; over one of them that is the unit itself. The gradient is 0, nothing is
    learned, and the accuracy is the share of ones among the labels.

    Fix: a sigmoid for one unit, a softmax for as many units as there are classes.
    """
    for output in case.outputs:
        head = head_of(case, output)
        if head.predicted.size < 2 or head.predicted.shape[-1] != 1 or not np.all(np.abs(head.predicted - 1) < 1e-6):
            continue
        far = len(case.cache.get("far", ())) > 1
        if head.activation != "softmax" and not (head.activation is None and head.constant and far):
            continue
        has_labels = isinstance(output.y_true, np.ndarray) and output.y_true.dtype.kind in "biuf"
        instead = head_for(labels_of(case, output), 1) if has_labels else '`Dense(1, activation="sigmoid")`'
        raise Failed(
            f"outputs{of(case, output)} that depend on the input",
            f"1 for each of {len(head.predicted)} samples: {head.text} divides one unit by itself",
            ["y_pred = model.predict(x)", "print(y_pred.min(), y_pred.max())"],
            fix=f"Instead of the softmax over one unit: {instead}.",
        )


@check("T102", "setup", "error", requires=("base", "T121"), since="0.2.0")
def probabilities_are_expected(case: SetupCase) -> None:
    """The output is not limited to 0 to 1, and the loss takes it for a probability.

    Below 0 and above 1 such a loss is cut off, so that no gradient comes back, or it is NaN, or it falls below its lowest
    value. Often the loss stands still from the first epoch.

    Fix: `activation="sigmoid"` (independent yes or no) or `"softmax"` (one of several classes) in the last layer, or a loss
    that reads logits: `from_logits=True`.
    """
    for read in read_outputs(case):
        head, reading = read.head, read.reading
        if reading.kind != "probabilities" or head.is_probability or head.activation == "relu" or np.isnan(head.seen[0]):
            continue
        outside = float(np.mean((head.predicted < -1e-6) | (head.predicted > 1 + 1e-6)))
        negative = float(np.mean(head.predicted < -1e-6))
        if reading.normalises:
            # Only ratios count: an output above 0 is as good as a probability.
            outside, known = negative, head.low < 0
        else:
            known = head.low < 0 or head.high > 1
            zero, below = reading.below
            if head.low >= -1 and head.high <= 1 and below > zero + 1e-2:
                continue  # a cosine, for a loss that goes on growing below 0
        if outside == 0 and not known:
            continue
        raise Failed(
            f"an output{of(case, read.output)} between 0 and 1: {read.loss_text} takes it for a probability"
            f" ({_beyond(reading)})",
            f"{head.text} gives {head.seen[0]:.3g} to {head.seen[1]:.3g}, {outside:.0%} of it outside",
            ["y_pred = model.predict(x)", "print(y_pred.min(), y_pred.max())"],
            fix=_activate(read),
            severity=read.severity if outside > 0 else "warning",
        )


@check("T103", "setup", "error", requires=("base", "T101"), since="0.2.0")
def squashed_twice(case: SetupCase) -> None:
    """The output is a probability already, and the loss takes it for a logit: it is squashed twice.

    A sigmoid of a number between 0 and 1 lies between .5 and .73: a perfect prediction costs much, gradients are small, and
    the model cannot become sure of anything. Keras on TensorFlow undoes it for its own losses; on JAX and PyTorch nobody
    says a word.

    Fix: leave the activation of the last layer out, or the `from_logits=True` of the loss.
    """
    for read in read_outputs(case):
        head, reading = read.head, read.reading
        if reading.kind != "logits" or not (head.low >= -1 and head.high <= 1):
            continue
        certain = head.activation in ("sigmoid", "softmax", "hard_sigmoid") or head.rows is not None
        perfect = reading.perfect if head.low >= 0 else _at_signs(read)
        cost = (perfect - reading.best) / max(reading.worst - reading.best, 1e-12)
        if cost < _COST:
            continue
        what = "a margin loss: it wants -1 and 1 and beyond" if reading.margin else "the loss squashes it once more"
        raise Failed(
            f"logits{of(case, read.output)}, numbers of any size, for {read.loss_text}",
            f"{head.text} gives {head.seen[0]:.3g} to {head.seen[1]:.3g}, and {what}: the best that such an output can reach "
            f"costs {perfect:.3g}, where logits cost {reading.best:.3g}",
            ["y_pred = model.predict(x)", "print(y_pred.min(), y_pred.max())"],
            fix=(
                "Leave out the activation of the last layer, or take tanh."
                if reading.margin
                else f"Leave out the {head.activation or 'activation'} of the last layer (keep the loss), or keep it and take "
                "the loss without `from_logits=True`."
            ),
            severity=read.severity if certain and not reading.margin else "warning",
        )


@check("T104", "setup", "error", requires=("base", "T121"), since="0.2.0")
def relu_into_cross_entropy(case: SetupCase) -> None:
    """The output is a ReLU, and the loss is a cross-entropy.

    A ReLU is 0 for half of what comes in and has no upper end. As a probability it gets no gradient at 0 and above 1; as a
    logit it cannot say no.

    Fix: a sigmoid or a softmax in place of the ReLU, or no activation where the loss reads logits.
    """
    for read in read_outputs(case):
        head, reading = read.head, read.reading
        if head.activation != "relu" or reading.kind not in ("probabilities", "logits") or reading.margin:
            continue
        zeros = float(np.mean(head.predicted == 0))
        if reading.kind == "logits":
            numbers = f"{zeros:.0%} of the outputs are 0, a probability of .5, and none is below"
            fix = "Leave out the ReLU of the last layer: the loss reads logits."
            grave = reading.elementwise or reading.encoding == "elements"
        else:
            stuck = _without_gradient(case, read)
            numbers = f"{zeros:.0%} of the outputs are 0, {np.mean(head.predicted > 1):.0%} above 1; "
            numbers += f"{stuck:.0%} of the samples get no gradient"
            fix = _activate(read)
            grave = stuck > 0 or not reading.normalises
        raise Failed(
            f"{'logits' if reading.kind == 'logits' else 'probabilities'}{of(case, read.output)} for {read.loss_text}",
            f"{head.text} gives {head.seen[0]:.3g} to {head.seen[1]:.3g}: {numbers}",
            ["y_pred = model.predict(x)", "print((y_pred == 0).mean(), y_pred.max())"],
            fix=fix,
            severity=read.severity if grave else "warning",
        )


@check("T105", "setup", "error", requires=("base", "T108"), since="0.2.0")
def sigmoid_into_categorical(case: SetupCase) -> None:
    """The units are a sigmoid each, and the loss is the cross-entropy of one of several classes.

    That loss looks at the true class only, or at ratios: all units may go to 1, or to 0, and nothing punishes it. The outputs
    are no probabilities of the classes.

    Fix: `activation="softmax"` for one class out of several, `loss="binary_crossentropy"` for labels that are independent.
    """
    for read in read_outputs(case):
        head, reading = read.head, read.reading
        if reading.kind != "probabilities" or not reading.logarithmic or reading.elementwise or reading.encoding == "elements":
            continue
        if not head.is_probability or head.rows is not None or head.activation == "softmax":
            continue
        sums = head.predicted.sum(axis=reading.axis)
        several = reading.encoding == "classes" and kind_of_labels(labels_of(case, read.output)) == "binary"
        raise Failed(
            f"outputs{of(case, read.output)} that sum to 1 for {read.loss_text}, a cross-entropy of one class out of "
            f"{head.predicted.shape[reading.axis]}",
            f"{head.text}: the sums are {sums.min():.3g} to {sums.max():.3g}, and "
            + ("half of each costs the same" if reading.normalises else "1 for every class costs nothing"),
            ["y_pred = model.predict(x)", f"print(y_pred.sum(axis={reading.axis}))"],
            fix=(
                'Keep the sigmoid and take `loss="binary_crossentropy"`: a row of labels may hold several ones.'
                if several
                else 'Write `activation="softmax"` in the last layer instead.'
            ),
            severity=read.severity,
        )


@check("T106", "setup", "error", requires=("base",), since="0.2.0")
def softmax_into_binary(case: SetupCase) -> None:
    """The units are a softmax, and the loss takes each for a yes or no of its own.

    A softmax shares out 1: it cannot say yes to two labels, nor no to all. With one label each it does learn, with a loss and
    gradients that are smaller by the number of classes.

    Fix: `activation="sigmoid"` for independent labels, `loss="categorical_crossentropy"` for one class out of several.
    """
    for read in read_outputs(case):
        head, reading = read.head, read.reading
        if head.rows is None or not (reading.kind == "probabilities" and reading.logarithmic and reading.elementwise):
            continue
        y = labels_of(case, read.output)
        if y.ndim != head.predicted.ndim or y.shape[head.rows] != head.predicted.shape[head.rows]:
            continue
        sums = y.sum(axis=head.rows)
        others = float(np.mean(np.abs(sums - 1) > 1e-3))
        if others == 0 and head.predicted.shape[head.rows] == 2:
            continue  # the two are one number, and the loss is the same
        raise Failed(
            f"independent outputs{of(case, read.output)} for {read.loss_text}",
            f"{head.text}: {head.predicted.shape[head.rows]} outputs that sum to 1, where the rows of labels sum to "
            f"{sums.min():.3g} to {sums.max():.3g}",
            [f"print(model.predict(x).sum(axis={head.rows}), y.sum(axis={head.rows}))"],
            fix=(
                'Write `activation="sigmoid"` in the last layer instead of the softmax.'
                if others
                else 'Keep the softmax and take `loss="categorical_crossentropy"`.'
            ),
            severity=read.severity if others > 0.02 else "warning",
        )


def _beyond(reading):
    """What the loss does beyond 1 and below 0, in numbers."""
    if reading.normalises:
        return "it divides a row by its sum"
    (one, above), (zero, below) = reading.above, reading.below
    if not np.isfinite(above) or not np.isfinite(below):
        return f"it is not finite at {'7' if not np.isfinite(above) else '-3'}"
    if above < one - 1e-2:
        return f"at 7 it falls to {above:.3g}, below the {one:.3g} of a perfect prediction"
    return f"at 7 it is {above:.3g} as at 1, at -3 {below:.3g} beside {zero:.3g} at 0"


def _activate(read: ReadOutput) -> str:
    """The activation to write for a loss on probabilities."""
    name = "sigmoid" if read.reading.elementwise or read.reading.encoding == "elements" else "softmax"
    if read.head.predicted.shape[-1] == 1:
        name = "sigmoid"
    return f'Write `activation="{name}"` in the last layer.'


def _at_signs(read):
    """The loss where an output between -1 and 1 is at the right end."""
    from kerasmith.checks.rules.setups.loss_reading import few, made_up

    labels = made_up(few(read.y), few(read.head.predicted))
    return np.nan if labels is None else read.value(labels[0], 2 * labels[1] - 1)


def _without_gradient(case, read):
    """The share of samples whose loss does not change with any of their outputs."""
    gradient = case.loss_gradient(read.output, read.y, read.head.predicted.astype("float32"))
    flat = np.abs(np.nan_to_num(gradient)).reshape(len(gradient), -1)
    return float(np.mean(flat.max(axis=1) == 0))
