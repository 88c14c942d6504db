"""The first run of a callback."""

from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.callbacks.case import CallbackCase


@check("C000", "callback", "error", requires=("C102", "C103", "C110"), since="0.1.0")
def trains(case: CallbackCase) -> None:
    """The callback does not get through a short training.

    A model of one layer is trained for a few epochs with validation, once told by calling the hooks in the order of
    `fit` and, if that fails, once for real. An exception in a hook ends the whole training, usually after the first
    epoch.

    Fix: read the exception; a hook gets `(epoch, logs)` or `(batch, logs)`, and `self.model` and `self.params` exist
    when training begins.
    """
    if case.rehearsal is None or case.fit_problem is None:
        return
    raise Failed(
        expected="training ends as it does without the callback",
        actual=f"it ends with {describe_error(case.fit_problem)}",
        lines=case.fit_lines(epochs=2, validation_data="(x, y)"),
    )
