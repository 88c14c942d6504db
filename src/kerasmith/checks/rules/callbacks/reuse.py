"""A callback that is used for one `fit` after the other."""

from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.temporary_cwd import temporary_cwd
from kerasmith.checks.harness.trace import describe, differences, nondeterministic_fields, without_printed
from kerasmith.checks.rules.callbacks.case import SMALL_MODEL, CallbackCase


@check("C108", "callback", "warning", since="0.1.0")
def second_fit_remembers_the_first(case: CallbackCase) -> None:
    """State of the first `fit` leaks into the second.

    A second `fit` with the same callback, on another fold or another model, compares with the best value of the first:
    it stops after `patience` epochs, keeps no checkpoint, or begins with a reduced learning rate. Some go on by intention, as
    Keras' ModelCheckpoint does, which makes it a question.

    Fix: set everything that changes in `on_train_begin`, not only in the constructor. If it goes on by intention, declare
    `continues=True` in the contract.
    """
    case.contract.require("continues")
    clock = nondeterministic_fields(*case.plateau)
    used, fresh = _second(case, same=True), _second(case, same=False)
    found = without_printed(differences(fresh, used, clock=clock))
    if not found:
        return
    name, (expected, actual) = min(found.items(), key=lambda item: item[0].startswith(("logs", "files")))
    raise Failed(
        expected=f"second `fit`, as with a new callback: {describe(name, expected)}",
        actual=describe(name, actual),
        lines=(
            SMALL_MODEL,
            f"losses = {[round(loss, 3) for loss in case.long]}",
            "for fit in range(2):",
            *(f"    {line}" for line in case.hook_lines()),
            "    hooks.on_train_end(); print('fit', fit + 1, 'epochs', epoch + 1, float(model.optimizer.learning_rate))",
        ),
    )


def _second(case, same):
    """The trace of the second of two trainings, by the same callback or by a new one."""
    with temporary_cwd() as printed:
        callback = case.make()
        if same or case.plateau[0].files:
            # The files of the first `fit` belong to the second one's surroundings.
            case.script(case.long, printed).run(callback)
        if not same:
            callback = case.make()
        return case.script(case.long, printed, shift=1).run(callback)
