"""Which way is better: a score should rise, a loss should fall."""

from typing import Any

import numpy as np

from kerasmith.checks.engine.comparison import same
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.scenarios import is_score
from kerasmith.checks.harness.trace import Trace
from kerasmith.checks.rules.callbacks.case import SMALL_MODEL, CallbackCase

_EPOCHS = 16


@check("C121", "callback", "error", requires=("base", "C105"), since="0.1.0")
def prefers_the_worse(case: CallbackCase) -> None:
    """The callback takes the worse value of its monitor for the better one.

    An accuracy is better high, a loss low. Who compares a score with `<`, or takes the direction from a name that says
    nothing, keeps the weights of the worst epoch, stops while the score still rises, or lowers the learning rate when
    all goes well.

    Fix: compare with `>` for scores; take `mode="max"` or `"min"` as an argument and refuse to guess for names that do
    not say it.
    """
    monitor = case.monitor
    if monitor is None or is_score(monitor) is None:
        raise NotApplicable("watches no quantity whose name says what is better")
    if not acts(case):
        raise Inconclusive(f"does nothing that depends on `{monitor}` when it stands still")
    good = [1.0 - 0.04 * epoch for epoch in range(_EPOCHS)]
    bad = good[::-1]
    better, worse = case.run(good), case.run(bad)
    seen = False
    for trace, losses, words in ((better, good, "better"), (worse, bad, "worse")):
        epochs = [epoch for epoch, weights in trace.weights.items() if np.array_equal(weights, trace.final)]
        if len(epochs) != 1 or epochs[0] == max(trace.weights):
            # Nothing was put back.
            continue
        seen = True
        best = min(trace.weights, key=lambda epoch: losses[epoch])
        if epochs[0] != best and losses[epochs[0]] == max(losses[epoch] for epoch in trace.weights):
            raise _failed(
                case,
                losses,
                monitor,
                f"the weights of epoch {best + 1}, the best",
                f"those of epoch {epochs[0] + 1}, the worst",
                words,
            )
    for name, words in (("stopped", "stops"), ("rates", "lowers the learning rate")):
        on_good, on_bad = did(better, name), did(worse, name)
        seen = seen or on_good is not None or on_bad is not None
        if on_good is None or on_bad is not None:
            continue
        # Who waits for a value to be reached does so at another time when all values are larger or smaller.
        if all(did(case.run([scale * loss + shift for loss in good]), name) == on_good for scale, shift in ((0.2, 0), (1, 5))):
            raise _failed(
                case, good, monitor, f"{words} when `{monitor}` gets worse", f"{words} while it gets better", "better"
            )
    if not seen:
        raise Inconclusive(f"does nothing in {_EPOCHS} epochs that depends on `{monitor}`")


def acts(case: CallbackCase) -> bool:
    """Whether a callback stops, lowers the rate, puts weights back or keeps models when the loss stands still."""
    trace = case.plateau[0]
    models = any(isinstance(content, dict) for content in trace.files.values())
    last = trace.weights[max(trace.weights)]
    return models or did(trace, "stopped") is not None or did(trace, "rates") is not None or not same(trace.final, last)


def did(trace: Trace, name: str) -> Any:
    """The epoch after which training was stopped, or in which the rate was lowered; None if neither."""
    if name == "stopped":
        return trace.stopped
    first = trace.rates[0][0] if trace.rates.get(0) else None
    return next((epoch for epoch, rates in trace.rates.items() if rates and min(rates) < 0.999 * first), None)


def _failed(case, losses, monitor, expected, actual, words):
    hooks = case.hook_lines()
    return Failed(
        expected=f"`{monitor}` gets {words} for {_EPOCHS} epochs: {expected}",
        actual=actual,
        lines=(
            SMALL_MODEL.replace("Dense(1)", "Dense(1, use_bias=False)"),
            f"losses = {[round(loss, 2) for loss in losses]}",
            *hooks[:3],
            "    model.set_weights([np.full((4, 1), float(epoch + 1))])",
            *hooks[3:],
            "hooks.on_train_end()",
            'print("weights of", model.get_weights()[0][0, 0], "after", epoch + 1, float(model.optimizer.learning_rate))',
        ),
    )
