"""Run alone and as one of several processes, `REQUEST ANSWERS`: trains with one part and writes the numbers that come out.

The model multiplies what it is given, predictions as the part wants them, by a weight of 1 for each number of a sample: the
weight after training shows the gradient, and what the part is given in the first step is what was drawn.
"""

import json
import os
import pathlib
import sys
from typing import Any

# Small enough that predictions stay in their range.
_RATE = 1e-3
_EPOCHS = 2


def main(request: str, answers: str) -> None:
    """Writes RANK.json into the folder `answers`."""
    # Instead of the folder of this file, whose neighbours would hide modules of Python.
    sys.path[0] = os.getcwd()
    from kerasmith.distribution import setup

    place = setup()
    asked = json.loads(pathlib.Path(request).read_text())
    file = pathlib.Path(answers, f"{place.rank}.json")
    try:
        found = _numbers(asked)
    except Exception as problem:
        if place.count > 1:
            raise
        found = _why_not(problem)
    file.write_text(json.dumps(found))


def _why_not(problem):
    from kerasmith.checks.engine.finding import CannotCheck, Inconclusive, NotApplicable
    from kerasmith.checks.engine.messages import describe_error

    if isinstance(problem, NotApplicable):
        return {"outcome": "not applicable", "why": str(problem)}
    if isinstance(problem, CannotCheck):
        return {"outcome": "cannot", "why": str(problem)}
    why = str(problem) if isinstance(problem, Inconclusive) else describe_error(problem)
    return {"outcome": "inconclusive", "why": why}


def _numbers(asked):
    """What one training with the part gives."""
    from kerasmith.checks.engine.case import case_of
    from kerasmith.checks.engine.contract import Contract
    from kerasmith.checks.engine.finding import Inconclusive, NotApplicable
    from kerasmith.checks.engine.inference import set_inputs
    from kerasmith.checks.engine.subject import subject_of
    from kerasmith.checks.engine.target import components

    ((label, component),) = components(asked["target"])
    subject = subject_of(component, asked["init"], asked["kind"], label)
    if subject.kind not in ("loss", "metric"):
        raise NotApplicable(f"several processes are asked of losses and metrics; this is a {subject.kind}")
    contract = Contract.of_subject(asked["contract"], subject.component)
    for name in ("replicas", "deterministic", *(["stateful"] if subject.kind == "loss" else [])):
        contract.require(name)
    case = case_of(subject, contract, asked["seed"])
    set_inputs(case, asked["like"])
    if any(isinstance(specs, (dict, list)) for specs in case.specs.values()) or set(case.specs) != {"y_true", "y_pred"}:
        raise NotApplicable("the inputs are not one array of labels and one of predictions")
    if case.specs["y_pred"].shape[0] < 3:
        raise NotApplicable("fewer than three samples have no unequal shares")
    if not str(case.specs["y_pred"].dtype).startswith("float"):
        raise NotApplicable("predictions are whole numbers, which no layer gives")
    if subject.kind == "metric" and case.takes_values:
        raise NotApplicable("`compile` gives a metric labels and predictions, and this one takes values")
    found = _trained(case, subject.kind)
    again = _trained(case, subject.kind)
    if found != again:
        raise Inconclusive("two trainings in this process differ, so that those of several cannot be compared")
    specs = {name: str(spec) for name, spec in case.specs.items()}
    about = {"kind": subject.kind, "file": subject.file, "line": subject.line, "inputs": case.describe()}
    about |= {"contract": contract.exceptions(), "name": subject.name, "lines": case.lines()}
    return {**found, "specs": specs, **about}


def _trained(case, kind) -> dict[str, Any]:
    import keras
    import numpy as np

    first, second = case.draw(0), case.draw(1)
    batch = len(first["y_pred"])
    # The last batch is smaller, and no two processes share it equally.
    short = batch - 1 if batch % 2 == 0 else batch - 2
    true, given = (np.concatenate([first[name], second[name][:short]]) for name in ("y_true", "y_pred"))
    keras.utils.set_random_seed(case.seed)
    inputs = keras.Input(given.shape[1:], dtype=str(given.dtype))
    model = keras.Model(inputs, _weighted(str(given.dtype))(inputs))
    if kind == "loss":
        model.compile(keras.optimizers.SGD(_RATE), case.make(), jit_compile=False)
    else:
        # Weights that stay: a metric has no part in the training.
        metric = case.metric()
        model.compile(
            keras.optimizers.SGD(0.0), lambda y_true, y_pred: keras.ops.sum(y_pred), metrics=[metric], jit_compile=False
        )
    history = model.fit(true, given, batch_size=batch, epochs=_EPOCHS, shuffle=False, verbose=0).history
    evaluated = model.evaluate(true[:-1], given[:-1], batch_size=batch, verbose=0, return_dict=True)
    moved = (np.concatenate([np.ravel(one) for one in model.get_weights()]) - 1.0) if kind == "loss" else np.zeros(0)
    columns = {name: [_numbers_of(value) for value in values] for name, values in history.items()}
    columns |= {f"evaluate: {name}": [_numbers_of(value)] for name, value in evaluated.items()}
    if kind == "metric":
        columns = {name: values for name, values in columns.items() if name.rpartition(" ")[2] != "loss"}
    return {"moved": moved.astype("float64").tolist(), "columns": columns}


def _numbers_of(value):
    import numpy as np

    return np.asarray(value, "float64").tolist()


def _weighted(dtype):
    import keras

    class Weighted(keras.layers.Layer):
        """Multiplies each number of a sample by a weight of its own."""

        def build(self, shape: Any) -> None:
            self.factor = self.add_weight(name="factor", shape=tuple(shape[1:]), initializer="ones")

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor

    return Weighted(dtype=dtype)


if __name__ == "__main__":
    main(*sys.argv[1:3])
