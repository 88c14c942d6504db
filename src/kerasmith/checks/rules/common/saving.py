"""Saving and loading: as text, in a process of its own, and without being told the class."""

import inspect
import json
import os
import tempfile
from typing import Any

import numpy as np

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.comparison import differ, format_outputs, same_setting
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras, ops
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness import fresh_process
from kerasmith.checks.rules.common.arguments import revealing_arguments
from kerasmith.checks.rules.common.config import OTHER_CAUSES
from kerasmith.checks.rules.common.importable import custom_objects, is_registered, needed_objects, origins
from kerasmith.checks.rules.common.reproducers import again_with, comparison_lines

_KINDS = ("loss", "metric", "layer")


@check("X106", _KINDS, "error", requires=("base", "X102", "X104", "X107", "X110", "Y109"), needs_inputs=False, since="0.1.0")
def config_is_plain(case: Case) -> None:
    """The config holds something that cannot be saved, or that does not come back.

    A model file is JSON. Keras writes numbers, text, lists, dicts, its own objects, arrays and registered functions; tensors
    and arrays come back as dicts that `from_config` must turn into arrays again, bound methods and lambdas do not come back at
    all. The loss is noticed when the model is saved or loaded: after the training.

    Fix: put plain values in the config (`self.weights.tolist()`), functions by `keras.saving.serialize_keras_object` in
    `get_config` and `deserialize_keras_object` in `from_config`.
    """
    if case.subject.is_function:
        raise NotApplicable("a function has no config")
    component = case.make()
    objects = custom_objects(needed_objects(case.subject))
    lines = [
        "import json",
        f"text = json.dumps(keras.saving.serialize_keras_object({case.kind}))",
        f"print(keras.saving.deserialize_keras_object(json.loads(text), custom_objects={{{_custom_text(case, objects)}}}))",
    ]
    try:
        text = json.dumps(keras.saving.serialize_keras_object(component))
    except Exception as error:
        raise Failed("a config that can be written as JSON", describe_error(error), lines) from None
    try:
        loaded = keras.saving.deserialize_keras_object(json.loads(text), custom_objects=objects)
        before, after = component.get_config(), loaded.get_config()
    except Exception as error:
        raise Failed("the component comes back from JSON", describe_error(error), lines) from None
    for name in before:
        if not same_setting(before[name], after.get(name)):
            raise Failed(
                f"{name} comes back from JSON as {before[name]!r}"[:200],
                f"{after.get(name)!r}"[:200],
                [*lines[:2], f"print({case.kind}.get_config()[{name!r}])", f"print({lines[2][6:-1]}.get_config()[{name!r}])"],
            )


@check("X108", _KINDS, "error", requires=("base", "X102", "X104", "X106", "X110", *OTHER_CAUSES), since="0.1.0")
def loads_in_a_fresh_process(case: Case) -> None:
    """After saving and loading in a new process the component computes something else, or does not load.

    Loading in the process that has saved hides much: objects that are only there because the training script made them, state
    that is in no weight and no config, dict keys that JSON turns into text. Here a second process imports the component's
    module, loads what was saved, and computes on the same inputs.

    Fix: keep whatever decides the numbers in weights (`add_weight`) or in the config, in a form that JSON keeps (text for dict
    keys), and let `build` leave alone what is built already (`if not self.layer.built: self.layer.build(shape)`).
    """
    if case.subject.is_function:
        _function_is_found_again(case)
        return
    where = origins(needed_objects(case.subject))
    fresh_process.start_in_background()
    compare = _layer_file if case.kind == "layer" else _component_text
    arguments = revealing_arguments(case)
    if arguments:
        try:
            compare(case, arguments, where)
            return
        except Inconclusive:
            pass  # Each of them works alone, but not all together, or not everywhere.
    compare(case, {}, where)


def _component_text(case, arguments, where):
    try:
        component = case.make(**arguments)
        text = json.dumps(keras.saving.serialize_keras_object(component))
        here, again = case.outputs(component), case.outputs(case.make(**arguments))
    except Exception as error:
        raise Inconclusive(f"it does not run: {describe_error(error)}") from None
    lines = [
        *again_with(case, arguments),
        f"import json; text = json.dumps(keras.saving.serialize_keras_object({case.kind}))",
        f"loaded = keras.saving.deserialize_keras_object(json.loads(text), custom_objects={{{_custom_text(case)}}})",
        *comparison_lines(case, "loaded"),
    ]
    try:
        there = fresh_process.loaded_component_outputs(where, text, case)
    except fresh_process.LoadFailed as error:
        raise _does_not_load(error, lines) from None
    if differ(here, again):
        raise Inconclusive("two components with the same arguments give different numbers")
    if differ(here, there):
        raise Failed(f"the loaded {case.kind} computes {format_outputs(here)}", format_outputs(there), lines)


