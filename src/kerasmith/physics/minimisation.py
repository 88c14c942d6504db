"""Rounds of L-BFGS-B, what is told of them, and the rows of their history."""

from typing import Any

import keras
import numpy as np

from kerasmith.files.messages import say, warn
from kerasmith.keras_internals.loss_and_gradient import Evaluation, LossAndGradient
from kerasmith.physics.evaluation_journal import EvaluationJournal

# Steps after which the memory begins anew. What a directory has to keep is what was asked for in one round.
ROUND = 1000
_LINE_SEARCH = 50


class Minimisation:
    """One `polish`.

    Args:
        model: the model.
        loss: its loss and gradient.
        steps: in all.
        options: of SciPy's L-BFGS-B.
        limits: bounds of each weight, or None.
        minimize: SciPy's function.

    Attributes:
        rows: {column: number} of each step so far.
    """

    rows: list[dict[str, float]]

    def __init__(
        self, model: keras.Model, loss: LossAndGradient, steps: int, options: dict[str, Any], limits: Any, minimize: Any
    ) -> None:
        self._model, self._loss, self._steps, self._limits, self._minimize = model, loss, steps, limits, minimize
        self._options = {"ftol": 0.0, "maxfun": 10**9, "maxls": _LINE_SEARCH, **options}
        self.rows = []
        self._recent: dict[bytes, Evaluation] = {}
        self._callbacks: Any = None
        self._verbose = 0

    def listen(self, callbacks: list[Any] | None, verbose: int) -> None:
        """Has callbacks hear of each step, and lines printed."""
        self._verbose = verbose
        if callbacks:
            self._callbacks = keras.callbacks.CallbackList(
                callbacks, add_history=False, add_progbar=False, model=self._model, verbose=0, epochs=self._steps, steps=1
            )

    def train(
        self,
        journal: EvaluationJournal,
        start: np.ndarray,
        first: Evaluation,
        rows: list[dict[str, float]] | None = None,
        begin_round: Any = None,
    ) -> keras.callbacks.History:
        """Makes the steps, and leaves the model with the best weights; returns the history with their rows.

        Args:
            journal: a round that has begun.
            start: the weights at its beginning.
            first: loss and gradient there.
            rows: of the rounds before.
            begin_round: (weights, rows) -> None; begins the next round in the journal.
        """
        self.rows = list(rows or ())
        self._journal, self._accepted, self._loss_there = journal, start, first.loss
        self._first, self._at_start, self._bad = first, start, None
        self._model.stop_training = False
        before, is_over, end = first.loss, False, "all steps are made"
        if self._callbacks is not None:
            self._callbacks.on_train_begin()
        try:
            while len(self.rows) < self._steps:
                made, left = len(self.rows), self._steps - len(self.rows)
                limit = ROUND - made % ROUND
                self._round(min(limit, left))
                if self._model.stop_training:
                    end = "a callback has stopped it"
                    break
                if len(self.rows) - made < min(limit, left):
                    end = self._why_over()
                    break
                if len(self.rows) < self._steps:
                    self._next_round(begin_round)
            is_over = True
        finally:
            journal.close()
            self._loss.assign(self._accepted)
            self._model.reset_metrics()
            if is_over or begin_round is None:
                history = _appended(self._model, self.rows)
        if self._callbacks is not None:
            self._callbacks.on_train_end(self.rows[-1] if self.rows else {})
        if self._verbose:
            say(f"polish: {len(self.rows)} of {self._steps} steps, loss {before:.4e} -> {self._loss_there:.4e}; {end}.")
        return history

    def _round(self, steps):
        self._minimize(
            self._value_and_gradient,
            self._accepted.copy(),
            jac=True,
            method="L-BFGS-B",
            bounds=self._limits,
            callback=self._after_step,
            options={**self._options, "maxiter": steps},
        )

    def _next_round(self, begin_round):
        if begin_round is None:
            self._journal.begin({}, {})
        else:
            begin_round(self._accepted, self.rows)

    def _value_and_gradient(self, weights):
        found = self._journal.next(weights)
        if found is None:
            is_start = self._first is not None and np.array_equal(weights, self._at_start)
            found = self._first if is_start else self._loss(weights)
            self._journal.append(weights, found)
        self._first = None
        self._recent[weights.tobytes()] = found
        if np.isfinite(found.loss) and np.isfinite(found.gradient).all():
            self._bad = None
            return found.loss, found.gradient
        # Too far: the line search comes back half of the way or more.
        self._bad = found
        return self._loss_there + abs(self._loss_there) + 1.0, np.zeros_like(found.gradient)

    def _after_step(self, intermediate_result):
        weights = np.array(intermediate_result.x)
        found = self._recent.get(weights.tobytes())
        if found is None:
            found = self._loss(weights)
        self._recent.clear()
        step = len(self.rows)
        if self._callbacks is not None:
            self._callbacks.on_epoch_begin(step)
        self._accepted, self._loss_there = weights, found.loss
        row = {"loss": found.loss, **found.logs}
        self.rows.append(row)
        if self._callbacks is not None:
            self._loss.assign(weights)
            self._callbacks.on_epoch_end(step, dict(row))
        if self._verbose > 1 or (self._verbose and (step + 1) % max(1, self._steps // 10) == 0):
            columns = " - ".join(f"{name}: {value:.4e}" for name, value in row.items())
            say(f"polish {step + 1}/{self._steps} - {columns}")
        if self._model.stop_training:
            raise StopIteration

    def _why_over(self):
        if self._bad is None:
            return "no step lowers the loss any further"
        terms = [name for name, value in self._bad.logs.items() if not np.isfinite(value)]
        what = f"the terms {', '.join(terms)}" if terms else "the loss or its gradient"
        warn(f"polish ended after {len(self.rows)} steps: {what} were not finite wherever it went on to.", stacklevel=4)
        return f"{what} were not finite beyond"


def _appended(model, rows):
    """`model.history` with a row for each step, all columns of one length."""
    history = getattr(model, "history", None)
    if not isinstance(history, keras.callbacks.History):
        history = keras.callbacks.History()
        history.set_model(model)
        history.on_train_begin()
    columns = history.history
    count = max((len(values) for values in columns.values()), default=0)
    first = history.epoch[-1] + 1 if history.epoch else 0
    for name in dict.fromkeys(name for row in rows for name in row):
        columns.setdefault(name, [float("nan")] * count)
    for row in rows:
        for name, values in columns.items():
            values.append(row.get(name, float("nan")))
    history.epoch.extend(range(first, first + len(rows)))
    model.history = history
    return history
