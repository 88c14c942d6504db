"""What the loss says to this very batch: whether it depends on the predictions, and whether it is a number."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.heads import head_of
from kerasmith.checks.rules.setups.label_kinds import head_for, kind_of_labels, values_text
from kerasmith.checks.rules.setups.loss_reading import few
from kerasmith.checks.rules.setups.read_outputs import labels_of, of, read_outputs

# By which part a loss must differ between right and wrong answers.
_GAP = 0.05


@check("T107", "setup", "error", requires=("T101",), since="0.2.0")
def loss_depends_on_predictions(case: SetupCase) -> None:
    """The loss is the same whatever is predicted.

    There is no gradient, and nothing is learned. The usual cause is the cross-entropy of several classes on one unit: it
    divides the unit by the sum of the units, which is itself.

    Fix: for one unit `loss="binary_crossentropy"`; for several classes as many units as there are classes.
    """
    reads = read_outputs(case)
    several = len(reads) > 1 or (case.is_objective and len(case.model.objective.terms) > 1)
    if case.has_own_loss or several or getattr(case.model, "losses", None):
        raise NotApplicable("something else may be what is trained on")
    for read in reads:
        pred, y = few(read.head.predicted), few(read.y)
        draws = np.random.default_rng(3)
        tried = [pred, *(draws.uniform(0.05, 0.95, pred.shape) for _ in range(2))]
        tried += [size * draws.normal(size=pred.shape) for size in ((1, 4) if read.head.low < 0 else ())]
        values = np.array([read.value(y, one) for one in tried])
        if not np.isfinite(values).any() and pred.shape[-1] == 1 and set(np.unique(y).tolist()) == {0, 1}:
            # A sparse loss knows as many classes as there are units: of one unit only class 0.
            values = np.array([read.value(np.zeros_like(y), one) for one in tried])
        values = values[np.isfinite(values)]
        if len(values) < 3 or np.ptp(values) > 1e-6 * (1 + np.abs(values).max()):
            continue
        one_unit = pred.shape[-1] == 1
        raise Failed(
            f"a loss{'' if len(case.outputs) == 1 else f' of {read.output.name!r}'} that changes with the predictions",
            f"{read.loss_text} is {values[0]:.4g} for those of the model and for {len(values) - 1} random ones",
            ["print([model.compute_loss(x, y, p * np.ones_like(model.predict(x))) for p in (0.1, 0.5, 0.9)])"],
            fix=f"For these labels write {head_for(labels_of(case, read.output), 1)}." if one_unit else None,
        )


@check("T113", "setup", "error", requires=("base", "T107", "T121", "T127"), since="0.2.0")
def right_answers_cost_less(case: SetupCase) -> None:
    """The loss is lower for wrong predictions than for right ones: training leads away from the labels.

    A similarity - an overlap, a cosine, a likelihood, R² - is larger where predictions are better, and `fit` makes its loss
    small. The sign is missing, or `1 -`.

    Fix: `1 - dice` or `-similarity` in the loss; a log-likelihood needs a minus.
    """
    for read in read_outputs(case):
        head, y = read.head, few(read.y)
        answers = _right_and_wrong(y, few(head.predicted))
        if answers is None or not head.is_probability:
            continue
        right, wrong, none = (read.value(y, one) for one in answers)
        if not np.isfinite([right, wrong, none]).all() or not right > none > wrong:
            continue
        if right - wrong < _GAP * max(abs(right), abs(wrong)):
            continue
        one_number = head.predicted[0].size == 1
        raise Failed(
            f"a loss{of(case, read.output)} that is lowest where predictions equal the labels",
            f"{read.loss_text} is {right:.4g} for the labels themselves, {none:.4g} for predictions that say nothing, and "
            f"{wrong:.4g} for those that deny every label",
            ["p = y.astype('float32')", "print([model.compute_loss(x, y, q) for q in (p, 1 - p)])"],
            # One number for a sample may be a distance, which is large where the label says "alike".
            severity="warning" if one_number else read.severity,
        )


def _right_and_wrong(y, predicted):
    """(predictions that equal the labels, that say nothing, that deny them) where labels are 0 and 1 or ids, else None."""
    classes = predicted.shape[-1]
    if y.size == predicted.size and set(np.unique(y).tolist()) == {0, 1}:
        hot = y.reshape(predicted.shape).astype("float64")
        is_row = classes > 1 and np.all(hot.sum(axis=-1) == 1)
        wrong = np.roll(hot, 1, axis=-1) if is_row else 1 - hot
    elif classes > 1 and y.size * classes == predicted.size and y.min() >= 0 and y.max() < classes and np.all(y % 1 == 0):
        is_row, hot = True, np.eye(classes)[y.astype("int64").reshape(predicted.shape[:-1])]
        wrong = np.roll(hot, 1, axis=-1)
    else:
        return None
    even = np.full_like(hot, 1 / classes if is_row else 0.5)
    return [np.clip(one, 1e-6, 1 - 1e-6) for one in (hot, wrong, even)]


@check("T108", "setup", "error", since="0.2.0")
def softmax_over_samples(case: SetupCase) -> None:
    """The outputs sum to 1 over the samples of the batch.

    A softmax along axis 0 makes the samples compete: what is predicted for one depends on the others in its batch, and alone
    each of them gets 1.

    Fix: `axis=-1`, the axis of the classes.
    """
    for output in case.outputs:
        head = head_of(case, output)
        predicted = head.predicted
        if len(predicted) < 3 or head.rows is not None or not np.all(predicted >= 0) or head.constant:
            continue
        sums = predicted.sum(axis=0)
        if np.all(np.abs(sums - 1) < 1e-3):
            raise Failed(
                "outputs of a sample that do not depend on the others",
                f"the outputs of {len(predicted)} samples sum to {sums.min():.4g} to {sums.max():.4g} along axis 0, the batch",
                ["y_pred = model.predict_on_batch(x)", "print(y_pred.sum(axis=0))"],
                fix="Write `axis=-1` in the softmax.",
            )


@check("T109", "setup", "error", requires=("base", "T102", "T104", "T110", "T120", "T121"), since="0.2.0")
def loss_is_finite(case: SetupCase) -> None:
    """The loss of the first batch is NaN or infinite before anything is trained.

    The first step makes all weights NaN.

    Fix: look for a logarithm or a root of 0 and a division by 0 in the loss; clip what goes in: `ops.clip(p, 1e-7, 1 - 1e-7)`.
    """
    for read in read_outputs(case):
        try:
            values = case.loss_values(read.output, read.y, read.head.predicted.astype("float32"))
        except Inconclusive:
            continue
        bad = ~np.isfinite(values)
        if not bad.any():
            continue
        if not np.all(np.isfinite(read.head.predicted)):
            raise Inconclusive("the predictions are not finite themselves")
        raise Failed(
            "a finite loss for each sample",
            f"{read.loss_text} is {values[bad][0]} for {bad.sum()} of {len(values)} samples, with predictions of "
            f"{read.head.seen[0]:.4g} to {read.head.seen[1]:.4g}",
            ["y_pred = model.predict(x)", "print(model.compute_loss(x, y, y_pred), y_pred.min(), y_pred.max())"],
            severity=read.severity,
        )


@check("T110", "setup", "error", requires=("base", "T121"), since="0.2.0")
def positive_numbers_are_expected(case: SetupCase) -> None:
    """The output may be negative, and the loss takes its logarithm.

    The loss of counts and rates (Poisson, Gamma) is for numbers above 0; below, it is NaN, and so are all weights after it.

    Fix: `activation="softplus"` or `"exponential"` in the last layer.
    """
    for read in read_outputs(case):
        head, reading = read.head, read.reading
        if reading.kind != "positive" or head.low >= 0 or np.isnan(head.seen[0]):
            continue
        negative = float(np.mean(head.predicted < 0))
        if negative == 0 and not head.is_unbounded:
            continue
        below = read.value(few(read.y), np.full_like(few(head.predicted), -3.0))
        raise Failed(
            f"an output above 0 for {read.loss_text}, which is {below:.3g} at -3",
            f"{head.text} gives {head.seen[0]:.3g} to {head.seen[1]:.3g}, {negative:.0%} of it below 0",
            ["y_pred = model.predict(x)", "print(y_pred.min(), model.compute_loss(x, y, y_pred))"],
            fix='Write `activation="softplus"` in the last layer.',
            severity=read.severity if negative else "warning",
        )


@check("T111", "setup", "note", requires=("base", "T122", "T126"), since="0.2.0")
def distances_of_classes(case: SetupCase) -> None:
    """The labels are classes, and the loss is a distance between numbers.

    It works, and often slowly: behind a sigmoid or softmax the gradient of a squared error vanishes where the output is sure
    and wrong, where a cross-entropy has its largest one. Some designs do it on purpose, such as least-squares GANs.

    Fix: `activation="sigmoid"` and `loss="binary_crossentropy"` for yes or no, `activation="softmax"` and
    `loss="categorical_crossentropy"` for one-hot rows.
    """
    for read in read_outputs(case):
        if read.reading.kind != "values" or read.y.ndim > 2:
            continue
        y = labels_of(case, read.output)
        kind = kind_of_labels(y)
        one_unit = read.head.predicted.ndim == 2 and read.head.predicted.shape[-1] == 1
        if not (kind == "rows" or (kind == "binary" and one_unit)) or len(np.unique(y)) != 2:
            continue
        raise Failed(
            f"a cross-entropy{of(case, read.output)} for labels that are classes: {values_text(y)}",
            f"{read.loss_text}, a distance: a prediction that denies its label costs {read.reading.worst:.3g}, no more",
            ["print(np.unique(y), model.loss)"],
            fix=f"For these labels write {head_for(y, read.output.units)}.",
        )