def _layer_file(case, arguments, where):
    try:
        model, inputs = model_around(case, case.make(**arguments))
        spread_weights(model)
        here, again = (_outputs(model, inputs) for _ in range(2))
    except Exception as error:
        raise Inconclusive(f"no Functional model can be made of it: {describe_error(error)}") from None
    lines = [
        *again_with(case, arguments),
        "x = keras.tree.map_structure(lambda a: keras.Input(a.shape[1:], dtype=str(a.dtype)), inputs)",
        "model = keras.Model(x, layer(x)); model.save('model.keras')",
        f"loaded = keras.saving.load_model('model.keras', custom_objects={{{_custom_text(case)}}})",
        "print(model(inputs))",
        "print(loaded(inputs))",
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.keras")
        try:
            model.save(file)
        except Exception as error:
            raise Failed("a model with it can be saved", describe_error(error), lines) from None
        try:
            outputs, weights = fresh_process.loaded_model_outputs(where, file, inputs)
        except fresh_process.LoadFailed as error:
            raise _does_not_load(error, lines) from None
    before = [case.number(weight) for weight in model.weights]
    if not differ(here, again) and differ(here, outputs):
        raise Failed(f"the loaded layer computes {format_outputs(here)}", format_outputs(outputs), lines)
    if differ(before, weights):
        raise Failed(f"the loaded layer has the weights {format_outputs(before)}", format_outputs(weights), lines)


def _does_not_load(error, lines):
    if error.stage == "import":
        return Inconclusive(f"the fresh process cannot import its module: {error.message}")
    done = "be loaded" if error.stage == "load" else "run after loading"
    return Failed(
        f"it can {done} in a process that has imported its module",
        error.message,
        lines,
        title="Does not load in a new process",
    )


def _outputs(model, inputs):
    return [np.asarray(keras.ops.convert_to_numpy(output), "float64") for output in keras.tree.flatten(model(inputs))]


def _function_is_found_again(case):
    """A function is saved as its name. What a closure holds is not."""
    function = case.subject.component
    if not inspect.isfunction(function) or is_registered(function):
        return
    lines = [f"print(keras.saving.serialize_keras_object({case.kind}))"]
    held = inspect.getclosurevars(function).nonlocals
    lost = {name: value for name, value in held.items() if _is_parameter(value)}
    if lost:
        values = ", ".join(f"{name}={value!r}" for name, value in lost.items())
        raise Failed(
            f"the saved {case.kind} holds {values}",
            f"it is saved as the name {function.__name__!r} alone: on loading, any function of that name takes its place",
            [*lines, f"print({case.kind}.__closure__[0].cell_contents)  # not in it"],
            title="A closure is saved without its parameters",
            severity="warning",
            fix="Write a class that takes the parameters in its constructor, or use `kerasmith.losses.from_function`.",
        )
    if function.__name__ == "<lambda>":
        raise Failed(
            "a function with a name",
            "a lambda, which Keras refuses to load",
            lines,
            title="A lambda is not loaded",
            severity="warning",
        )


def _is_parameter(value):
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_is_parameter, value))
    return isinstance(value, (bool, int, float, np.ndarray, np.generic))


@check("X109", _KINDS, "warning", requires=("X100", "X103"), needs_inputs=False, since="0.1.0")
def is_registered_with_keras(case: Case) -> None:
    """It loads only with `custom_objects`.

    Keras finds a class of one's own in a saved model only if the class is registered, or named by whoever loads it. A
    colleague who opens the file without knowing that gets "Could not locate class".

    Fix: put `@keras.saving.register_keras_serializable(package="my_package")` above the class or function; then importing its
    module is enough.
    """
    thing = case.subject.component if case.subject.is_function else case.subject.cls
    if not hasattr(thing, "__name__") or thing.__module__.partition(".")[0] == "keras":
        return
    if not is_registered(thing):
        place = case.kind if case.subject.is_function else f"type({case.kind})"
        raise Failed(
            f"{thing.__name__} is registered",
            "it is not",
            [f"print(keras.saving.get_registered_object(keras.saving.get_registered_name({place})))"],
        )


def _custom_text(case, objects=None):
    cls = case.subject.cls
    if (objects is not None and not objects) or (objects is None and is_registered(cls)):
        return ""
    return f"{cls.__name__!r}: type({case.kind})"


def model_around(case: Case, layer: Any) -> tuple[Any, list[np.ndarray]]:
    """(model, [array]): a model whose inputs are the flattened inputs of the case, without a mask.

    Raises:
        Exception: whatever the layer raises on symbolic inputs.
    """
    arrays = {name: value for name, value in case.inputs.items() if name != "mask"}
    symbols = keras.tree.map_structure(lambda array: keras.Input(array.shape[1:], dtype=str(array.dtype)), arrays)
    given = dict(symbols)
    outputs = layer(given.pop("inputs") if "inputs" in given else given.pop(next(iter(given))), **given)
    flat = keras.tree.flatten(arrays)
    return keras.Model(keras.tree.flatten(symbols), outputs), flat


def spread_weights(model: Any, seed: int = 7) -> None:
    """Moves each weight of floats upwards by its own small step: a weight that loads as its initial value shows."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if "float" in str(weight.dtype):
            values = np.asarray(ops.convert_to_numpy(weight), "float32")
            weight.assign(values + rng.uniform(0.02, 0.1, values.shape).astype("float32"))
