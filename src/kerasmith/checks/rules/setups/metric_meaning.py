"""Whether a metric reads predictions as the loss does, and can move at all."""

import numpy as np

from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.label_kinds import values_text
from kerasmith.checks.rules.setups.loss_reading import few, reading_of
from kerasmith.checks.rules.setups.metric_scores import Trials, compiled_metrics, finding_of
from kerasmith.checks.rules.setups.read_outputs import labels_of


@check("T140", "setup", "error", requires=("base", "T101", "T102", "T103", "T125"), since="0.2.0")
def metric_reads_logits(case: SetupCase) -> None:
    """The output is a logit, and a metric takes it for a probability.

    The loss was told (`from_logits=True`), the metric was not: its threshold of .5 stands where the probability is .62, and
    an area under a curve sees the part between 0 and 1 only.

    Fix: `keras.metrics.BinaryAccuracy(threshold=0.0)`, `keras.metrics.AUC(from_logits=True)`; or a sigmoid in the last layer
    and a loss on probabilities.
    """
    for read, metric, score in compiled_metrics(case):
        if read.reading.kind != "logits" or read.reading.margin or read.head.is_probability:
            continue
        trial = Trials(read)
        if trial.y is None:
            continue
        signs = 2 * trial.hot - 1
        weak, mid, best = (score(trial.y, size * signs) for size in (0.25, 0.75, 4.0))
        no = score(trial.y, np.where(trial.hot > 0.5, -0.25, 0.25 * signs))
        if np.isfinite([weak, mid, best]).all() and mid == best != weak and weak == no:
            between = float(np.mean((read.head.predicted > 0) & (read.head.predicted < 0.5)))
            raise finding_of(
                case,
                metric,
                read,
                "logits are read at a threshold of 0",
                f"logits of .25 score {weak:.3g} as those of -.25 do, logits of .75 {mid:.3g}: the threshold is between; "
                f"{between:.0%} of the outputs of this batch lie between 0 and .5",
                _fix_threshold(metric),
                severity=None if between > 0 else "warning",
            )
        noise = np.random.default_rng(8).normal(size=trial.hot.shape)
        z = 1.5 * signs + 2.0 * noise
        seen, squashed, right = score(trial.y, z), score(trial.y, 1 / (1 + np.exp(-z))), _area(trial.hot, z)
        if abs(seen - right) > 0.03 and abs(squashed - right) < 0.02 and read.reading.encoding == "elements":
            raise finding_of(
                case,
                metric,
                read,
                f"the same from logits as from their sigmoid, {squashed:.3g}",
                f"{seen:.3g} from logits",
                f"Write `keras.metrics.{type(metric).__name__}(from_logits=True, name={metric.name!r})`.",
            )
        outside = float(np.mean((read.head.predicted < 0) | (read.head.predicted > 1)))
        if reading_of(score, read.y, read.head.predicted).kind == "probabilities" and not _is_step(score, trial):
            raise finding_of(
                case,
                metric,
                read,
                "a metric of logits, as the loss is one",
                f"it is cut off outside of 0 to 1, where {outside:.0%} of the outputs lie",
                "Give the metric `from_logits=True`, or put the activation into the last layer and leave it out of the loss.",
                severity="warning",
            )


def _is_step(score, trial):
    """Whether only counts of right and wrong matter to a metric."""
    return score(trial.y, trial.predict(trial.hot, 0.97)) == score(trial.y, trial.predict(trial.hot, 0.9))


def _area(hot, z):
    """The area under the ROC curve, by pairs."""
    yes, no = z[hot > 0.5], z[hot <= 0.5]
    return float(np.mean(yes[:, None] > no[None, :])) if yes.size and no.size else np.nan


def _fix_threshold(metric):
    name = type(metric).__name__
    if name in ("BinaryAccuracy", "MeanMetricWrapper"):
        return f'Write `keras.metrics.BinaryAccuracy(name="{metric.name}", threshold=0.0)` for it.'
    if name in ("Precision", "Recall"):
        return f'Write `keras.metrics.{name}(thresholds=0.0, name="{metric.name}")` for it.'
    return f"Give {name} a threshold of 0, or put the sigmoid into the last layer and leave it out of the loss."


