"""`kerasmith.check`: all checks of one component."""

import dataclasses
import inspect
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from kerasmith.backends import BACKENDS, installed_backends
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.engine.report import Report, report_of


def check(
    component: Any,
    init: dict[str, Any] | str | None = None,
    like: Any = None,
    contract: Contract | dict[str, Any] | None = None,
    backends: str | Sequence[str] | None = None,
    select: str | Sequence[str] | None = None,
    ignore: str | Sequence[str] | None = None,
    budget: float = 60.0,
    seed: int = 7,
    kind: str | None = None,
    *,
    x: Any = None,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: dict[int, float] | None = None,
    validation_data: Any = None,
    validation_split: float | None = None,
    batch_size: int | None = None,
    shuffle: bool | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    callbacks: Sequence[Any] | None = None,
) -> Report:
    """Says what is wrong with a loss, metric, callback or layer, or with a whole training: `check(model, x, y)`.

    Of a compiled model the first batch is asked: whether output, loss, labels, metrics, weights and data belong together, and
    whether a copy of the model learns it. Nothing is trained: model, optimizer, metrics, random generators and data are
    left as they were. A generator alone cannot be wound back; the report says how many batches it has given.

    Args:
        component: a compiled model (since 0.2), which takes the arguments of `fit` (`x` and `y` may stand behind it without a
            name); or a class or an instance of a Keras loss, metric, callback or layer, a function of (y_true, y_pred), a
            function without required arguments that returns one of these, or where to find one: `"path.py:Name"`,
            `"package.module:Name"`.
        init: {name: value}: constructor arguments of a class; or `"module:factory"`, a function that returns the part
            (since 0.2).
        like: the inputs, {"y_true": spec, "y_pred": spec} for losses and metrics, {"inputs": spec} for layers. A spec is an
            example array or a text: `"float32[4,16,16,1](0,1)"` (an interval), `"int32[4]{0,9}"` (whole numbers, both ends
            included), `"float32[8,5]simplex"` (rows that sum to 1), `"float32[8,5]onehot"`; or a list or dict of them. By
            default inputs are found by trying what losses, metrics and layers usually get.
        contract: a `Contract` or a dict of promises that the component does not make, such as `dict(per_sample=False)`; by
            default its own attribute `kerasmith_contract`.
        backends: ["tensorflow", "jax", "torch"]: a process of its own for each. By default this process and its backend; for a
            text, all that are installed.
        select, ignore: ids of checks, or how they begin: `["L1", "X104"]`.
        budget: seconds for all checks on one backend; one check may take a fourth of it, of a set-up the half.
        seed: of the inputs.
        kind: "metric" for a function that is not a loss.
        x, y, sample_weight: of a model, as its `fit` takes them: arrays, dicts of arrays; or `x` alone, a PyDataset, a
            `tf.data.Dataset`, a `DataLoader` or a generator (since 0.2).
        class_weight, validation_data, validation_split, batch_size, shuffle, epochs, steps_per_epoch, callbacks: of a model,
            as its `fit` takes them (since 0.2).

    Returns:
        A `Report`: `.ok`, `.findings` (each with `id`, `severity`, `title`, `expected`, `actual`, `reproducer`, `fix`),
        `.outcomes`; `print` shows it.

    Raises:
        ValueError: if it cannot be checked: no such file, none of the kinds, missing constructor arguments, no inputs found; a
            model that is not compiled or has no data.

    Example:

    >>> import keras, kerasmith
    >>> report = kerasmith.check(keras.losses.MeanSquaredError, select=["L104"])
    >>> report.ok, report.outcomes["fail"]
    (True, 0)

    A whole training:

    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    >>> model.compile("sgd", "mse")
    >>> report = kerasmith.check(model, np.zeros((64, 3)), np.zeros((64, 2)), select=["T000"])
    >>> [finding.title for finding in report.findings]
    ['`fit` stops at the first batch: the loss does not take these labels and outputs']
    """
    options = {"select": _ids("select", select), "ignore": _ids("ignore", ignore), "seed": seed}
    if not isinstance(budget, (int, float)) or isinstance(budget, bool) or not budget > 0:
        raise CannotCheck(f"`budget` must be a number of seconds. Received: {budget!r}")
    data = {
        "x": x,
        "y": y,
        "sample_weight": sample_weight,
        "class_weight": class_weight,
        "validation_data": validation_data,
        "validation_split": validation_split,
        "batch_size": batch_size,
        "shuffle": shuffle,
        "epochs": epochs,
        "steps_per_epoch": steps_per_epoch,
        "callbacks": callbacks,
    }
    setup = _setup(component, (init, like, contract), data, backends)
    if setup is not None:
        contract = contract if isinstance(contract, (Contract, dict)) else None
        return _in_process(setup, None, None, None if contract is None else Contract.of(contract), budget, kind, options)
    promises = None if contract is None else Contract.of(contract)
    if isinstance(component, str) or backends is not None:
        target = component if isinstance(component, str) else importable(component)
        return _in_workers(target, installed(backends), budget, init=init, like=like, contract=promises, kind=kind, **options)
    return _in_process(component, init, like, promises, budget, kind, options)


