"""What callbacks watch: whether it is in the logs, and which way is better."""

import difflib
import inspect
import string
from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.metric_scores import Trials, score_of
from kerasmith.checks.rules.setups.read_outputs import read_outputs

# Callbacks of Keras that write the rate into the logs, and what is always there.
_RATES = ("ReduceLROnPlateau", "LearningRateScheduler")
_ALWAYS = ("epoch", "batch")


@check("T145", "setup", "error", requires=("base",), since="0.2.0")
def monitored_key_is_in_the_logs(case: SetupCase) -> None:
    """A callback watches a quantity that will never be in the logs.

    It stops nothing, saves nothing and lowers no rate; Keras says so in a warning after each epoch at most. A file name with
    such a key stops `fit` after the first epoch.

    Fix: the name as `fit` prints it; for `val_...` give `fit` validation data.
    """
    watching = _watching(case)
    keys = _keys(case)
    validated = _is_validated(case)
    known = {*keys, *(f"val_{key}" for key in keys if validated)}
    known |= {"learning_rate"} if any(type(one).__name__ in _RATES for one in case.fit.callbacks) else set()
    own = any(not _is_keras(one) for one in case.fit.callbacks)
    for callback, key, where in watching:
        if key in known or any(_writes(one, key.removeprefix("val_")) for one in case.fit.callbacks):
            continue
        name = type(callback).__name__
        if key.startswith("val_") and not validated and key.removeprefix("val_") in keys:
            fix = (
                "Give `fit` validation data, `validation_split=0.2` or `validation_data=(x_val, y_val)`; or write "
                f'`{where}="{key.removeprefix("val_")}"`.'
                if where == "monitor"
                else f"Give `fit` validation data, or leave `{{{key}}}` out of the file name."
            )
            why = "there are no validation data"
        else:
            near = _nearest(key, known)
            fix = f'Write `monitor="{near}"`.' if where == "monitor" else f"Write `{{{near}}}` in the file name."
            why = f"the nearest is {near!r}"
        raise Failed(
            f"one of {', '.join(sorted(known))}",
            f"{name} watches {key!r}; {why}" if where == "monitor" else f"the file name of {name} has {{{key}}}; {why}",
            ["print(sorted(model.evaluate(x, y, verbose=0, return_dict=True)))"],
            fix=fix,
            severity="warning" if own else None,
        )


@check("T144", "setup", "error", requires=("base", "T145"), since="0.2.0")
def direction_is_known(case: SetupCase) -> None:
    """A callback does not know which way its quantity is better, or has it the wrong way round.

    For a metric of one's own Keras cannot guess, and stops after the first epoch. `mode="min"` for an accuracy keeps the worst
    weights and stops while the model learns.

    Fix: `mode="max"` for scores, `mode="min"` for losses and errors.
    """
    from kerasmith.keras_internals.metric_direction import direction_of_monitor

    better = _better(case)
    for callback, key, where in _watching(case):
        if where != "monitor" or key not in (*better, *(f"val_{name}" for name in better)):
            continue
        right = better[key.removeprefix("val_") if key not in better else key]
        given = direction_of_monitor(callback, case.model)
        name = type(callback).__name__
        if given == "unknown":
            mode = right or "max"
            raise Failed(
                f"a direction of {key!r} that {name} knows",
                'mode="auto" and no direction for a metric of this name: Keras stops at the end of the first epoch'
                + (f"; right predictions score {'higher' if right == 'max' else 'lower'}" if right else ""),
                [f"# fit raises: Keras isn't able to automatically determine the direction of {key}"],
                fix=f'Write `mode="{mode}"` in `{name}`.' if right else 'Write `mode="max"` or `mode="min"`.',
                title="A callback does not know which way its quantity is better",
            )
        if given is not None and right is not None and given != right:
            raise Failed(
                f'mode="{right}" for {key!r}: right predictions give the {"higher" if right == "max" else "lower"} value',
                f"{name} takes {'higher' if given == 'max' else 'lower'} for better",
                ["print([(type(one).__name__, one.monitor, one.mode) for one in callbacks if hasattr(one, 'monitor')])"],
                fix=f'Write `mode="{right}"` in `{name}`.',
                title="A callback takes the worse value of its quantity for the better one",
            )


