"""The arguments of a constructor, other values for them that can be expected to work, and those that nothing reads."""

import ast
import inspect
import time
from typing import Any, NamedTuple

import numpy as np

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.comparison import differ, same_setting
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.class_syntax import class_trees, method
from kerasmith.checks.rules.common.reproducers import run_text

# What the base classes of Keras take: other checks ask for these.
BASE_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "loss": ("name", "reduction", "dtype"),
    "metric": ("name", "dtype"),
    "layer": ("name", "dtype", "trainable"),
}
_OF_LAYERS = ("activity_regularizer", "autocast", "input_shape", "batch_input_shape", "input_dtype", "weights")
# Trying values must not use up the time of a check.
SECONDS = 1.5
MOST_ARGUMENTS = 8


class Argument(NamedTuple):
    """One argument of a constructor.

    Attributes:
        name: of the argument.
        default: `inspect.Parameter.empty` if there is none.
        owner: the class whose `__init__` names it.
    """

    name: str
    default: Any
    owner: type


class Variation(NamedTuple):
    """A component with one argument changed.

    Attributes:
        argument, value: what was changed, and to what.
        outputs: of the changed component.
        shows: whether they differ from those of the original.
        kept: whether an attribute of the component holds the value.
    """

    argument: Argument
    value: Any
    outputs: list[Any]
    shows: bool
    retained: bool


def own_arguments(cls: type[Any]) -> list[Argument]:
    """[Argument] of a class without those of Keras' base classes; those of its bases too where it hands on `**kwargs`."""
    found, of_keras = {}, {*(name for names in BASE_ARGUMENTS.values() for name in names), *_OF_LAYERS}
    for owner in cls.__mro__:
        if "__init__" not in vars(owner):
            continue
        if owner in (keras.losses.Loss, keras.metrics.Metric, keras.layers.Layer, keras.callbacks.Callback, object):
            break
        parameters = list(inspect.signature(owner.__init__).parameters.values())[1:]
        for p in parameters:
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in of_keras:
                found.setdefault(p.name, Argument(p.name, p.default, owner))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return list(found.values())


def takes(cls: type[Any], name: str) -> bool:
    """Whether a constructor takes an argument of this name, by itself or as one of `**kwargs`."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in parameters)


def other_values(value: Any) -> list[Any]:
    """Values like `value`, the likeliest to work and to show first; [] for what has no obvious neighbour."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, 2 * value + 3, value - 1]
    if isinstance(value, float):
        return [round(0.6 * value + 0.05, 6), round(1.5 * value + 0.1, 6)]
    if isinstance(value, (list, tuple)) and value and all(isinstance(part, (int, float)) for part in value):
        return [type(value)(other_values(part)[0] for part in value)]
    if isinstance(value, dict) and value and all(isinstance(part, (int, float)) for part in value.values()):
        return [{key: other_values(part)[0] for key, part in value.items()}]
    return []


def variations(case: Case) -> list[Variation]:
    """[Variation] of a class, one per argument that could be changed; computed once per case."""
    if "variations" not in case.cache:
        case.cache["variations"] = [] if case.subject.cls is None or case.subject.is_instance else list(_varied(case))
    return case.cache["variations"]


def revealing_arguments(case: Case) -> dict[str, Any]:
    """{name: value} that differ from the constructor's defaults and show in the numbers: what must survive saving."""
    return {
        one.argument.name: one.value for one in variations(case) if one.shows and one.argument.name not in case.subject.init
    }


def _varied(case):
    end = time.process_time() + SECONDS
    original = case.make()
    reference = case.outputs(original)
    for argument in own_arguments(case.subject.cls)[:MOST_ARGUMENTS]:
        best = None
        for value in other_values(case.subject.init.get(argument.name, argument.default)):
            if time.process_time() > end:
                return
            one = _variation(case, original, reference, argument, value)
            if one is not None and (best is None or one.shows):
                best = one
            if best is not None and best.shows:
                break
        if best is not None:
            yield best


def _variation(case, original, reference, argument, value):
    try:
        changed = case.make(**{argument.name: value})
        retained = same_setting(attribute(changed, argument.name), value) and attribute(changed, argument.name) is not None
        outputs = outputs_with_weights_of(case, changed, original)
    except Exception:
        return None
    return Variation(argument, value, outputs, differ(outputs, reference), retained)


def attribute(component: Any, name: str) -> Any:
    """The attribute that holds an argument, None if there is none."""
    found = getattr(component, name, None)
    return getattr(component, f"_{name}", None) if found is None else found


def outputs_with_weights_of(case: Case, component: Any, original: Any) -> list[np.ndarray]:
    """`case.outputs` of a fresh component; a layer gets the weights of `original`, which has run, where their shapes agree."""
    outputs = case.outputs(component)
    if case.kind != "layer" or not original.weights:
        return outputs
    pairs = list(zip(component.weights, original.weights))
    if len(component.weights) != len(original.weights) or any(a.shape != b.shape for a, b in pairs):
        return outputs
    for own, other in pairs:
        own.assign(other)
    return case.outputs(component)


@check("X111", ("loss", "metric", "layer"), "error", requires=("base", "X102"), since="0.1.0")
def arguments_are_used(case: Case) -> None:
    """An argument of the constructor is never read.

    It is taken, and neither stored nor handed on: whatever the user gives, the component computes with something else, usually
    a constant that is written in its methods.

    Fix: keep it, `self.threshold = threshold`, use `self.threshold` where the constant stands, and put it into `get_config`.
    Or remove the argument.
    """
    if case.subject.is_function:
        raise NotApplicable("a function has no constructor")
    unread = [name for owner, tree in class_trees(case.subject.cls) for name in _unread(tree)]
    unread = [argument.name for argument in own_arguments(case.subject.cls) if argument.name in unread]
    if not unread:
        return
    tried = {one.argument.name: one for one in variations(case)}
    for name in unread:
        one = tried.get(name)
        if one is not None and (one.shows or one.retained):
            continue
        setting = f"{name}={'...' if one is None else repr(one.value)}"
        raise Failed(
            f"{setting} changes something",
            f"the constructor never reads `{name}`" + ("" if one is None else ", and the numbers stay the same"),
            _lines(case, one),
            severity="warning" if one is None else None,
        )


def _lines(case, one):
    if one is None:
        return []
    given = ", ".join(f"{key}={value!r}" for key, value in {**case.subject.init, one.argument.name: one.value}.items())
    return [f"other = type({case.kind})({given})", f"print({run_text(case, case.kind)})", f"print({run_text(case, 'other')})"]


def _unread(tree):
    """Names of arguments that `__init__` takes and never mentions again."""
    init = method(tree, "__init__")
    if init is None:
        return []
    arguments = [argument.arg for argument in [*init.args.args[1:], *init.args.kwonlyargs]]
    mentioned = {node.id for part in init.body for node in ast.walk(part) if isinstance(node, ast.Name)}
    if "locals" in mentioned:
        return []
    return [name for name in arguments if name not in mentioned and not name.startswith("_")]
