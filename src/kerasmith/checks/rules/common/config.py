"""`get_config` and `from_config`: what they keep, and what they do to the dict that they get."""

import time

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.comparison import copied, differ, format_outputs, same_setting
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.messages import describe_error, first_line
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.common.arguments import SECONDS, attribute, outputs_with_weights_of, own_arguments, variations
from kerasmith.checks.rules.common.reproducers import again_with, comparison_lines

_KINDS = ("loss", "metric", "layer")
# Faults that make the clone differ for another reason, which they name.
OTHER_CAUSES = ("Y101", "Y102", "Y109", "Y118", "Y121")


@check("X104", _KINDS, "error", requires=("base", "X102", "X110", *OTHER_CAUSES), since="0.1.0")
def config_is_complete(case: Case) -> None:
    """An argument is missing from `get_config`: a loaded component computes something else.

    Keras saves a component as its config and builds it anew from that. An argument that is not in the config falls back to its
    default when the model is loaded, without a word: the loss or metric then has other numbers than the one that was trained
    with.

    Fix: add each argument, `return {**super().get_config(), "gamma": self.gamma}`.
    """
    _require_class(case)
    names = [argument.name for argument in own_arguments(case.subject.cls)]
    original, copy = case.make(), case.make()
    reference = case.outputs(original)
    steady = not differ(reference, outputs_with_weights_of(case, copy, original))
    seen = bool(set(names) & set(case.subject.init)) or case.subject.is_instance
    _compare(case, {}, original, reference if steady else None, names)
    end = time.process_time() + SECONDS
    for one in variations(case):
        seen = seen or (one.shows and steady) or one.retained
        if ((one.shows and steady) or one.retained) and time.process_time() < end:
            changed = {one.argument.name: one.value}
            component = case.make(**changed)
            outputs = outputs_with_weights_of(case, component, original)
            _compare(case, changed, component, outputs if steady else None, [one.argument.name])
    if names and not seen:
        raise Inconclusive(f"no other value of {', '.join(names)} was found that shows")


def _compare(case, changed, component, outputs, names):
    """Raises if the clone of a component that has run differs from it; its own config is that of a component that has not."""
    fresh = case.make(**changed)
    clone = _clone(case, fresh, changed)
    lines = [*again_with(case, changed), f"clone = type({case.kind}).from_config({case.kind}.get_config())"]
    lost = [name for name in names if not _is_retained(fresh, clone, case.make(**changed), name)]
    what = ", ".join(f"{name}={attribute(fresh, name)!r}" for name in lost) or ", ".join(
        f"{k}={v!r}" for k, v in changed.items()
    )
    if outputs is not None:
        try:
            cloned = outputs_with_weights_of(case, clone, component)
        except Exception as error:
            raise Inconclusive(f"the clone raises {type(error).__name__}: {error}") from None
        if differ(outputs, cloned):
            raise Failed(
                f"the clone computes the same{' with ' + what if what else ''}: {format_outputs(outputs)}",
                format_outputs(cloned),
                [*lines, *comparison_lines(case, "clone")],
                fix=_what_to_add(case, fresh),
            )
    if lost:
        name = lost[0]
        held = name if getattr(fresh, name, None) is not None else f"_{name}"
        raise Failed(
            f"the clone has {what}",
            f"{name} is {attribute(clone, name)!r}",
            [*lines, f"print({case.kind}.{held}, clone.{held})"],
            severity="warning",
            fix=_what_to_add(case, fresh),
        )


def _what_to_add(case, component):
    """The lines that this class lacks: the arguments of its constructor that its config does not have."""
    config = component.get_config()
    missing = [argument.name for argument in own_arguments(case.subject.cls) if argument.name not in config]
    if not missing:
        return None
    held = {name: name if getattr(component, name, None) is not None else f"_{name}" for name in missing}
    unkept = [name for name in missing if not hasattr(component, held[name])]
    pairs = ", ".join(f'"{name}": self.{name if name in unkept else held[name]}' for name in missing)
    before = "".join(f"`self.{name} = {name}` in `__init__`; " for name in unkept)
    line = "return {**super().get_config(), " + pairs + "}"
    return f"{before}`def get_config(self): {line}`: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing."


