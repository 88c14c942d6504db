"""What a callback keeps."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.callbacks.case import CallbackCase


@check("C120", "callback", "warning", since="0.1.0")
def keeps_weights_of_every_epoch(case: CallbackCase) -> None:
    """The memory that the callback holds grows by a copy of the model in each epoch.

    A list of `get_weights()`, of predictions or of gradients grows with the number of epochs. With a model of 100 MB
    and 100 epochs the process is killed for its memory, long after the start.

    Fix: keep what is needed, such as the best copy or a norm, or write the arrays to files.
    """
    trace = case.plateau[0]
    sizes, weights = [trace.held[epoch] for epoch in sorted(trace.held)], len(trace.weights[0])
    if len(sizes) < 5:
        raise Inconclusive(f"training was ended after {len(sizes)} epochs")
    growth = np.diff(sizes[2:])
    if len(growth) and (growth >= weights).all():
        raise Failed(
            expected="as many numbers in arrays after the last epoch as after the third",
            actual=f"{', '.join(str(size) for size in sizes)} after epochs 1 to {len(sizes)}; the model has {weights} weights",
            lines=(
                *case.fit_lines(epochs=2),
                "parts = lambda v: v.values() if isinstance(v, dict) else v if isinstance(v, (list, tuple)) else ()",
                "size = lambda v: sum(map(size, parts(v))) + getattr(v, 'nbytes', 0)",
                "print(size(vars(callback)))",
                "model.fit(x, y, initial_epoch=2, epochs=9, verbose=0, callbacks=[callback]); print(size(vars(callback)))",
            ),
        )
