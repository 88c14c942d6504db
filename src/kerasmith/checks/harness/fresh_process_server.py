"""The child of `fresh_process`: loads what was saved as a program would that has only imported the component's module.

Reads a request per line of JSON and answers with a line. Keras is imported once; the modules of the component are imported for
each request and forgotten after it, together with what they registered.
"""

import importlib
import importlib.util
import json
import os
import pathlib
import sys
import sysconfig
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith.checks.engine.lazy_keras import backend
from kerasmith.checks.engine.messages import describe_error
from kerasmith.keras_internals.quick_import import import_keras
from kerasmith.keras_internals.without_tensorflow import without_tensorflow


def main() -> None:
    """Answers until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # What a component prints must not stand between the answers.
    import_keras()
    import keras

    keras.ops.zeros(1)  # The backend, not only its name, is there from now on.
    answers.write(json.dumps({"id": None}) + "\n")
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps({"id": request["id"], **answer(request)}) + "\n")


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """{"error": None} after writing the arrays, or {"error": text, "stage": "import", "load" or "run"}."""
    stage = ["import"]
    modules, path, before = set(sys.modules), list(sys.path), _registered()
    try:
        sys.path[:] = [*request["path"], *(p for p in path if p not in request["path"])]
        found = [(part, _found(part["module"], part["file"], part["name"])) for part in request["objects"]]
        objects = {part["name"].split(".")[-1]: thing for part, thing in found if part["custom"]}
        stage[0] = "load"
        with without_tensorflow(backend()):
            _ANSWERS[request["task"]](request, objects, stage)
    except Exception as error:
        return {"error": describe_error(error), "stage": stage[0]}
    finally:
        sys.path[:] = path
        _forget(set(sys.modules) - modules, before)
    return {"error": None}


def _found(module: str, file: str | None, name: str) -> Any:
    """The object `name` of a module, imported under the name that it has in the parent, from the same file."""
    try:
        found = importlib.import_module(module)
    except ImportError:
        found = None
    if file is not None and (found is None or pathlib.Path(found.__file__ or "").resolve() != pathlib.Path(file).resolve()):
        spec = importlib.util.spec_from_file_location(module, file)
        found = sys.modules[module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
    if found is None:
        raise ImportError(f"no module named {module!r}")
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _component(request: dict[str, Any], objects: dict[str, Any], stage: list[str]) -> None:
    """Deserialises a loss or metric and computes on the inputs that the parent computes on."""
    import keras

    from kerasmith.checks.engine.case import case_of
    from kerasmith.checks.engine.contract import Contract
    from kerasmith.checks.engine.subject import Subject

    component = keras.saving.deserialize_keras_object(json.loads(request["text"]), custom_objects=objects)
    stage[0] = "run"
    case = case_of(Subject(type(component), request["kind"], type(component).__name__, {}), Contract(), request["seed"])
    case.specs = decoded(request["specs"])
    _write(request["answer"], case.outputs(component), ())


def _model(request: dict[str, Any], objects: dict[str, Any], stage: list[str]) -> None:
    """Loads a model and computes on the arrays that the parent has written."""
    import keras

    model = keras.saving.load_model(request["file"], custom_objects=objects, compile=False)
    stage[0] = "run"
    with np.load(request["inputs"]) as arrays:
        inputs = [arrays[f"input_{index}"] for index in range(len(arrays.files))]
    # Before it runs: a layer may change its state.
    weights = [np.array(keras.ops.convert_to_numpy(weight)) for weight in model.weights]
    outputs = [keras.ops.convert_to_numpy(output) for output in keras.tree.flatten(model(inputs))]
    _write(request["answer"], outputs, weights)


_ANSWERS = {"component": _component, "model": _model}


def _write(file: str, outputs: Sequence[Any], weights: Sequence[Any]) -> None:
    named = {f"output_{index}": array for index, array in enumerate(outputs)}
    np.savez(file, **named, **{f"weight_{index}": array for index, array in enumerate(weights)})


def encoded(specs: Any) -> dict[str, Any]:
    """Nested `Spec`s as JSON, to the last digit."""
    if isinstance(specs, dict):
        return {"dict": {key: encoded(value) for key, value in specs.items()}}
    if isinstance(specs, list):
        return {"list": [encoded(value) for value in specs]}
    return {"spec": list(specs)}


def decoded(coded: dict[str, Any]) -> Any:
    """The inverse of `encoded`."""
    from kerasmith.checks.engine.spec import Spec

    if "dict" in coded:
        return {key: decoded(value) for key, value in coded["dict"].items()}
    if "list" in coded:
        return [decoded(value) for value in coded["list"]]
    dtype, shape, domain = coded["spec"]
    return Spec(dtype, tuple(shape), None if domain is None else tuple(domain))


def _registered() -> dict[str, Any]:
    import keras

    return dict(keras.saving.get_custom_objects())


def _forget(modules: set[str], before: dict[str, Any]) -> None:
    """Removes the user's modules, and what they registered; installed ones stay, as many cannot be imported twice."""
    import keras

    gone = {name for name in modules if not _is_installed(name, sys.modules.get(name))}
    for name in gone:
        sys.modules.pop(name, None)
    registry = keras.saving.get_custom_objects()
    remaining = {name: value for name, value in registry.items() if getattr(value, "__module__", None) not in gone}
    registry.clear()
    registry.update({**remaining, **before})


def _is_installed(name: str, module: Any) -> bool:
    if name.partition(".")[0] == "kerasmith":
        return True
    file = getattr(module, "__file__", None)
    if file is None:
        # Built in, or a namespace package: the latter is imported again at no cost.
        return not hasattr(module, "__path__")
    places = [sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    return any(pathlib.Path(file).resolve().is_relative_to(pathlib.Path(place).resolve()) for place in places)


if __name__ == "__main__":
    main()
