"""Asks, before the first step, whether model, loss, labels, metrics and data belong together."""

import copy
from collections.abc import Callable, Sequence
from types import GeneratorType
from typing import Any, ClassVar

import keras

from kerasmith._types import Logs
from kerasmith.base.arguments import check_choice
from kerasmith.callbacks.watcher import Watcher
from kerasmith.checks.engine import registry
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import CannotCheck, Finding
from kerasmith.checks.engine.structural_findings import structural_findings, text_of
from kerasmith.checks.engine.training_setup import FitArguments, TrainingSetup
from kerasmith.files.messages import warn
from kerasmith.keras_internals import fit_call


class CheckSetup(Watcher):
    """Stops a training whose set-up is wrong, before its first step: labels that the loss does not take, probabilities into a
    loss of logits, metrics that cannot move, and more (since 0.2).

    At the start of `fit` the questions of `kerasmith.check(model, x, y)` that need no training are asked about the first batch
    (`kerasmith explain` lists them, T000 to T149). The training does not notice: weights, optimizer, metrics, generators of
    random numbers and data are as before, a generator keeps its first batch, and no step is slower. A question that fails by
    itself is left out.

    Args:
        level: "error" raises where something is an error, and warns of warnings; "warning" only warns.
        select: ids of questions or their beginnings, such as `["T1"]`; by default those that need no training.
        ignore: ids to leave out: what is meant so.
        contract: promises that the set-up does not make, a dict or `kerasmith.Contract`.

    Attributes:
        findings: [Finding] of the latest `fit`, notes included.

    Raises:
        ValueError: in `fit`, with "error": lists what is wrong and what to write instead.

    Example:

    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="softmax")])
    >>> model.compile("adam", "binary_crossentropy")
    >>> x, y = np.random.default_rng(0).normal(size=(32, 2)), np.arange(32) % 2
    >>> try:
    ...     history = model.fit(x, y, callbacks=[CheckSetup(select="T101")], verbose=0)
    ... except ValueError as error:
    ...     print(str(error).splitlines()[1].strip())
    error T101: The output is a softmax over one unit: it is 1 whatever the input is
    """

    of_one_fit: ClassVar[dict[str, Callable[[], Any]]] = {"findings": list}

    def __init__(
        self,
        level: str = "error",
        select: str | Sequence[str] | None = None,
        ignore: str | Sequence[str] | None = None,
        contract: Contract | dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        check_choice("level", level, ("error", "warning"))
        self.level: str = level
        self._select = _listed("select", select)
        self._ignore = _listed("ignore", ignore)
        self._contract = None if contract is None else Contract.of(contract)
        self.findings: list[Finding] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        self.findings = []
        fit = fit_call.find()
        if fit is None:
            return
        with self.sparing("asking about the set-up"):
            self.findings = self._asked(fit)
        errors, warnings = ([one for one in self.findings if one.severity == kind] for kind in ("error", "warning"))
        if errors and self.level == "error":
            raise ValueError(
                f"CheckSetup: {_counted(len(errors), 'error')} in this set-up, found on the first batch, before any step.\n"
                f"{text_of(errors)}\nLeave out what is meant so, CheckSetup(ignore=[{errors[0].id!r}]), or train all the "
                "same: CheckSetup('warning')."
            )
        if errors or warnings:
            warn(f"CheckSetup: this set-up has\n{text_of([*errors, *warnings])}", stacklevel=3)

    def _asked(self, fit: Any) -> list[Finding]:
        try:
            return structural_findings(_setup_of(self.model, fit), self._contract, self._select, self._ignore)
        except CannotCheck as problem:
            warn(f"CheckSetup: nothing was asked: {problem}", stacklevel=5)
            return []


def _setup_of(model: keras.Model, fit: Any) -> TrainingSetup:
    """What a running `fit` was given, as data that can be looked at without moving them."""
    x, validation = fit.x, fit.validation_data
    if isinstance(x, GeneratorType):
        # Keras has looked at its beginning, and keeps it for the training.
        seen = fit_call.seen_batches(fit)
        x = (batch for batch in seen)
    elif isinstance(x, keras.utils.PyDataset):
        x = copy.copy(x)  # workers of Keras may be drawing from it
    if isinstance(validation, (GeneratorType, keras.utils.PyDataset)):
        validation = None
    arguments = {name: getattr(fit, name) for name in ("batch_size", "epochs", "shuffle", "class_weight", "steps_per_epoch")}
    arguments["callbacks"] = tuple(fit.callbacks.callbacks)
    return TrainingSetup(model, x, fit.y, fit.sample_weight, validation, FitArguments(**arguments))


def _listed(name: str, ids: str | Sequence[str] | None) -> list[str] | None:
    listed = [ids] if isinstance(ids, str) else None if ids is None else list(ids)
    if listed is not None and not all(isinstance(id, str) and id for id in listed):
        raise ValueError(f"`{name}` must be ids of questions, such as ['T1']. Received: {name}={ids!r}")
    registry.planned("setup", **{name: listed})  # an id that names nothing ends here, not in `fit`
    return listed


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
