"""Callbacks outside of `fit`, and their place in the list."""

from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness import scenarios
from kerasmith.checks.harness.scripted_training import TEST_STEPS
from kerasmith.checks.harness.temporary_cwd import temporary_cwd
from kerasmith.checks.harness.trace import describe, differences, nondeterministic_fields
from kerasmith.checks.rules.callbacks.case import MODEL_LINES, CallbackCase, hooks_of


@check("C114", "callback", "note", since="0.1.0")
def fails_in_evaluate_or_predict(case: CallbackCase) -> None:
    """A hook of evaluation or prediction fails outside of `fit`.

    `evaluate(callbacks=...)` and `predict(callbacks=...)` call `on_test_*` and `on_predict_*` without an
    `on_train_begin` before. What is made there does not exist.

    Fix: make it in the constructor, or in `on_test_begin` and `on_predict_begin`.
    """
    case.require_script()
    scenario = case.scenario(scenarios.falling(1))
    for mode in ("test", "predict"):
        with temporary_cwd():
            callback = case.make()
            if not any(f"_{mode}_" in name for name in hooks_of(callback)):
                continue
            hooks = keras.callbacks.CallbackList([callback], model=case.model(), steps=TEST_STEPS, epochs=1, verbose=0)
            logs = scenario.test_logs(0) if mode == "test" else None
            try:
                getattr(hooks, f"on_{mode}_begin")()
                for step in range(TEST_STEPS):
                    getattr(hooks, f"on_{mode}_batch_begin")(step)
                    getattr(hooks, f"on_{mode}_batch_end")(step, logs)
                getattr(hooks, f"on_{mode}_end")(*([logs] if mode == "test" else []))
            except Exception as error:
                run = "model.evaluate(x, y" if mode == "test" else "model.predict(x"
                raise Failed(
                    expected=f"`{run.split('(')[0]}` runs with the callback",
                    actual=describe_error(error),
                    lines=(*MODEL_LINES, f"{run}, verbose=0, callbacks=[callback])"),
                ) from None


@check("C115", "callback", "note", since="0.1.0")
def depends_on_its_place(case: CallbackCase) -> None:
    """What the callback does depends on its place before or after Keras' History.

    `fit` puts `History` behind all other callbacks. A callback that reads `model.history` at the end of an epoch finds
    the epochs before: it plots, compares or stops one epoch late.

    Fix: read the `logs` that the hook is given.
    """
    after, repeated = case.plateau
    clock = nondeterministic_fields(after, repeated)
    before = case.run(case.long, history="before")
    found = differences(before, after, clock=clock)
    if found:
        clock += nondeterministic_fields(before, case.run(case.long, history="before"))
        found = differences(before, after, clock=clock)
    if not found:
        return
    name, (early, late) = next(iter(found.items()))
    raise Failed(
        expected=f"the same wherever it stands in the list; behind History: {describe(name, early)}",
        actual=f"before it, as in `fit`: {describe(name, late)}",
        lines=(
            *MODEL_LINES,
            "import copy; again = copy.deepcopy(callback)",
            "model.fit(x, y, epochs=2, verbose=0, callbacks=[callback])",
            'print("--- behind History:")',
            "model.fit(x, y, epochs=2, verbose=0, callbacks=[keras.callbacks.History(), again])",
        ),
    )