def _watching(case) -> list[tuple[Any, str, str]]:
    """[(callback, key, "monitor" or "filepath")]."""
    found = []
    for callback in case.fit.callbacks:
        key = getattr(callback, "monitor", None)
        saves_all = type(callback).__name__ == "ModelCheckpoint" and not getattr(callback, "save_best_only", True)
        if isinstance(key, str) and not saves_all:
            found.append((callback, key, "monitor"))
        path = getattr(callback, "filepath", None)
        if path is not None and getattr(callback, "save_freq", None) == "epoch":
            fields = [field for _, field, _, _ in string.Formatter().parse(str(path)) if field]
            found += [(callback, field, "filepath") for field in fields if field not in _ALWAYS]
    if not found:
        raise NotApplicable("no callback watches a quantity")
    return found


def _keys(case) -> list[str]:
    """The keys of the logs of training."""
    if case.has_own_step:
        raise Inconclusive("a `train_step` of its own says what is in the logs")
    outputs = case.outputs  # what Keras builds with the first batch, the names of metrics among it
    try:
        keys = list(case.model.get_metrics_result())
    except ValueError as error:  # metrics that an objective builds in its first step
        raise Inconclusive("the metrics are not built before the first step") from error
    if not outputs or not keys:
        raise Inconclusive("the names of the metrics are not known")
    return ["loss", *(key for key in keys if key != "loss")]


def _is_validated(case) -> bool:
    return case.setup.validation_data is not None or bool(case.fit.validation_split)


def _is_keras(callback):
    return type(callback).__module__.partition(".")[0] == "keras"


def _writes(callback, key):
    """Whether the text of a callback of one's own has the key: it may write it into the logs."""
    if _is_keras(callback):
        return False
    try:
        return key in inspect.getsource(type(callback))
    except (OSError, TypeError):
        return False


def _nearest(key, known):
    fitting = [one for one in known if one.startswith("val_") == key.startswith("val_")] or sorted(known)
    parts = key.replace("acc", "accuracy") if "accuracy" not in key else key
    close = difflib.get_close_matches(parts, sorted(fitting), 1, cutoff=0.0)
    ending = [one for one in sorted(fitting) if one.endswith(key.removeprefix("val_"))]
    return (ending or close or sorted(known))[0]


def _better(case) -> dict[str, str | None]:
    """{key: "max", "min" or None}: which way right predictions move what is in the logs."""
    better: dict[str, str | None] = dict.fromkeys(_keys(case))
    better["loss"] = "min"
    better.update({key: "min" for key in better if key.endswith("_loss")})
    try:
        reads = read_outputs(case)
    except NotApplicable:
        return better
    for read in reads:
        trial = Trials(read)
        for metric in read.output.metrics:
            score = score_of(metric)
            if trial.y is not None:
                right = score(trial.y, trial.predict(trial.hot))
                wrong = [score(trial.y, trial.predict(trial.wrong)), *(score(trial.y, one) for one in trial.draws())]
            elif read.y.size == read.head.predicted.size:
                y = read.y.astype("float64").reshape(read.head.predicted.shape)
                draws = np.random.default_rng(2)
                spread = max(float(np.std(y)), 1e-3)
                right = score(read.y, y + 0.01 * spread)
                wrong = [score(read.y, y + size * spread * draws.normal(size=y.shape)) for size in (1.0, 2.0)]
            else:
                continue
            if not np.isfinite([right, *wrong]).all():
                continue
            way = "max" if right > max(wrong) + 1e-6 else "min" if right < min(wrong) - 1e-6 else None
            for key in (metric.name, f"{read.output.name}_{metric.name}"):
                if key in better:
                    better[key] = way
    return better