def _clone(case, component, changed):
    lines = [*again_with(case, changed), f"print(type({case.kind}).from_config({case.kind}.get_config()))"]
    try:
        config = component.get_config()
    except Exception as error:
        text = describe_error(error)
        raise Failed("get_config() returns a dict", text, lines, title="`get_config` raises", severity="warning") from None
    try:
        return type(component).from_config(config)
    except TypeError as error:
        if "argument" not in str(error):
            raise Inconclusive(f"from_config raises {first_line(error)}") from None
        actual, fix = f"TypeError: {first_line(error)}", _what_to_add(case, component)
        raise Failed("a config that the constructor accepts", actual, lines, fix=fix) from None
    except Exception as error:
        raise Inconclusive(f"from_config raises {describe_error(error)}") from None


def _is_retained(component, clone, copy, name):
    """Whether the clone holds the same argument; one that two equal components do not share says nothing."""
    value = attribute(component, name)
    if value is None or isinstance(value, keras.regularizers.Regularizer) or not same_setting(value, attribute(copy, name)):
        return True
    return same_setting(value, attribute(clone, name))


@check("X105", _KINDS, "warning", requires=("X102", "X104"), needs_inputs=False, since="0.1.0")
def dtype_is_in_config(case: Case) -> None:
    """The dtype is lost by `get_config`.

    A metric or layer that was made with `dtype=` computes in the default dtype after loading: a metric in float32 again
    instead of float64, the output layer of a mixed precision model in float16 instead of float32.

    Fix: begin the config with that of the base class: `return {**super().get_config(), ...}`.
    """
    _require_class(case)
    if case.kind == "loss" and "dtype" not in type("Plain", (keras.losses.Loss,), {})().get_config():
        raise NotApplicable("the config of Keras' own Loss has no dtype")
    dtype = "mixed_bfloat16" if case.kind == "layer" else "float16"
    try:
        component = case.make(dtype=dtype)
    except Exception as error:
        raise Inconclusive(f"dtype={dtype!r} raises {describe_error(error)}") from None
    if _dtype(component) != dtype:
        raise NotApplicable(f"it does not take dtype={dtype!r}")
    clone = _clone(case, component, {"dtype": dtype})
    if _dtype(clone) != dtype:
        place = "dtype_policy.name" if case.kind == "layer" else "dtype"
        raise Failed(
            f"the clone has dtype {dtype}",
            str(_dtype(clone)),
            [*again_with(case, {"dtype": dtype}), f"print(type({case.kind}).from_config({case.kind}.get_config()).{place})"],
        )


def _dtype(component):
    policy = getattr(component, "dtype_policy", None)
    return component.dtype if policy is None or not isinstance(component, keras.layers.Layer) else policy.name


@check("X107", _KINDS, "warning", requires=("X100", "X102", "X103"), needs_inputs=False, since="0.1.0")
def config_is_left_alone(case: Case) -> None:
    """`from_config` changes the dict that it is given, or `get_config` hands out the component's own lists.

    `from_config` that takes entries out (`config.pop`) works once: whoever builds a second component of the same config, as
    `clone_model` and hyperparameter searches do, silently gets the default. A list or dict of the component itself in the
    config is changed together with it.

    Fix: work on a copy, `config = dict(config)`, and return copies of lists and dicts from `get_config`.
    """
    _require_class(case)
    component = case.make()
    try:
        config = component.get_config()
        before = copied(config)
        type(component).from_config(config)
    except Exception as error:
        raise Inconclusive(describe_error(error)) from None
    if set(config) != set(before) or not same_setting(config, before):
        gone = sorted(set(before) - set(config)) or sorted(
            key for key in config if not same_setting(config[key], before.get(key))
        )
        raise Failed(
            "from_config leaves its argument as it is",
            f"afterwards {', '.join(map(repr, gone))} is missing or changed",
            [
                f"config = {case.kind}.get_config(); before = dict(config)",
                f"type({case.kind}).from_config(config)",
                "print(before, config)",
            ],
        )
    for name, value in component.get_config().items():
        if type(value) not in (list, dict):
            continue
        before = copied(value)
        _add_to(value)
        own = component.get_config().get(name)
        if not same_setting(own, before):
            raise Failed(
                f"a copy of {name} in the config",
                f"{name} itself: changing the config changes the {case.kind}",
                [f"{case.kind}.get_config()[{name!r}].clear()", f"print({case.kind}.get_config()[{name!r}])"],
                severity="note",
                title="`get_config` hands out the component's own list or dict",
            )


def _add_to(value):
    if isinstance(value, list):
        value.append(None)
    else:
        value["added"] = None


def _require_class(case):
    if case.subject.is_function:
        raise NotApplicable("a function has no config")
