"""The terms of the composite losses that a model is compiled with, as columns."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import tree

from kerasmith.base.loss import Loss


class LossColumns:
    """A mean for each term of each composite loss of a model; fed only by the losses of a step of that model.

    No attribute of it is one that Keras tracks: a model that was saved without these columns still loads.

    Args:
        loss: as of `compile`: a loss, or a list or dict of them.
        output_names: names of the outputs, for several losses.
        taken: names of other columns. Where a term has one of these, all terms of its loss have the name of the loss in front,
            and a term whose name is taken even so is not shown.
    """

    def __init__(self, loss: Any, output_names: Sequence[str] | None, taken: Sequence[str] = ()) -> None:
        self._fed: list[tuple[Loss, tuple[keras.metrics.Mean, ...]]] = []
        taken = set(taken)
        for prefix, one in losses_of(loss, output_names):
            names = [] if not isinstance(one, Loss) else one.term_names or ()
            if any(one is other for other, _ in self._fed):
                continue  # one object for two outputs: its calls cannot be told apart
            if taken & {prefix + name for name in names}:
                prefix = f"{prefix}{one.name}_"
            if names and not taken & {prefix + name for name in names}:
                taken |= {prefix + name for name in names}
                self._fed.append((one, tuple(keras.metrics.Mean(name=prefix + name) for name in names)))

    @property
    def trackers(self) -> list[keras.metrics.Mean]:
        """The means, in the order of the terms."""
        return [tracker for _, trackers in self._fed for tracker in trackers]

    @contextlib.contextmanager
    def fed(self) -> Iterator[None]:
        """Inside, calls of the losses feed the means."""
        before = [loss.trackers for loss, _ in self._fed]
        for loss, trackers in self._fed:
            loss.trackers = trackers
        try:
            yield
        finally:
            for (loss, _), trackers in zip(self._fed, before):
                loss.trackers = trackers


def losses_of(given: Any, output_names: Sequence[str] | None) -> list[tuple[str, Any]]:
    """Pairs of a prefix and a loss: no prefix for one loss, the name of its output for each of several."""
    if isinstance(given, dict) and len(given) > 1:
        return [(f"{output}_", loss) for output, loss in given.items()]
    if isinstance(given, (list, tuple)) and len(given) > 1:
        return [(f"{output}_", loss) for output, loss in zip(output_names or (), given)]
    return [("", loss) for loss in tree.flatten(given)]
