"""Shows the terms of a composite loss."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import tree

from kerasmith.base import Loss
from kerasmith.callbacks.watcher import Watcher
from kerasmith.keras_internals.compiled import metrics_given


class LossTerms(Watcher):
    """Adds each term of a composite loss, such as `DiceCE`, to the progress bar and the history, also as `val_`.

    The terms are taken as they are computed for the loss, never a second time, with sample weights respected; the factors are
    not applied. With several outputs their names come first, as in Keras' own columns: `mask_dice`.

    Example:

    >>> from kerasmith.losses import DiceCE
    >>> model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 1, activation="sigmoid")])
    >>> model.compile("sgd", DiceCE())
    >>> x = keras.ops.ones((2, 4, 4, 1))
    >>> sorted(model.fit(x, x, verbose=0, callbacks=[LossTerms()]).history)
    ['ce', 'dice', 'loss']
    """

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        losses = {prefix: loss for prefix, loss in _losses(model) if isinstance(loss, Loss)}
        fresh = {prefix: loss for prefix, loss in losses.items() if loss.term_names and not loss.trackers}
        if not fresh:
            return
        trackers = [tracker for prefix, loss in fresh.items() for tracker in loss.track_terms(prefix)]
        _refuse_name_clashes(model, trackers)
        # An attribute is what Keras tracks: reset each epoch, part of the compiled step's state.
        model.loss_terms = [*getattr(model, "loss_terms", []), *trackers]


def _losses(model: keras.Model) -> list[tuple[str, Any]]:
    """Pairs of a prefix and a loss: no prefix for one loss, the name of its output for each of several."""
    given = getattr(model, "loss", None)
    if isinstance(given, dict) and len(given) > 1:
        return [(f"{output}_", loss) for output, loss in given.items()]
    if isinstance(given, (list, tuple)) and len(given) > 1:
        return [(f"{output}_", loss) for output, loss in zip(model.output_names, given)]
    return [("", loss) for loss in tree.flatten(given)]


def _refuse_name_clashes(model: keras.Model, trackers: Sequence[keras.metrics.Metric]) -> None:
    """Raises ValueError before training if a term would overwrite another column of the history."""
    # Keras builds the metrics of `compile` with the first batch; until then only the user's own objects have names.
    names = [getattr(metric, "name", metric) for metric in [*metrics_given(model), *model.metrics, *trackers]]
    twice = [tracker.name for tracker in trackers if names.count(tracker.name) > 1]
    if twice:
        raise ValueError(
            f"The loss term {twice[0]!r} has the name of another metric or term, and one would overwrite the other. "
            "Give the metric another name, or train without LossTerms."
        )
