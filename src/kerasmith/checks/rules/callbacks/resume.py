"""What is left of a callback when the process is killed and the training resumed."""

import copy

import numpy as np

from kerasmith.checks.engine.comparison import EXACT, same
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness import tiny_model
from kerasmith.checks.harness.temporary_cwd import temporary_cwd
from kerasmith.checks.harness.trace import describe, differences, nondeterministic_fields, without_printed
from kerasmith.checks.rules.callbacks.case import SMALL_MODEL, CallbackCase

# After so many epochs the process is killed: while the loss still falls, and when patience has begun to count.
_KILLS = (3, 4)
_MANY_EPOCHS = 10
_OF_KERAS = ("params", "_model", "validation_data")


@check("C107", "callback", "warning", requires=("base", "C105"), since="0.1.0")
def forgets_on_resume(case: CallbackCase) -> None:
    """State is lost when a training is resumed.

    After a kill the script runs again and builds a new callback, which begins with the constructor's values: patience
    counts anew, the best value is forgotten, a learning rate that counts its own steps starts over, a file is begun
    again. The resumed training ends differently from one that was never interrupted.

    Fix: give the callback `state_dict()`, which returns plain numbers, text, NumPy arrays, lists and dicts, and
    `load_state_dict(state)`, called after `on_train_begin`: `kerasmith.callbacks.Resume` saves and restores them (and
    knows the state of Keras' own callbacks).
    """
    whole, repeated = case.plateau
    clock = nondeterministic_fields(whole, repeated)
    for kill in _KILLS if len(case.long) > _MANY_EPOCHS else _KILLS[:1]:
        if whole.stopped is not None and whole.stopped < kill:
            continue
        resumed, stateful = _resumed(case, kill)
        grave = without_printed(differences(whole, resumed, since=kill, clock=clock))
        if grave:
            name, (before, after) = next(iter(grave.items()))
            raise Failed(
                expected=f"resumed after epoch {kill} as without interruption: {describe(name, before)}",
                actual=f"{describe(name, after)}" + ("" if stateful else "; there is no `state_dict`"),
                lines=_lines(case, kill, stateful, path=_text_file(name, before)),
                # Files of one that does save its state may hold notes that are of no use later.
                severity=None if not stateful else "note" if all(what.startswith("files") for what in grave) else "error",
            )
        if stateful:
            continue
        lost = _lost(whole, repeated, resumed)
        if lost:
            name = lost[0]
            raise Failed(
                expected=f"resumed after epoch {kill} as without interruption: `{name}` is {_brief(whole.attributes[name])}",
                actual=f"it is {_brief(resumed.attributes.get(name))}; there is no `state_dict`",
                lines=_lines(case, kill, stateful),
            )


@check("C118", "callback", "warning", requires=("base", "C105"), since="0.1.0")
def writes_twice_after_resume(case: CallbackCase) -> None:
    """A file holds epochs twice when a training is resumed.

    A kill comes some time after the last checkpoint. The epochs in between are trained again, and a file that is only
    appended to then has their lines twice: curves and tables made of it are wrong.

    Fix: write the file from state that `state_dict()` returns, or cut what is newer than the checkpoint in
    `load_state_dict(state)`.
    """
    whole, repeated = case.plateau
    clock = nondeterministic_fields(whole, repeated)
    kill = 4
    if not whole.files:
        raise NotApplicable("writes no files")
    if whole.stopped is not None and whole.stopped < kill:
        return
    resumed, stateful = _resumed(case, kill, lag=1)
    for path, content in resumed.files.items():
        right = whole.files.get(path)
        if f"files {path}" in clock or content == right or not (isinstance(content, bytes) and isinstance(right, bytes)):
            continue
        again = [
            line for line in set(content.splitlines()) if content.splitlines().count(line) > right.splitlines().count(line) > 0
        ]
        if again:
            raise Failed(
                expected=f"{path} has {len(right.splitlines())} lines, as without interruption",
                actual=f"{len(content.splitlines())} lines; {again[0].decode(errors='replace')!r} stands there more than once",
                lines=_lines(case, kill, stateful, lag=1, path=path),
            )


