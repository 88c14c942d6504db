"""Goes over the batches of steps that are already done, without training on them."""

from typing import Any

import keras


class Replay:
    """Lets `fit` draw the batches of an epoch's finished steps and throw them away, so that its data stand where they stood.

    In the meantime no callback but one hears of the steps.

    Args:
        model: the model in `fit`.
        fit: `fit_call.find()`.
        steps: how many steps of this epoch are done.
        listener: the callback that is still called; it calls `finish` before step `steps`.
    """

    steps: int

    def __init__(self, model: keras.Model, fit: Any, steps: int, listener: keras.callbacks.Callback) -> None:
        self.steps = steps
        self._model, self._fit = model, fit
        self._executed_at_once = model.steps_per_execution
        self._callbacks, self._train_function = fit.callbacks.callbacks, model.train_function
        fit.callbacks.callbacks = [listener]
        model.train_function = getattr(self, "_skip_" + keras.backend.backend())

    def finish(self) -> None:
        """Puts everything back."""
        self._fit.callbacks.callbacks = self._callbacks
        self._model.train_function = self._train_function

    def _skip_tensorflow(self, iterator):
        self._draw(iterator)
        return {}

    def _skip_jax(self, state, iterator):
        self._draw(iterator)
        return {}, state

    def _skip_torch(self, data):
        return {}  # `fit` itself has drawn it

    def _draw(self, iterator):
        for number in range(self._executed_at_once):
            try:
                next(iterator)
            except StopIteration:
                if number == 0:
                    raise
                return


def advance(fit: Any, batches: Any) -> None:
    """Draws batches from data that go on from epoch to epoch (`fit(steps_per_epoch=...)`) before the first epoch begins."""
    iterator = fit.epoch_iterator
    length = iterator._num_batches
    if length:
        batches %= length
    # `fit` uses the iterator that is there if `steps_per_epoch` was given.
    iterator._current_iterator = iter(iterator._get_iterator())
    for _ in range(batches):
        next(iterator._current_iterator)
    iterator._steps_seen = batches
