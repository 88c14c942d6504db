"""A callback, and the scripted training that the checks run it in."""

import contextlib
import functools
import io
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.comparison import same
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.checks.harness import observation, real_fit, scenarios, tiny_model
from kerasmith.checks.harness.observation import Observation
from kerasmith.checks.harness.scenarios import Scenario
from kerasmith.checks.harness.scripted_training import Script
from kerasmith.checks.harness.temporary_cwd import temporary_cwd
from kerasmith.checks.harness.trace import Trace

_MOST_KEYS = 6
# (seconds of the processor for four epochs of a script, how many epochs are played then); most callbacks take 0.02 s.
_EPOCHS = ((0.1, 16), (0.4, 8), (float("inf"), 6))


class CallbackCase(Case):
    """See `Case`. A callback needs no inputs.

    Attributes:
        keys: names that the callback looks for in the logs, found by trying.
        averages: whether it needs an optimizer that averages weights.
        changed: {"optimizer.momentum": (before, after)}: attributes it changed or made; see `tiny_model.attributes`.
        seconds: of the processor, that the rehearsal took; `keys`, `changed` and this are known after it.
    """

    kind: str | None = "callback"

    def __init__(self, subject: Subject | SourceSubject, contract: Contract, seed: int = 7) -> None:
        super().__init__(subject, contract, seed)
        self.specs: Any = {}
        self.keys: tuple[str, ...] = ()
        self.averages: bool = False
        self.changed: dict[str, tuple[Any, Any]] = {}
        self.seconds: float = 0.0

    @functools.cached_property
    def rehearsal(self) -> Exception | None:
        """The exception that a short script ends with, None if all is well; finds `keys` on the way."""
        for _ in range(_MOST_KEYS):
            start = time.process_time()
            try:
                with temporary_cwd() as printed:
                    callback = self.make()
                    self._add(getattr(callback, "monitor", None))
                    script = self.script(scenarios.falling(), printed)
                    with self._noted(script.model):
                        script.run(callback)
                self.seconds = time.process_time() - start
                return None
            except Exception as error:
                problem = error
                if "use_ema" in str(error) and not self.averages:
                    self.averages = True
                elif not (isinstance(error, KeyError) and error.args and self._add(error.args[0])):
                    break
        return problem

    @functools.cached_property
    def monitor(self) -> str | None:
        """The name of the quantity that the callback watches, None if it does not say."""
        with temporary_cwd():
            monitor = getattr(self.make(), "monitor", None)
        return monitor if isinstance(monitor, str) else None

    @functools.cached_property
    def fit_problem(self) -> Exception | None:
        """The exception that a short real `fit` ends with, None if all is well."""
        try:
            with temporary_cwd() as printed:
                real_fit.fit(self.make(), printed, self.model("fit"), scenario=self.scenario(scenarios.falling(2)))
        except Exception as error:
            return error
        return None

    def require_script(self) -> None:
        """Ends a check that only a script can do.

        Raises:
            NotApplicable: if the callback runs in a real `fit` alone.
        """
        if self.rehearsal is not None:
            raise NotApplicable(f"runs in a real `fit` only; outside of it: {describe_error(self.rehearsal)}")

    def scenario(self, losses: Sequence[float], **options: Any) -> Scenario:
        """A `Scenario` with the names that the callback looks for."""
        return Scenario(losses, keys=self.keys, **options)

    def model(self, purpose: str = "script") -> Any:
        """The tiny model, as good as new; see `tiny_model.fresh`."""
        return tiny_model.fresh(purpose, self.averages)

    def script(self, losses: Sequence[float], printed: io.StringIO, scenario: Any = (), **options: Any) -> Script:
        """A `Script` of a training with these losses.

        Args:
            losses: of each epoch.
            printed: the text that the working directory's block prints.
            scenario: other arguments of the `Scenario`.
            **options: see `Script`.
        """
        return Script(self.scenario(losses, **dict(scenario)), printed, self.model(), **options)

    def run(
        self, losses: Sequence[float], watch: Callable[..., None] | None = None, history: str = "after", **options: Any
    ) -> Trace:
        """The `Trace` of a fresh callback in a script, in a folder of its own.

        Args:
            losses: of each epoch.
            watch, history: see `Script`.
            **options: see `Scenario`.
        """
        self.require_script()
        with temporary_cwd() as printed:
            callback = self.make()
            return self.script(losses, printed, watch=watch, history=history, scenario=options).run(callback)

    @functools.cached_property
    def long(self) -> list[float]:
        """Losses that fall for three epochs and then stand still: fewer epochs for a callback that takes its time in each."""
        self.require_script()
        return scenarios.flat_after(epochs=next(epochs for limit, epochs in _EPOCHS if self.seconds < limit))

    @functools.cached_property
    def plateau(self) -> tuple[Trace, Trace]:
        """Two traces of equal scripts with the losses `long`."""
        return self.run(self.long), self.run(self.long)

    @functools.cached_property
    def observed(self) -> Observation:
        """The `Observation` of a short script."""
        self.require_script()
        return observation.observe(self)

    @functools.cached_property
    def without(self) -> Trace:
        """The trace of that script without the callback."""
        with temporary_cwd() as printed:
            return self.script(self.long, printed).run(keras.callbacks.Callback())

    def surroundings(self) -> AbstractContextManager[Any]:
        """An empty working directory: many callbacks make folders in their constructor."""
        return temporary_cwd()

    def outputs(self, component: Any) -> list[np.ndarray]:
        self.require_script()
        with temporary_cwd() as printed:
            trace = self.script(self.long, printed).run(component)
        rates = np.array([rate for epoch in sorted(trace.rates) for rate in trace.rates[epoch]])
        return [np.array([-1.0 if trace.stopped is None else trace.stopped]), rates, np.asarray(trace.final, "float64")]

    @contextlib.contextmanager
    def _noted(self, model):
        """Keeps what the block changes of the model's Python attributes."""
        before = tiny_model.attributes(model)
        try:
            yield
        finally:
            after = tiny_model.attributes(model)
            self.changed = {
                name: (before.get(name), value)
                for name, value in after.items()
                if name not in before or not (value is before[name] or same(value, before[name]))
            }

    def _add(self, name):
        if not isinstance(name, str) or name in self.keys:
            return False
        self.keys = (*self.keys, name)
        return True

    # Lines of reproducers.

    def fit_lines(self, epochs: int = 3, metrics: bool = True, **options: Any) -> tuple[str, ...]:
        """A model, with a metric or without, that trains with the callback."""
        model = MODEL_LINES if metrics else (SMALL_MODEL, MODEL_LINES[1])
        given = "".join(f", {name}={value}" for name, value in options.items())
        return (*model, f"model.fit(x, y, batch_size=2, epochs={epochs}, verbose=0, callbacks=[callback]{given})")

    def hook_lines(self) -> tuple[str, ...]:
        """The callback hears of a training with the losses of a list `losses`."""
        return (
            "model.stop_training = False; hooks = keras.callbacks.CallbackList([callback], model=model, epochs=len(losses))",
            "hooks.on_train_begin()",
            "for epoch, v in enumerate(losses):",
            f"    hooks.on_epoch_begin(epoch); hooks.on_epoch_end(epoch, {self.logs_text()})",
            "    if model.stop_training: break",
        )

    def logs_text(self) -> str:
        """The logs of an epoch with the loss `v`, as code."""
        names = self.scenario([1.0]).epoch_logs(0)
        return "{" + ", ".join(f'"{name}": {"1 / (1 + v)" if scenarios.is_score(name) else "v"}' for name in names) + "}"


SMALL_MODEL = 'model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]); model.compile("sgd", "mse")'
MODEL_LINES = (
    'model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]); model.compile("sgd", "mse", metrics=["accuracy"])',
    'x, y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")',
)


def hooks_of(callback: Any) -> list[str]:
    """The hooks that a callback has of its own, by its class or on the instance."""
    base = keras.callbacks.Callback
    return [name for name in HOOKS if name in vars(callback) or getattr(type(callback), name, None) is not getattr(base, name)]


def call_arguments(hook: str, logs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """(positional, by name): how Keras calls a hook; the hooks of a step get their logs by name."""
    if "batch" in hook:
        return (0,), {"logs": logs}
    return ((0, logs) if "epoch" in hook else (logs,)), {}


HOOKS = tuple(
    f"on_{part}_{when}"
    for part in ("train", "epoch", "train_batch", "batch", "test", "test_batch", "predict", "predict_batch")
    for when in ("begin", "end")
)
BATCH_HOOKS = tuple(name for name in HOOKS if "batch" in name)