def _resumed(case, kill, lag=0):
    """(trace, whether there is a `state_dict`) of a training killed before epoch `kill` and resumed `lag` epochs before."""
    saved = {}

    def checkpoint(hook, epoch, step):
        if hook == "on_epoch_end" and epoch == kill - lag - 1:
            saved["model"] = tiny_model.values(script.model)
            saved["state"] = _plain(first.state_dict()) if hasattr(first, "state_dict") else None

    with temporary_cwd() as printed:
        first = case.make()
        script = case.script(case.long, printed, watch=checkpoint)
        script.run(first, until=kill)
        second = case.make()
        script = case.script(case.long, printed)

        def restore():
            tiny_model.assign(script.model, saved["model"])
            if saved["state"] is not None:
                second.load_state_dict(copy.deepcopy(saved["state"]))
                second.load_state_dict(copy.deepcopy(saved["state"]))

        return script.run(second, first=kill - lag, restore=restore), saved["state"] is not None


def _plain(state):
    """The state as a file gives it back."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    if isinstance(state, (list, tuple)):
        return [_plain(value) for value in state]
    if isinstance(state, np.ndarray):
        return np.array(state)
    if state is None or isinstance(state, (bool, int, float, str, bytes, np.generic)):
        return state
    raise Failed(
        expected="`state_dict()` returns None, numbers, text, NumPy arrays, and lists and dicts of them",
        actual=f"it holds a {type(state).__name__}",
        lines=("print(callback.state_dict())",),
        severity="warning",
    )


def _text_file(name, content):
    return name.removeprefix("files ") if name.startswith("files ") and isinstance(content, bytes) else None


def _lost(whole, repeated, resumed):
    """Names of attributes that a resumed callback ends with differently."""
    return [
        name
        for name, value in whole.attributes.items()
        if name not in _OF_KERAS
        and _is_plain(value)
        and same(value, repeated.attributes.get(name), EXACT)
        and not same(value, resumed.attributes.get(name))
    ]


def _is_plain(value):
    if isinstance(value, dict):
        return all(_is_plain(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return all(_is_plain(part) for part in value)
    return value is None or isinstance(value, (bool, int, float, str, np.ndarray, np.generic))


def _brief(value):
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _lines(case, kill, stateful, lag=0, path=None):
    """Runs a training whole, and in two parts; with `path` in two parts only, and shows the file."""
    show = f"open({path!r}).read()" if path else "'rates', rates[-4:], vars(one)"
    state = "state = first.state_dict(); " if stateful else ""
    load = ", lambda: again.load_state_dict(state)" if stateful else ""
    whole = "" if path else "go(whole, range(len(losses))); model.optimizer.learning_rate = 0.01; "
    before = f"go(first, range({kill - lag})); {state}" + (f"go(first, range({kill - lag}, {kill})); " if lag else "")
    return (
        f"{SMALL_MODEL}; losses = {[round(loss, 3) for loss in case.long]}",
        "def go(one, epochs, load=lambda: None):",
        "    model.stop_training = False; hooks = keras.callbacks.CallbackList([one], model=model, epochs=len(losses))",
        "    hooks.on_train_begin(); load(); rates = []",
        "    for epoch in epochs:",
        "        v = losses[epoch]; hooks.on_epoch_begin(epoch); rates.append(round(float(model.optimizer.learning_rate), 6))",
        f"        hooks.on_epoch_end(epoch, {case.logs_text()})",
        "        if model.stop_training: break",
        f"    print('after epoch', epoch + 1, {show})",
        "import copy; whole, first, again = (copy.deepcopy(callback) for _ in range(3))",
        f"{whole}{before}go(again, range({kill - lag}, len(losses)){load})",
    )
