"""What a callback does with the logs that it is given and that all callbacks share."""

import traceback

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness import scenarios
from kerasmith.checks.harness.temporary_cwd import temporary_cwd
from kerasmith.checks.rules.callbacks.case import SMALL_MODEL, CallbackCase, call_arguments, hooks_of

_CARELESS = (KeyError, TypeError, AttributeError, IndexError, UnboundLocalError)
# Trainings whose logs have fewer numbers, as options of a `Scenario`.
_EVERY_SECOND, _NO_VALIDATION, _NO_METRICS = {"validation": 2}, {"validation": 0}, {"metrics": False}


@check("C104", "callback", "warning", since="0.1.0")
def fails_without_logs(case: CallbackCase) -> None:
    """A hook fails when it is called without logs.

    Every hook of Keras has `logs=None` for a reason: own training loops, other libraries and tests call
    `on_train_end()` without logs. `fit` itself always gives a dict, so the fault shows late.

    Fix: begin the hook with `logs = logs or {}`, and read it with `logs.get(...)`.
    """
    case.require_script()
    elsewhere: set[tuple[str, int]] | None = None
    with temporary_cwd() as printed:
        callback = case.make()
        case.script(scenarios.falling(), printed).run(callback)
        for name in hooks_of(callback):
            given, options = call_arguments(name, None)
            call = f"{name}({', '.join([*map(str, given), *(f'{key}={value}' for key, value in options.items())])})"
            try:
                getattr(callback, name)(*given, **options)
            except _CARELESS as error:
                elsewhere = _lines_that_need_a_number(case) if elsewhere is None else elsewhere
                if _line(error) in elsewhere:
                    continue
                raise Failed(
                    expected=f"`{call}` does nothing worse than without the key",
                    actual=describe_error(error),
                    lines=(*case.fit_lines(epochs=2, validation_data="(x, y)"), f"callback.{call}"),
                ) from None
            except Exception:
                # An error of its own, which says what is missing.
                continue
    if elsewhere:
        raise NotApplicable("a `fit` ends at the same line: C105 and C124 tell of it")


@check("C105", "callback", "warning", since="0.1.0")
def needs_a_key_that_may_be_absent(case: CallbackCase) -> None:
    """A value that is not in the logs of every epoch ends the training.

    `validation_freq=2`, or a `fit` without validation data, leaves the `val_` keys out. `logs["val_loss"]` then raises
    a KeyError after the first epoch: an hour of training is lost.

    Fix: read it with `(logs or {}).get("val_loss")` and do nothing when it is None, or raise a ValueError that says what to
    pass to `fit`.
    """
    _require_going_on(case, "validation_freq=2", _EVERY_SECOND, validation_data="(x, y)", validation_freq=2)
    _require_going_on(case, "no validation data", _NO_VALIDATION)


@check("C124", "callback", "warning", requires=("base", "C105"), since="0.2.0")
def needs_a_metric_that_may_be_absent(case: CallbackCase) -> None:
    """A metric that the model may not have ends the training.

    The logs have the names that the model was compiled with: `metrics=["acc"]` makes `acc`, a metric object its own name, no
    metric none. `logs["accuracy"]` then raises a KeyError after the first epoch.

    Fix: read it with `(logs or {}).get("accuracy")` and do nothing when it is None, or take the name as an argument and raise
    a ValueError that lists the names that are there.
    """
    _require_going_on(case, "a model without metrics", _NO_METRICS, metrics=False, validation_data="(x, y)")


def _require_going_on(case, words, scenario, **options):
    """Fails where a training whose logs have fewer numbers ends with a careless exception."""
    case.require_script()
    try:
        case.run(scenarios.falling(), **scenario)
    except _CARELESS as error:
        raise Failed(
            expected=f"training goes on with {words}",
            actual=describe_error(error),
            lines=case.fit_lines(epochs=2, **options),
        ) from None
    except Exception:
        return  # An error of its own, which says what is missing.


def _lines_that_need_a_number(case: CallbackCase) -> set[tuple[str, int]]:
    """Where trainings end whose logs have fewer numbers: a line that needs one cannot do without logs either."""
    lines = set()
    for scenario in (_EVERY_SECOND, _NO_VALIDATION, _NO_METRICS):
        try:
            case.run(scenarios.falling(), **scenario)
        except _CARELESS as error:
            lines.add(_line(error))
        except Exception:
            continue
    return lines


def _line(error: Exception) -> tuple[str, int]:
    """(file, line) where an error arose."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return where.filename, where.lineno or 0


@check("C106", "callback", "error", since="0.1.0")
def changes_shared_logs(case: CallbackCase) -> None:
    """Values in the logs are changed or removed before others read them.

    All callbacks of a `fit`, and its History, get one and the same dict. Who pops or rescales an entry takes it from
    CSVLogger, EarlyStopping, ModelCheckpoint and the history: they compare or write wrong numbers. To add an entry is
    fine.

    Fix: work on a copy, `logs = dict(logs or {})`.
    """
    trace = case.observed.trace
    if not trace.touched:
        return
    hook, key, before, after = trace.touched[0]
    raise Failed(
        expected=f"`{key}` stays {before:.6g} in the logs that `{hook}` is given",
        actual=f"it is {'removed' if after is None else f'{after:.6g}' if isinstance(after, float) else after}",
        lines=(
            SMALL_MODEL,
            "hooks = keras.callbacks.CallbackList([callback], model=model, epochs=3); hooks.on_train_begin(); v = 0.5",
            f"hooks.on_epoch_begin(0); logs = {case.logs_text()}; before = dict(logs)",
            f"callback.{hook}(0, logs)" if "epoch" in hook or "batch" in hook else f"callback.{hook}(logs)",
            'print(before, "then", logs)',
        ),
    )
