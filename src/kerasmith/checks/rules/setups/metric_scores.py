"""What a compiled metric says to chosen predictions."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras, ops
from kerasmith.checks.harness.eager import as_tensors, without_gradients
from kerasmith.checks.rules.setups.loss_reading import few, made_up
from kerasmith.checks.rules.setups.read_outputs import ReadOutput, of, read_outputs

Score = Callable[[Any, Any], float]


def score_of(metric: Any) -> Score:
    """(y_true, y_pred) -> the metric's result as one number; NaN where it raises or is none. Its state is emptied."""

    def score(y_true: Any, y_pred: Any) -> float:
        try:
            return result_of(metric, y_true, y_pred)
        except Exception:
            return np.nan

    return score


def result_of(metric: Any, y_true: Any, y_pred: Any) -> float:
    """The result of one batch as one number: the mean, where it is several.

    Raises:
        Exception: whatever the metric raises.
    """
    try:
        with without_gradients():
            metric.reset_state()
            metric.update_state(*as_tensors((np.asarray(y_true), np.asarray(y_pred, "float32"))))
            leaves = keras.tree.flatten(metric.result())
            values = [np.mean(np.asarray(ops.convert_to_numpy(leaf), "float64")) for leaf in leaves]
            return float(np.mean(values)) if values else np.nan
    finally:
        metric.reset_state()


class Trials:
    """Made-up labels of the kind of an output, and predictions for them as its head would give them.

    Attributes:
        y: labels; hot: the same between 0 and 1 in the shape of the predictions; None for both where the labels are numbers.
    """

    def __init__(self, read: ReadOutput) -> None:
        self.read = read
        made = made_up(
            few(read.y), few(read.head.predicted), read.reading.axis if read.reading.encoding == "classes" else None
        )
        self.y, self.hot = made if made is not None and read.reading.kind in ("logits", "probabilities") else (None, None)

    @property
    def wrong(self) -> np.ndarray:
        """What denies the labels."""
        axis = self.read.reading.axis
        return np.roll(self.hot, 1, axis) if self.read.reading.encoding != "elements" else 1 - self.hot

    def predict(self, hot: np.ndarray, sure: float = 0.97) -> np.ndarray:
        """Predictions that say `hot`, as logits or probabilities, never 0 or 1 themselves.

        Args:
            sure: the probability of what is said.
        """
        if self.read.reading.kind == "logits":
            return (np.log(sure / (1 - sure)) * (2 * hot - 1)).astype("float32")
        classes = hot.shape[self.read.reading.axis] if self.read.reading.encoding != "elements" else 2
        return np.where(hot > 0.5, sure, (1 - sure) / max(classes - 1, 1)).astype("float32")

    def draws(self) -> list[np.ndarray]:
        """Predictions that know nothing."""
        draws = np.random.default_rng(4)
        made = [draws.uniform(0, 1, self.hot.shape) for _ in range(3)]
        return [self.predict((one > 0.5).astype("float32"), 0.9) for one in made]


def compiled_metrics(case: Any) -> list[tuple[ReadOutput, Any, Score]]:
    """[(output, metric, its score)] of all outputs that are read.

    Raises:
        NotApplicable: where there is none.
    """
    found = [(read, metric, score_of(metric)) for read in read_outputs(case) for metric in read.output.metrics]
    if not found:
        raise NotApplicable("no metrics")
    return found


def finding_of(
    case: Any,
    metric: Any,
    read: ReadOutput,
    expected: str,
    actual: str,
    fix: str,
    severity: str | None = None,
    title: str | None = None,
) -> Failed:
    """What a check of metrics raises."""
    return Failed(
        f"{expected} (metric {metric.name!r}{of(case, read.output)})",
        actual,
        ["print(model.evaluate(x, y, verbose=0, return_dict=True))"],
        fix=fix,
        severity=severity,
        title=title,
    )
