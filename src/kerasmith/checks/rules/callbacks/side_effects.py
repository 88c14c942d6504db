"""A callback that only watches must leave the training as it is."""

import numpy as np

from kerasmith.checks.engine.comparison import same
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness import real_fit
from kerasmith.checks.harness.temporary_cwd import temporary_cwd
from kerasmith.checks.rules.callbacks.case import MODEL_LINES, CallbackCase


@check("C113", "callback", "warning", requires=("base", "C106", "C111"), since="0.1.0")
def disturbs_the_training(case: CallbackCase) -> None:
    """A callback that seems to watch changes the training.

    `evaluate` inside of an epoch resets the metrics that are being summed; seeding the global generators in each epoch
    repeats the same shuffling, dropout and augmentation; a forward pass in training mode moves statistics. The run with
    the callback is not the run without it.

    Fix: run `evaluate` at the end of an epoch only, draw from a generator of its own (`np.random.default_rng(seed)`),
    and call the model with `training=False`. If it is meant to change the training, declare `observer=False` in the
    contract.
    """
    case.contract.require("observer")
    if case.rehearsal is None:
        if _acts(case.plateau[0], case.without):
            raise NotApplicable("it sets weights, learning rate or the end of the training: it is meant to act")
        _seeds(case)
    with temporary_cwd() as printed:
        callback = case.make()
        without = real_fit.reference(case, 3, callback)
        monitored = real_fit.fit(callback, printed, case.model("fit"))
    for epoch, logs in without.logs.items():
        now = monitored.logs.get(epoch)
        if now is None:
            raise NotApplicable("it ends the training: it is meant to act")
        for key, value in logs.items():
            if not _equal(value, now.get(key)):
                raise Failed(
                    expected=f"`{key}` of epoch {epoch + 1} is {value:.6g}, as without the callback",
                    actual=f"it is {now.get(key)}",
                    lines=_lines("history.history"),
                )
        if not np.array_equal(without.weights[epoch], monitored.weights[epoch]):
            raise Failed(
                expected=f"weights after epoch {epoch + 1} are those without the callback",
                actual=f"they differ by {np.abs(without.weights[epoch] - monitored.weights[epoch]).max():.3g}",
                lines=_lines("model.get_weights()"),
            )


def _acts(trace, without):
    return trace.asked_to_stop or not (
        same(trace.rates, without.rates) and same(trace.weights, without.weights) and same(trace.final, without.final)
    )


def _seeds(case):
    """Looks for generators that come back to a state they had in an earlier epoch."""
    for name, hooks in case.observed.generators.items():
        call = f"{name}.random()"
        for hook, seen in hooks.items():
            if len(set(seen)) < len(seen):
                raise Failed(
                    expected=f"`{name}` goes on from epoch to epoch",
                    actual=f"after `{hook}` it is in the same state in {len(seen) - len(set(seen)) + 1} of {len(seen)} epochs",
                    lines=(
                        *MODEL_LINES,
                        f"import random; tell = lambda epoch, logs: print({call})",
                        "show = keras.callbacks.LambdaCallback(on_epoch_begin=tell)",
                        "model.fit(x, y, batch_size=2, epochs=4, shuffle=False, verbose=0, callbacks=[callback, show])",
                    ),
                )


def _equal(left, right):
    return left == right or (left != left and right is not None and right != right)


def _lines(show):
    return (
        'keras.utils.set_random_seed(0); x, y = np.random.rand(8, 4).astype("float32"), np.ones((8, 1), "float32")',
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]); start = model.get_weights()",
        "for callbacks in ([], [callback]):",
        '    model.set_weights(start); model.compile("sgd", "mse")',
        "    history = model.fit(x, y, batch_size=2, epochs=3, shuffle=False, verbose=0, callbacks=callbacks)",
        f"    print(callbacks, {show})",
    )
