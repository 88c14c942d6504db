"""A whole training set-up: a compiled model, the data, and what else `fit` is given."""

import dataclasses
import inspect
import sys
from typing import Any, NamedTuple

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import CannotCheck, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras
from kerasmith.checks.engine.places import location, module_that_holds
from kerasmith.checks.engine.target import parts_of_problem

# Questions that may train for some steps: those about scales, and from T175 on all but a few.
_TRAINING = ("T161", "T162", "T163")
_FIRST_TRAINING, _STILL = "T175", ("T177", "T182", "T191", "T192")


@dataclasses.dataclass(frozen=True)
class FitArguments:
    """What `fit` is told besides the data; the defaults are Keras'."""

    batch_size: int | None = None
    epochs: int = 1
    shuffle: bool = True
    class_weight: dict[int, float] | None = None
    validation_split: float = 0.0
    callbacks: tuple[Any, ...] = ()
    steps_per_epoch: int | None = None
    initial_epoch: int = 0
    validation_batch_size: int | None = None
    validation_steps: int | None = None


class Place(NamedTuple):
    """A line of the user's: where something was made or called."""

    file: str
    line: int
    text: str = ""


@dataclasses.dataclass
class TrainingSetup:
    """What a training would run on.

    Attributes:
        model: compiled.
        x, y, sample_weight, validation_data: as `fit` takes them; None where there are none.
        fit: the other arguments.
        places: {"fit": `Place`, "compile": `Place`, id of a layer or metric: `Place`}, of those that are known.
    """

    model: Any
    x: Any = None
    y: Any = None
    sample_weight: Any = None
    validation_data: Any = None
    fit: FitArguments = dataclasses.field(default_factory=FitArguments)
    places: dict[Any, Place] = dataclasses.field(default_factory=dict)


class SetupSubject:
    """A training set-up as a subject, with what `Subject` has: never copied, and left as it was (see `SetupCase`).

    Args:
        setup: the set-up.
        name: as it is printed.
    """

    kind: str = "setup"
    is_function: bool = False
    is_instance: bool = True
    factory: None = None

    def __init__(self, setup: TrainingSetup, name: str | None = None) -> None:
        self.setup: TrainingSetup = setup
        self.component: Any = setup.model
        self.init: dict[str, Any] = {}
        self.cls: type[Any] | None = type(setup.model)
        self.file: str | None
        self.line: int | None
        self.name: str = name or setup.model.name
        place = setup.places.get("fit") or setup.places.get("compile")
        own = type(setup.model).__module__.partition(".")[0] not in ("keras", "kerasmith")
        self.file, self.line = (place.file, place.line) if place else location(self.cls) if own else (None, None)

    def make(self, **changed: Any) -> Any:
        """The model itself."""
        if changed:
            raise NotApplicable("a model is taken as it is")
        return self.component

    def source(self) -> tuple[str, int]:
        """There is none of a whole set-up."""
        raise NotApplicable("a set-up has no source of its own")

    def setup_lines(self) -> list[str]:
        """The first lines of a reproducer: it is put into the script, before `fit`."""
        place = self.setup.places.get("fit")
        where = f"{place.file}:{place.line}, before `fit`" if place else "before `model.fit(x, y, ...)`"
        return [f"# {where} (on {backend()}):", "import keras, numpy as np"]


def structural_questions() -> list[str]:
    """The ids of those that train nothing."""
    asked = [id for id, one in registry.load().items() if "setup" in one.kinds]
    return [id for id in asked if id in _STILL or (id < _FIRST_TRAINING and id not in _TRAINING)]


def setup_of_model(model: Any, name: str | None = None) -> SetupSubject:
    """The subject of a compiled model alone, with the data that stand beside it in its module under usual names.

    Raises:
        CannotCheck: for a model that is not compiled.
    """
    require_compiled(model)
    home = module_that_holds(model)
    beside = {} if home is None else vars(sys.modules[home[0]])
    pairs = [(f"{x}{end}", f"{y}{end}") for x, y in (("x", "y"), ("X", "y"), ("X", "Y")) for end in ("_train", "")]
    x, y = next((pair for pair in pairs if all(hasattr(beside.get(one), "shape") for one in pair)), (None, None))
    return SetupSubject(TrainingSetup(model, beside.get(x), beside.get(y)), name)


