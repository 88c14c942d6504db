"""Shows the terms of a composite loss."""

import keras
from keras import tree

from kerasmith.base import Loss


class LossTerms(keras.callbacks.Callback):
    """Adds each term of a composite loss, such as `DiceCE`, to the progress bar and the history, also as `val_`.

    The terms are taken as they are computed for the loss, never a second time, with sample weights respected; the factors are
    not applied.

    Example:

    >>> from kerasmith.losses import DiceCE
    >>> model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 1, activation="sigmoid")])
    >>> model.compile("sgd", DiceCE())
    >>> x = keras.ops.ones((2, 4, 4, 1))
    >>> sorted(model.fit(x, x, verbose=0, callbacks=[LossTerms()]).history)
    ['ce', 'dice', 'loss']
    """

    def set_model(self, model):
        super().set_model(model)
        losses = [loss for loss in tree.flatten(getattr(model, "loss", None)) if isinstance(loss, Loss)]
        fresh = [loss for loss in losses if loss.term_names and not loss.trackers]
        if not fresh:
            return
        trackers = [tracker for loss in fresh for tracker in loss.track_terms()]
        taken = {metric.name for metric in model.metrics}
        twice = [
            tracker.name for tracker in trackers if tracker.name in taken or sum(t.name == tracker.name for t in trackers) > 1
        ]
        if twice:
            raise ValueError(f"The loss term {twice[0]!r} has the name of another metric or term; rename the metric.")
        # An attribute is what Keras tracks: reset each epoch, part of the compiled step's state.
        model.loss_terms = [*getattr(model, "loss_terms", []), *trackers]
