"""One value that is not a number."""

import math

from kerasmith.checks.engine.comparison import same
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.callbacks.case import SMALL_MODEL, CallbackCase
from kerasmith.checks.rules.callbacks.direction import acts, did

_EPOCHS = 16


@check("C122", "callback", "error", requires=("base", "C105", "C121"), since="0.1.0")
def one_nan_decides(case: CallbackCase) -> None:
    """One NaN is kept as the best value, and nothing is better than it ever after.

    Every comparison with NaN is false. A first epoch whose loss is NaN (an empty validation batch, an overflow that a
    loss scale mends) then counts as the best: training is stopped, or the learning rate cut, while the loss falls.

    Fix: skip values that are not finite: `if not math.isfinite(value): return`.
    """
    if not acts(case):
        kind = NotApplicable if case.monitor is None else Inconclusive
        raise kind("does nothing that depends on what is best when the loss stands still")
    falling = [1.0 - 0.04 * epoch for epoch in range(_EPOCHS)]
    plain = case.run([5.0, *falling])
    try:
        spoilt = case.run([math.nan, *falling])
    except NotApplicable:
        raise
    except Exception as error:
        raise NotApplicable(f"it refuses a NaN: {describe_error(error)}") from None
    for name, words in (("stopped", "training stops after epoch {}"), ("rates", "the learning rate is lowered in epoch {}")):
        right, wrong = did(plain, name), did(spoilt, name)
        # In the bad epoch itself it may stop, as `TerminateOnNaN` does.
        if right is None and wrong is not None and wrong > 1:
            raise _failed(case, "neither a stop nor a lower rate", words.format(wrong + 1))
    models = [path for path, content in plain.files.items() if isinstance(content, dict) and path in spoilt.files]
    if same(plain.weights, spoilt.weights):
        if not same(plain.final, spoilt.final):
            raise _failed(case, "the weights of the best epoch are put back at the end", "other weights are put back")
        for path in models:
            if plain.files[path] != spoilt.files[path]:
                raise _failed(case, f"{path} holds the best epoch", "it holds another one")


def _failed(case, expected, actual):
    return Failed(
        expected=f"the loss falls for {_EPOCHS} epochs after one NaN: {expected}, as after one large value",
        actual=actual,
        lines=(
            SMALL_MODEL,
            "losses = [float('nan'), *np.linspace(1, 0.4, 16)]",
            *case.hook_lines(),
            "hooks.on_train_end()",
            'print(epoch + 1, "epochs, loss", losses[epoch], "rate", float(model.optimizer.learning_rate), vars(callback))',
        ),
    )