def is_model(component: Any) -> bool:
    """Whether a component is a model of Keras, no class."""
    return not inspect.isclass(component) and isinstance(component, keras.Model)


def require_compiled(model: Any) -> None:
    """Refuses a model without `compile`.

    Raises:
        CannotCheck: with what to write.
    """
    if not getattr(model, "compiled", False):
        raise CannotCheck(
            f"The model {model.name!r} is not compiled: write `model.compile(optimizer, loss)` first, as before `fit`. What "
            "is checked is the model together with its loss, its metrics and its data."
        )


def setup_of(model: Any, positional: tuple[Any, ...], data: dict[str, Any]) -> TrainingSetup | None:
    """The set-up of a model and the arguments of its `fit`; None for a model without data that brings its own points.

    Args:
        model: a model of Keras.
        positional: what stands behind the model without a name: x, y, weights of samples.
        data: {name: value} of the arguments of `fit`; None for what was left out.

    Raises:
        CannotCheck: for a model that is not compiled, for what is given twice.
    """
    found = dict(data)
    for name, value in zip(("x", "y", "sample_weight"), positional):
        if value is None or (name == "sample_weight" and isinstance(value, (Contract, dict))):
            continue
        if found[name] is not None:
            raise CannotCheck(f"`{name}` was given twice: behind the model and as {name}=...")
        found[name] = value
    if all(value is None for value in found.values()) and parts_of_problem(model):
        return None
    require_compiled(model)
    if found["x"] is None and any(found[name] is not None for name in ("y", "sample_weight", "validation_data")):
        raise CannotCheck("`y`, weights and validation data come with `x`: kerasmith.check(model, x, y).")
    _require_fit_arguments(found)
    own = {name: found.pop(name) for name in ("x", "y", "sample_weight", "validation_data")}
    callbacks = found.pop("callbacks")
    callbacks = callbacks if isinstance(callbacks, (list, tuple)) else [] if callbacks is None else [callbacks]
    fit = {name: value for name, value in found.items() if value is not None}
    return TrainingSetup(model, **own, fit=FitArguments(callbacks=tuple(callbacks), **fit))


def _require_fit_arguments(found: dict[str, Any]) -> None:
    share, size, weights = (found.get(name) for name in ("validation_split", "batch_size", "class_weight"))
    if share is not None and not (isinstance(share, (int, float)) and 0 <= share < 1):
        raise CannotCheck(f"`validation_split` must be a share of the samples, from 0 to below 1. Received: {share!r}")
    if size is not None and not (hasattr(size, "__index__") and not isinstance(size, bool) and int(size) > 0):
        raise CannotCheck(f"`batch_size` must be a whole number of samples. Received: {size!r}")
    if weights is not None and not (isinstance(weights, dict) and all(map(_is_number, weights.values()))):
        raise CannotCheck(f"`class_weight` must be a dict of numbers, such as {{0: 1.0, 1: 5.0}}. Received: {weights!r}")
    if weights and found.get("sample_weight") is not None:
        raise CannotCheck("`fit` takes `class_weight` or `sample_weight`, not both: multiply the weights of samples.")


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, str)


def refuse_data(component: Any, positional: tuple[Any, ...], data: dict[str, Any]) -> None:
    """Refuses arguments of `fit` beside what is no model.

    Args:
        component: what `kerasmith.check` was given.
        positional: what stands behind it without a name: `init`, `like` and `contract` of a part.
        data: {name: value} of the arguments of `fit`; None for what was left out.

    Raises:
        CannotCheck: with what to write.
    """
    listed = [f"`{name}`" for name, value in data.items() if value is not None]
    if positional[0] is not None and not isinstance(positional[0], (dict, str)):
        listed.insert(0, "data")
    if not listed:
        return
    is_class = inspect.isclass(component) and issubclass(component, keras.Model)
    what = f"the class {component.__name__}" if inspect.isclass(component) else f"a {type(component).__name__}"
    raise CannotCheck(
        f"{', '.join(listed)} {'belong' if len(listed) > 1 or listed == ['data'] else 'belongs'} to a compiled model: "
        "kerasmith.check(model, x, y). "
        + ("Give an instance of it, compiled. " if is_class else "A part is asked with like={...}, or finds its own inputs. ")
        + f"Received: {what}"
    )