def _setup(component: Any, positional: tuple[Any, ...], data: dict[str, Any], backends: Any) -> Any:
    """The `TrainingSetup` of a compiled model and its data; None for anything else."""
    given = [name for name, value in data.items() if value is not None]
    if isinstance(component, str) or "keras" not in sys.modules:
        if given:
            raise CannotCheck(
                f"`{given[0]}` belongs to a compiled model, kerasmith.check(model, x, y): give the model itself, or ask the "
                f"script that trains it, as `kerasmith check train.py`. Received: {component!r}"
            )
        return None
    from kerasmith.checks.engine import training_setup

    if not training_setup.is_model(component):
        training_setup.refuse_data(component, positional, data)
        return None
    setup = training_setup.setup_of(component, positional, data)
    if setup is not None and backends is not None:
        raise CannotCheck(
            "A model is asked in this process, on its own backend. Leave out `backends`; `kerasmith check train.py --backends "
            "jax,torch` runs the script that trains it on others."
        )
    return setup


def installed(backends: str | Sequence[str] | None = None) -> list[str]:
    """The backends to run on: those asked for, or all that are installed.

    Raises:
        CannotCheck: for one that does not exist or is not installed.
    """
    there = installed_backends()
    asked = list(there if backends is None else [backends] if isinstance(backends, str) else backends)
    unknown = [name for name in asked if name not in BACKENDS]
    if unknown or not asked:
        raise CannotCheck(f"`backends` must be some of {', '.join(BACKENDS)}. Received: {unknown or asked}")
    missing = [name for name in asked if name not in there]
    if missing:
        raise CannotCheck(f"Not installed: {', '.join(missing)}. Write `pip install {missing[0]}`.")
    return list(dict.fromkeys(asked))


def importable(component: Any) -> str:
    """`file:Name` under which another process can import a component.

    Raises:
        CannotCheck: if it was made in `__main__`, in a notebook or inside a function.
    """
    module = sys.modules.get(getattr(component, "__module__", None) or "")
    name = getattr(component, "__qualname__", None) if inspect.isclass(component) or inspect.isfunction(component) else None
    held = [key for key, value in vars(module).items() if value is component] if module is not None else []
    name = name if name in held or (name and "<locals>" not in name) else held[0] if held else None
    if name is None and hasattr(component, "terms" if hasattr(component, "quantities") else "asked"):
        from kerasmith.checks.engine.places import module_that_holds

        found = module_that_holds(component)
        module, name = (sys.modules[found[0]], found[1]) if found else (module, None)
    if module is None or module.__name__ == "__main__" or name is None or not getattr(module, "__file__", None):
        raise CannotCheck(
            "Checking on other backends needs a component that another process can import by a name: put it into a file of "
            f"its own, or leave out `backends`. Received: {component!r}"
        )
    return f"{module.__file__}:{name}" if module.__spec__ is None else f"{module.__name__}:{name}"


def _in_process(
    component: Any,
    init: dict[str, Any] | str | None,
    like: Any,
    contract: Contract | None,
    budget: float,
    kind: str | None,
    options: dict[str, Any],
) -> Report:
    from kerasmith.checks.engine import registry
    from kerasmith.checks.engine.examination import Examination
    from kerasmith.checks.engine.lazy_keras import backend
    from kerasmith.checks.engine.subject import subject_of
    from kerasmith.checks.engine.training_setup import SetupSubject, TrainingSetup

    start = time.monotonic()
    subject = SetupSubject(component) if isinstance(component, TrainingSetup) else subject_of(component, init, kind)
    examination = Examination(subject, like, contract, **options)
    one = budget / (registry.SHARE_OF_A_SETUP if isinstance(component, TrainingSetup) else registry.SHARE)
    records = list(examination.records(lambda: min(one, start + budget - time.monotonic())))
    return report_of(subject.name, {backend(): examination.answer(records, time.monotonic() - start)})


def _in_workers(
    target: str,
    backends: list[str],
    budget: float,
    *,
    init: dict[str, Any] | str | None,
    like: Any,
    contract: Contract | None,
    **options: Any,
) -> Report:
    from kerasmith.checks.engine.target import split
    from kerasmith.checks.engine.workers import reports_of

    if split(target)[1] is None:
        raise CannotCheck(
            f"`kerasmith.check` asks one component: write {target}:Name. The command `kerasmith check` takes whole files."
        )
    request = {
        "init": init,
        "like": _as_text(like),
        "contract": None if contract is None else dataclasses.asdict(contract),
        **options,
    }
    try:
        json.dumps(request)
    except TypeError as error:
        raise CannotCheck(f"What other processes are given must be plain numbers, texts, lists and dicts: {error}") from None
    (report,) = reports_of(target, backends, budget=float(budget), **request)
    if report.problem is not None:
        raise CannotCheck(report.problem)
    return report


def _as_text(like: Any) -> Any:
    """Specs as text, so that example arrays reach another process as what they look like."""
    from kerasmith.checks.engine.spec import map_specs, parse

    return None if like is None else map_specs(lambda one: str(parse(one)), like)


def _ids(name: str, given: str | Sequence[str] | None) -> list[str] | None:
    if given is None:
        return None
    ids = [given] if isinstance(given, str) else list(given)
    if not all(isinstance(id, str) and id for id in ids):
        raise CannotCheck(f"`{name}` must be ids of checks, such as ['L104']. Received: {given!r}")
    return ids
