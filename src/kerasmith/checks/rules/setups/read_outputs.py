"""The outputs that a loss reads, each with what its loss and its last layer were seen to do."""

import dataclasses
from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Inconclusive, NotApplicable
from kerasmith.checks.rules.setups.heads import Head, head_of
from kerasmith.checks.rules.setups.loss_reading import Reading, Value, reading_of
from kerasmith.checks.rules.setups.objective_terms import outputs_of_terms

# Labels beyond the first batch that are looked through.
_MOST_LABELS = 4_000_000
_MORE = 4


@dataclasses.dataclass(frozen=True)
class ReadOutput:
    """An output with a loss and labels.

    Attributes:
        output: see `SetupOutput`.
        head: what it can reach.
        reading: what its loss takes it for.
        value: the mean loss of (y_true, y_pred).
        y: the labels of the batch, an array.
        severity: "error", or "warning" where the model may do something else with the loss.
    """

    output: Any
    head: Head
    reading: Reading
    value: Value
    y: np.ndarray
    severity: str

    @property
    def loss_text(self) -> str:
        """How a finding names the loss."""
        loss = self.output.loss
        name = getattr(getattr(loss, "fn", None), "__name__", None) if type(loss).__name__ == "LossFunctionWrapper" else None
        return f"`{name or type(loss).__name__}`"


def of(case: Any, output: Any) -> str:
    """ " of 'name'" where there are several outputs."""
    return f" of {output.name!r}" if len(case.outputs) > 1 else ""


def read_outputs(case: Any) -> list[ReadOutput]:
    """Those outputs of a set-up that have a loss and labels as numbers; of an objective once for each term that is a loss.

    Raises:
        NotApplicable: where there is none, or where the model has a step of its own.
    """
    if case.has_own_step:
        raise NotApplicable("the model has a `train_step` of its own")
    if "read" not in case.cache:
        case.cache["read"] = [_read(case, output) for output in _with_losses(case) if _has_numbers(output)]
    if not case.cache["read"]:
        raise NotApplicable("no output has a loss and labels that are numbers")
    return case.cache["read"]


def _with_losses(case):
    return outputs_of_terms(case) if case.is_objective else case.outputs


def _has_numbers(output):
    y = output.y_true
    return output.loss is not None and isinstance(y, np.ndarray) and y.ndim > 0 and y.dtype.kind in "biuf"


def _read(case, output):
    value = value_of(case, output)
    head = head_of(case, output)
    y = np.asarray(output.y_true)
    severity = "warning" if case.has_own_loss else "error"
    return ReadOutput(output, head, reading_of(value, y, head.predicted), value, y, severity)


def value_of(case: Any, output: Any) -> Value:
    """The mean loss of (y_true, y_pred) as a float, NaN where it refuses or is not finite."""

    def value(y_true: Any, y_pred: Any) -> float:
        try:
            return float(np.mean(case.loss_values(output, y_true, np.asarray(y_pred, "float32"))))
        except Inconclusive:
            return np.nan

    return value


def labels_of(case: Any, output: Any) -> np.ndarray:
    """All labels of an output that are at hand: the whole array, or those of some batches."""
    from kerasmith.checks.harness.fit_data import leaves_of

    batch = np.asarray(output.y_true)

    def leaf(y: Any) -> Any:
        found = [np.asarray(one) for one in leaves_of(y)]
        fitting = [one for one in found if one.ndim == batch.ndim and one.shape[1:] == batch.shape[1:]]
        here = [np.asarray(one) for one in leaves_of(case.y)]
        places = [k for k, one in enumerate(here) if one.shape == batch.shape and np.array_equal(one, batch)]
        if len(found) == len(here) and len(places) == 1:
            return found[places[0]]
        return fitting[0] if len(fitting) == len(found) == 1 else None

    if case.arrays is not None:
        whole = leaf(case.arrays[1])
        return batch if whole is None or whole.dtype.kind not in "biuf" else whole[: _MOST_LABELS // max(batch[0].size, 1) + 1]
    if case.data.kind == "generator":
        return batch  # which would lose what is drawn
    more = [leaf(y) for _, y, _ in case.more_batches(_MORE)]
    return np.concatenate([batch, *(one for one in more if one is not None and one.dtype == batch.dtype)])
