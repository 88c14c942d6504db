"""Runs callbacks in a real `fit` of the tiny model, with the logs it has or with those of a scenario."""

import functools
import io
from typing import Any

from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.harness import tiny_model
from kerasmith.checks.harness.scenarios import Scenario
from kerasmith.checks.harness.temporary_cwd import files_here, temporary_cwd
from kerasmith.checks.harness.trace import Trace


def fit(
    callback: Any, printed: io.StringIO, model: Any, epochs: int = 3, scenario: Scenario | None = None, data_of: Any = None
) -> Trace:
    """Trains; returns a `Trace`. Nothing in it is random.

    Args:
        callback: a callback, or None to train without one.
        printed: the `io.StringIO` of `temporary_cwd`.
        model: the tiny model.
        scenario: a `Scenario` whose epoch logs stand in the place of the real ones; it also says how many epochs there are.
        data_of: a callback that knows the data to train on; by default `callback`.
    """
    x, y = tiny_model.data()
    trace = Trace()
    recorder = _recorder()(trace, printed, model)
    listed = [recorder] if callback is None else [callback, recorder]
    if scenario is not None:
        listed.insert(0, _conductor()(scenario))
    if scenario is None or scenario.validation:
        options = {"validation_data": (x[:4], y[:4]), "validation_batch_size": 2}
        options["validation_freq"] = 1 if scenario is None else scenario.validation
    else:
        options = {}
    number = epochs if scenario is None else scenario.epochs
    given = _dataset_of(callback if data_of is None else data_of)
    options.update({"x": x, "y": y, "batch_size": tiny_model.BATCH} if given is None else {"x": given})
    model.fit(epochs=number, shuffle=False, verbose=0, callbacks=listed, **options)
    trace.final = tiny_model.weights(model)
    trace.files = files_here()
    trace.attributes = {} if callback is None else dict(vars(callback))
    if model.stop_training:
        trace.asked_to_stop, trace.stopped = True, max(trace.weights, default=0)
    return trace


def reference(case: Any, epochs: int, callback: Any = None) -> Trace:
    """The `Trace` of a `fit` without a callback.

    Args:
        callback: its data are trained on, if it has any.
    """
    if _dataset_of(callback) is None:
        return _reference(case.averages, epochs)
    with temporary_cwd() as printed:
        return fit(None, printed, case.model("fit"), epochs, data_of=callback)


@functools.cache
def _reference(averages: bool, epochs: int) -> Trace:
    with temporary_cwd() as printed:
        model = tiny_model.fresh("fit", averages)
        trace = fit(None, printed, model, epochs)
        tiny_model.trust(model)
        return trace


def _dataset_of(callback: Any) -> Any:
    """The data that a callback was built with, to train on what it watches or changes; None if there are none."""
    values = vars(callback).values() if callback is not None else ()
    return next((value for value in values if isinstance(value, keras.utils.PyDataset)), None)


@functools.cache
def _recorder() -> type:
    class Recorder(keras.callbacks.Callback):
        """Keeps logs, rates and weights of each epoch; in the steps it looks at the optimizer without a call for the model."""

        def __init__(self, trace: Trace, printed: io.StringIO, model: Any) -> None:
            super().__init__()
            self.tiny = model
            self.trace, self.printed, self.read, self.rate = trace, printed, 0, tiny_model.RATE

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch
            self.trace.rates[epoch] = []

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            from kerasmith.keras_internals.learning_rate import rate_given

            now = tiny_model.rate(self.tiny)
            if now is None and isinstance(rate_given(self.tiny.optimizer), keras.Variable):
                # Nobody has set it since the step took it over.
                now = self.rate
            self.rate = now
            self.trace.rates[self.epoch].append(self.rate)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.trace.logs[epoch] = dict(logs or {})
            self.trace.weights[epoch] = tiny_model.weights(self.model)
            text = self.printed.getvalue()
            self.trace.printed[epoch], self.read = text[self.read :], len(text)

    return Recorder


@functools.cache
def _conductor() -> type:
    class Conductor(keras.callbacks.Callback):
        """Stands first in the list and writes the scenario's numbers into the logs that all callbacks share."""

        def __init__(self, scenario: Scenario) -> None:
            super().__init__()
            self.scenario = scenario

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs.clear()
            logs.update(self.scenario.epoch_logs(epoch))

    return Conductor
