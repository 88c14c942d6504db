"""The learning-rate range test."""

import copy
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith._types import Logs
from kerasmith.base.arguments import check_integer, check_number
from kerasmith.callbacks.copies import Copyable, no_model
from kerasmith.callbacks.driven_optimizers import StepWatch, check_places, driven_optimizers
from kerasmith.callbacks.rate_curve import RateCurve, Suggestion
from kerasmith.checkpoints import variables
from kerasmith.files.atomic_write import write_atomically
from kerasmith.keras_internals import fit_call, random_state
from kerasmith.keras_internals.learning_rate import put_rate, rate_given, step_counter, steps_done
from kerasmith.keras_internals.optimizers import initial_values
from kerasmith.keras_internals.owned import owned
from kerasmith.schedules import Shifted

_CALL = "FindLR(..., {})"
# On JAX the state of a step is seen one step later.
_STEPS_UNTIL_IDLE = 4
_OURS = ("epochs", "initial_epoch", "callbacks", "validation_data", "validation_split", "verbose")


class FindLR(Copyable, keras.callbacks.Callback):
    """Trains with a rate that rises at each step and shows at which rates the loss falls; then everything is as before.

    rate(k) = low (high / low)^(k / (steps - 1)) at step k = 0, 1, ... It ends after `steps` steps, or when the running mean of
    the loss is more than `diverge` times the best so far, or not finite.

    `run` restores to the bit: weights, optimizer with its rate or schedule, metrics, seeds, the random generators of Python,
    NumPy and PyTorch, the compiled training step, `model.history`, and data that have `state_dict`. The model then trains as
    if there had been no test. (A generator stays read.) As a callback in a `fit` of its own, this object makes that `fit`
    the test and restores the model's state at its end; the history that `fit` returns is that of the test.

    Args:
        low, high: the first and the last rate.
        steps: how many.
        smoothing: 0 to below 1; step i has the weight smoothing^|i - k| in the smoothed loss of step k.
        diverge: factor above 1.
        optimizer: of a model with several, the place of the one to test, such as "d_optimizer" for `model.d_optimizer`, or a
            list of places, which then all have the same rate. (since 0.2)

    Attributes:
        rates, losses: arrays, one entry for each step: its rate and the loss of its batch before it. (Steps that a
            loss-scaling optimizer leaves out do not count.)
        smoothed: array, the losses smoothed, after a cut at `diverge` times the lowest or at the highest before it.

    Raises:
        ValueError: for arguments outside their range; a model compiled with `steps_per_execution` above 1, without an
            optimizer, or with several if `optimizer` says not which.
        RuntimeError: if the optimizer makes no step, as the model's own `train_step` has another.

    Example:

    >>> keras.utils.set_random_seed(0)
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(0.5), "mse")
    >>> x = keras.random.normal((64, 2), seed=1)
    >>> finder = FindLR(1e-4, 10.0, steps=60)
    >>> suggestion = finder.run(model, x, x[:, :1], batch_size=64)
    >>> 0.01 < suggestion.steepest < 1, float(model.optimizer.learning_rate)
    (True, 0.5)

    Reference: Smith, "Cyclical learning rates for training neural networks", 2017.
    """

    of_one_fit = {
        "_before": no_model,
        "_data": no_model,
        "_fresh_metrics": list,
        "_drawn": int,
        "_tested": no_model,
        "_watch": no_model,
    }

    low: float
    high: float
    steps: int
    smoothing: float
    # Not tried yet with several processes, which `kerasmith.distribution.setup` therefore refuses.
    processes: str = "none"
    diverge: float

    def __init__(
        self,
        low: float = 1e-7,
        high: float = 10.0,
        steps: int = 100,
        *,
        smoothing: float = 0.8,
        diverge: float = 4.0,
        optimizer: str | Sequence[str] | None = None,
    ) -> None:
        check_number("low", low, above=0)
        check_number("high", high, above=low)
        check_integer("steps", steps, minimum=2)
        check_number("smoothing", smoothing, minimum=0, below=1)
        check_number("diverge", diverge, above=1)
        self._places = check_places(optimizer)
        super().__init__()
        self.low = low
        self.high = high
        self.steps = steps
        self.smoothing = smoothing
        self.diverge = diverge
        self._found = {}
        self._before = self._data = self._tested = self._watch = None

    def run(self, model: keras.Model, x: Any = None, y: Any = None, **keywords: Any) -> Suggestion:
        """The test on data as `fit` takes them; returns the `suggestion`.

        Args:
            model: a compiled model.
            x, y: the data.
            **keywords: of `fit`, such as `batch_size` or `sample_weight`.
        """
        wrong = [name for name in keywords if name in _OURS]
        if wrong:
            raise TypeError(f"FindLR chooses `{wrong[0]}` itself. Call `run` without it.")
        attributes = {
            name: vars(model)[name] for name in ("history", "stop_training", "train_function") if name in vars(model)
        }
        # Before `fit`, which tells data of the end of an epoch as soon as it begins.
        self._data = _state_of(x)
        try:
            model.fit(x, y, epochs=self._most_steps, verbose=0, callbacks=[self], **keywords)
        finally:
            self._restore()
            self._data = None
            for name in ("history", "stop_training", "train_function"):
                if name in attributes:
                    setattr(model, name, attributes[name])
                elif name in vars(model):
                    delattr(model, name)
        return self.suggestion

    @property
    def rates(self) -> np.ndarray:
        return np.array([self._rate(count) for count in self._found])

    @property
    def losses(self) -> np.ndarray:
        return np.array(list(self._found.values()), dtype=float)

    @property
    def smoothed(self) -> np.ndarray:
        return self._curve.smoothed

    @property
    def suggestion(self) -> Suggestion:
        """The `Suggestion` of the last test."""
        return self._curve.suggestion

    def plot(self, path: str | os.PathLike[str]) -> Path:
        """Writes the curve with the suggested rate and returns its path.

        Args:
            path: ends in ".html" for a page whose chart can be zoomed, in ".svg" for a picture; each needs nothing else.

        Raises:
            ValueError: for another ending.
        """
        path = Path(path)
        written = {".html": self._curve.page, ".svg": self._curve.svg}
        if path.suffix not in written:
            raise ValueError(
                f'The curve is a page, such as "rates.html", or a picture, "rates.svg". Received: path={str(path)!r}'
            )
        write_atomically(path, written[path.suffix]())
        return path

    def picture(self) -> str:
        """The curve as HTML, for `RunReport.add_section` for instance."""
        return self._curve.picture()

    # What Keras calls.

    def on_train_begin(self, logs: Logs = None) -> None:
        model = self.model
        if model.steps_per_execution > 1:
            raise ValueError(
                "FindLR needs the loss of each step. Compile with steps_per_execution=1. Received: "
                f"steps_per_execution={model.steps_per_execution}"
            )
        fit = fit_call.find()
        if getattr(model, "optimizer", None) is not None:
            variables.build(model, fit)
        if not model.built:
            raise ValueError("FindLR needs a model with weights. Call the model on a batch first.")
        driven = driven_optimizers(model, self._places, "FindLR", _CALL)
        self._before = {
            "model": model,
            "variables": variables.values(model),
            "rates": [(one, rate_given(one)) for one in driven.values()],
            "unbuilt": [one for one in owned(model).optimizers.values() if not one.built],
            "train_function": model.train_function,
            "data": self._data or _state_of(fit and fit.x),
            # Here and not before `fit`: what the first `fit` of a model draws to build it, the next one does not draw again.
            "random": random_state.capture(),
        }
        self._found, self._drawn, self._mean, self._best = {}, 0, 0.0, math.inf
        self._tested = next(iter(driven.values()))
        self._first = steps_done(self._tested)
        self._watch = StepWatch(model, driven, "FindLR", _CALL)
        rise = keras.optimizers.schedules.ExponentialDecay(self.low, self.steps - 1, self.high / self.low)
        for one in driven.values():
            put_rate(one, Shifted(rise, steps_done(one)))
        model.make_train_function(force=True)
        model.train_function = self._single_batch_step(model.train_function)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if keras.backend.backend() == "jax":
            self._fresh_metrics = [np.array(ops.convert_to_numpy(v)) for v in self.model.metrics_variables]

    def on_train_end(self, logs: Logs = None) -> None:
        self._restore()

    # Parts.

    @property
    def _curve(self):
        return RateCurve(self.rates, self.losses, self.smoothing, self.diverge)

    @property
    def _most_steps(self):
        return 2 * self.steps + 20

    def _rate(self, count):
        return self.low * (self.high / self.low) ** (count / (self.steps - 1))

    def _single_batch_step(self, train):
        """A training step around Keras' own. Metrics begin anew in each, so the loss in its logs is that of its batch."""
        model = self._model
        counter = step_counter(self._tested)
        if keras.backend.backend() == "jax":
            # Arrays go in and out here; going through the variables would bring all of them back from the step.
            position = next((i for i, v in enumerate(model.optimizer.variables) if v is counter), None)

            def step(state, iterator):
                count = int(counter.value if position is None else state[2][position])
                fresh = [ops.convert_to_tensor(value.copy()) for value in self._fresh_metrics]
                logs, state = train((*state[:3], fresh), iterator)
                self._note(count, logs)
                return logs, state

        else:

            def step(batches):
                model.reset_metrics()
                count = steps_done(self._tested)
                logs = train(batches)
                self._note(count, logs)
                return logs

        return step

    def _note(self, count, logs):
        if "loss" not in logs:
            raise ValueError(
                "FindLR needs a `loss` in the logs of a step: have the model's `train_step` return it. They have: "
                f"{', '.join(sorted(logs)) or 'nothing'}"
            )
        loss = float(ops.convert_to_numpy(logs["loss"]))
        count -= self._first
        self._found[count] = loss
        self._drawn += 1
        if self._drawn == _STEPS_UNTIL_IDLE and len(self._found) == 1:
            self._watch.check()
        share = (1 - self.smoothing) / (1 - self.smoothing ** len(self._found))
        self._mean += share * (loss - self._mean)
        self._best = min(self._best, self._mean)
        diverged = not self._mean <= self._best + (self.diverge - 1) * abs(self._best)
        if diverged or not math.isfinite(loss) or count + 1 >= self.steps or self._drawn >= self._most_steps:
            self._model.stop_training = True

    def _restore(self):
        before, self._before = self._before, None
        if before is None:
            return
        model = before["model"]
        for one, rate in before["rates"]:
            put_rate(one, rate)
        model.train_function = before["train_function"]
        model.stop_training = False
        model.reset_metrics()
        for one in before["unbuilt"]:
            # The test made its variables; it did not have them before, and begins with these.
            for variable, value in zip(one.variables, initial_values(one) if one.built else (), strict=one.built):
                variable.assign(value)
        variables.assign(model, before["variables"])
        self._tested = self._watch = None
        if before["data"] is not None:
            data, state = before["data"]
            data.load_state_dict(state)
        random_state.restore(before["random"])


def _state_of(data):
    """(data, a copy of their state) of data that have one, else None."""
    if hasattr(data, "state_dict") and hasattr(data, "load_state_dict"):
        return data, copy.deepcopy(data.state_dict())
    return None