@check("T141", "setup", "error", requires=("base", "T125"), since="0.2.0")
def metric_can_move(case: SetupCase) -> None:
    """A metric says the same to right, wrong and random predictions.

    It reads labels and predictions of another form than these: `Accuracy` wants numbers that are equal to the labels, the
    sparse accuracy several units, the categorical one rows. It stands still while the model learns.

    Fix: `metrics=["accuracy"]` as text, from which Keras takes the form that fits labels and outputs.
    """
    from kerasmith.keras_internals.global_batch import is_kerass_sum

    for read, metric, score in compiled_metrics(case):
        trial = Trials(read)
        if trial.y is None:
            continue
        tried = [trial.predict(trial.hot), trial.predict(trial.wrong), *trial.draws()]
        values = [score(trial.y, one) for one in tried]
        if not np.isfinite(values).all() or np.ptp(values) > 1e-6:
            continue
        exact = score(trial.y, trial.hot)
        never_0 = np.isfinite(exact) and abs(exact - values[0]) > 1e-6
        if not never_0 and values[0] not in (0.0, 1.0):
            other = score(np.zeros_like(trial.y), tried[0])
            if not abs(other - values[0]) > 1e-6:
                continue  # what it shows is none of labels and predictions, such as a learning rate
        alike = [score(trial.y, np.full_like(trial.hot, whole)) for whole in (0.0, 1.0)]
        about_equality = never_0 and not any(abs(one - values[0]) < 1e-6 for one in alike)
        how = ""
        if about_equality:
            how = f"; {exact:.4g} only where predictions equal the labels to the last digit"
        elif never_0:
            how = f", as where each output is {'0' if abs(alike[0] - values[0]) < 1e-6 else '1'}"
        raise finding_of(
            case,
            metric,
            read,
            "another score for right predictions than for wrong ones",
            f"{values[0]:.4g} for right, for wrong and for {len(values) - 2} random predictions{how}",
            _instead(metric, read),
            severity=None if is_kerass_sum(metric) else "warning",
            title=("A metric compares probabilities with labels for equality" if about_equality else None),
        )


def _instead(metric, read):
    """What to write in place of a metric that cannot move."""
    name = type(metric).__name__
    classes, one_unit = read.head.predicted.shape[-1], read.reading.encoding == "elements"
    if "IoU" in name and one_unit:
        return f"Write `keras.metrics.BinaryIoU([0, 1], threshold=0.5, name={metric.name!r})` in place of `{name}`."
    if "IoU" in name:
        sparse = read.reading.encoding == "ids"
        form = "MeanIoU" if sparse else "OneHotMeanIoU"
        form += f"({classes}, sparse_y_pred=False, name={metric.name!r})"
        return f"Write `keras.metrics.{form}` in place of `{name}`."
    if getattr(metric, "threshold", 0) is None:
        return f"Give `{name}` a threshold: `threshold=0.5`."
    return f'Write "accuracy" in place of `{name}` in `metrics`.'


@check("T143", "setup", "warning", requires=("base", "T125", "T141", "T146"), since="0.2.0")
def accuracy_of_each_unit(case: SetupCase) -> None:
    """A metric counts each unit as right or wrong, where a sample has one class.

    With ten classes a model that says no to all of them is right in nine of ten units: it scores .9 before it has learned
    anything.

    Fix: `metrics=["accuracy"]`, from which Keras takes the form for one class out of several.
    """
    for read, metric, score in compiled_metrics(case):
        trial = Trials(read)
        if trial.y is None or read.reading.encoding != "classes" or read.reading.elementwise:
            continue
        classes = trial.hot.shape[read.reading.axis]
        nothing = np.full_like(trial.hot, -1.0 if read.reading.kind == "logits" else 1 / classes)
        blind, right = score(trial.y, nothing), score(trial.y, trial.predict(trial.hot))
        first = score(trial.y, trial.predict(np.eye(classes, dtype="float32")[np.zeros(trial.hot.shape[:-1], int)]))
        if classes > 2 and right == 1 and abs(blind - (1 - 1 / classes)) < 1e-3 and abs(first - (1 - 2 / classes)) < 0.05:
            raise finding_of(
                case,
                metric,
                read,
                f"the score of a guess, {1 / classes:.2g}, for predictions that say nothing",
                f"{blind:.3g}",
                f'Write "accuracy" in place of "{metric.name}" in `metrics`.',
            )


