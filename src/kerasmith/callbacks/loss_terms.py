"""Shows the terms of a composite loss."""

from collections.abc import Sequence

import keras

from kerasmith.base import Loss
from kerasmith.base.loss_columns import losses_of
from kerasmith.callbacks.watcher import Watcher
from kerasmith.keras_internals.compiled import metrics_given


class LossTerms(Watcher):
    """Adds each term of a composite loss, such as `DiceCE`, to the progress bar and the history, also as `val_`.

    The terms are taken as they are computed for the loss, never a second time, with sample weights respected; the factors are
    not applied. A `kerasmith.Model` shows them without this callback. With several outputs their names come first, as in
    Keras' own columns: `mask_dice`.

    Example:

    >>> from kerasmith.losses import DiceCE
    >>> model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 1, activation="sigmoid")])
    >>> model.compile("sgd", DiceCE())
    >>> x = keras.ops.ones((2, 4, 4, 1))
    >>> sorted(model.fit(x, x, verbose=0, callbacks=[LossTerms()]).history)
    ['ce', 'dice', 'loss']
    """

    # What it hangs on the model has to be the same in every process.
    processes: str = "every"

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        if getattr(model, "loss_columns", None) is not None:
            return  # a `kerasmith.Model`, which shows them itself
        losses = {
            prefix: loss
            for prefix, loss in losses_of(getattr(model, "loss", None), getattr(model, "output_names", None))
            if isinstance(loss, Loss)
        }
        fresh = {prefix: loss for prefix, loss in losses.items() if loss.term_names and not loss.trackers}
        if not fresh:
            return
        trackers = [tracker for prefix, loss in fresh.items() for tracker in loss.track_terms(prefix)]
        _refuse_name_clashes(model, trackers)
        # An attribute is what Keras tracks: reset each epoch, part of the compiled step's state.
        model.loss_terms = [*getattr(model, "loss_terms", []), *trackers]


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