@check("T142", "setup", "error", requires=("base", "T120", "T122", "T126"), since="0.2.0")
def accuracy_of_a_regression(case: SetupCase) -> None:
    """The labels are numbers, and a metric counts how many are hit.

    An accuracy asks whether a prediction equals its label, which for numbers it never does. It stays near 0 all the time.

    Fix: a metric of distances: `metrics=["mae"]`, or `keras.metrics.R2Score()`.
    """
    for read, metric, score in compiled_metrics(case):
        if read.reading.kind not in ("values", "positive"):
            continue
        y = few(labels_of(case, read.output)).astype("float64")
        pred = few(read.head.predicted)
        if y.size != pred.size or np.ptp(y) == 0 or set(np.unique(y).tolist()) <= {0.0, 1.0} or _is_onehot(y):
            continue
        draws = np.random.default_rng(6)
        perfect = score(few(read.y), few(read.y).reshape(pred.shape)) if len(few(read.y)) == len(pred) else np.nan
        own = few(read.y).astype("float64").reshape(pred.shape)
        spread = max(float(np.std(own)), 1e-6)
        near = score(few(read.y), own + 0.01 * spread * draws.choice((-1, 1), own.shape))
        blind = [own[draws.permutation(len(own))] + spread * draws.normal(size=own.shape) for _ in range(3)]
        others = [score(few(read.y), one) for one in (*blind, np.full(own.shape, own.mean()))]
        values = [perfect, near, *others]
        if not np.isfinite(values).all() or min(values) < 0 or max(values) > 1:
            continue
        exact_only = near < perfect - 0.5 and near <= max(others) + 0.2
        never = abs(near - np.mean(others[:3])) < 1e-6 and near < 0.9 and near <= perfect
        few_hits = near == perfect < 0.9 and _counts(score, read, own, spread)
        a_distance = perfect < 1e-9 and min(others) > 1e-6
        if (exact_only or never or few_hits) and not a_distance:
            raise finding_of(
                case,
                metric,
                read,
                "a score that a good prediction raises",
                f"{near:.3g} for predictions within 1 % of the labels' spread, {np.mean(others[:3]):.3g} for random ones; "
                f"labels are {values_text(read.y)}",
                f'Write "mae" in place of "{metric.name}" in `metrics`.',
            )


def _counts(score, read, own, spread):
    """Whether the score is a share of hits: it does not change with small errors."""
    y = few(read.y)
    return len({round(score(y, own + shift * spread), 9) for shift in (0.001, 0.005, -0.001)}) == 1


def _is_onehot(y):
    return y.ndim > 1 and y.shape[-1] > 1 and bool(np.all(np.isin(y, (0, 1))))


@check("T148", "setup", "warning", requires=("base", "T106", "T129"), since="0.2.0")
def accuracy_of_several_labels(case: SetupCase) -> None:
    """A sample has several labels, and the accuracy looks at one of them.

    "accuracy" on rows is the share of samples whose largest output is at the first label of the row. What is said of the other
    labels does not count.

    Fix: `keras.metrics.BinaryAccuracy()`, or `keras.metrics.F1Score(average="micro", threshold=0.5)`.
    """
    for read, metric, score in compiled_metrics(case):
        y = few(labels_of(case, read.output))
        if read.reading.encoding != "classes" or not read.reading.elementwise or not np.all(np.isin(y, (0, 1))):
            continue
        several = (y.sum(axis=-1) > 1).mean()
        if several < 0.2 or y.shape[1:] != read.head.predicted.shape[1:]:
            continue
        trial = Trials(read)
        first = np.eye(y.shape[-1])[np.argmax(y, axis=-1)] * (y.max(axis=-1, keepdims=True) > 0)
        right, half = score(y, trial.predict(y.astype("float32"))), score(y, trial.predict(first.astype("float32")))
        tilted = trial.predict(y.astype("float32")) + 0.01 * first
        right = max(right, score(y, tilted))
        if np.isfinite([right, half]).all() and right == half == 1.0:
            raise finding_of(
                case,
                metric,
                read,
                f"less than 1 for predictions that miss all but the first label, in {several:.0%} of the samples",
                "1",
                f'Write `keras.metrics.BinaryAccuracy(name="{metric.name}")` for it'
                + (", with `threshold=0.0` for logits." if read.reading.kind == "logits" else "."),
            )
