"""The process that has never seen a component."""

import json
import sys

import keras
import numpy as np
import pytest

from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import Inconclusive
from kerasmith.checks.engine.spec import parse
from kerasmith.checks.engine.subject import subject_of
from kerasmith.checks.engine.target import import_module
from kerasmith.checks.harness import fresh_process
from kerasmith.checks.harness.fresh_process import FreshProcess, LoadFailed, loaded_component_outputs, loaded_model_outputs
from kerasmith.checks.harness.fresh_process_server import decoded, encoded
from kerasmith.checks.rules.losses.case import LossCase

TEXT = """
import keras
from keras import ops

print("a component may print")


@keras.saving.register_keras_serializable(package="fresh_test")
class Scaled(keras.losses.Loss):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * ops.mean(ops.abs(y_true - y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A busy machine may take minutes to import a backend."""
    monkeypatch.setattr(fresh_process, "START", 600.0)


@pytest.fixture(autouse=True)
def _keep_path(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def scaled(tmp_path):
    """(case, place, text) of a loss in a file; its module is forgotten after the test."""
    file = tmp_path / "scaled_of_a_test.py"
    file.write_text(TEXT)
    cls = import_module(str(file)).Scaled
    case = LossCase(subject_of(cls, {"factor": 2.5}), Contract())
    case.specs = {"y_true": parse("float32[4,3](-2,2)"), "y_pred": parse("float32[4,3](-2,2)")}
    text = json.dumps(keras.saving.serialize_keras_object(case.make()))
    yield case, {"module": "scaled_of_a_test", "file": str(file), "name": "Scaled", "custom": False}, text
    del sys.modules["scaled_of_a_test"]


def test_a_loss_computes_the_same_there(scaled):
    case, place, text = scaled
    (there,) = loaded_component_outputs([place], text, case)
    np.testing.assert_allclose(there, case.outputs(case.make())[0], rtol=1e-5)


def test_each_request_imports_the_module_anew(scaled):
    case, place, text = scaled
    (first,) = loaded_component_outputs([place], text, case)
    with open(place["file"], "w") as file:
        file.write(TEXT.replace("return self.factor", "return 100.0 + self.factor"))
    (second,) = loaded_component_outputs([place], text, case)
    np.testing.assert_allclose(second, first + 100.0, rtol=1e-5)


def test_what_was_registered_is_forgotten(scaled):
    case, place, text = scaled
    loaded_component_outputs([place], text, case)
    with pytest.raises(LoadFailed, match="Scaled") as failed:
        loaded_component_outputs([], text, case)
    assert failed.value.stage == "load"


def test_a_failing_import_is_no_failing_load(scaled, tmp_path):
    case, place, text = scaled
    other = tmp_path / "failing_of_a_test.py"
    other.write_text("raise RuntimeError('not today')\n")
    with pytest.raises(LoadFailed, match="RuntimeError: not today") as failed:
        loaded_component_outputs([{**place, "module": "failing_of_a_test", "file": str(other)}], text, case)
    assert failed.value.stage == "import"


def test_a_model_computes_the_same_there(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, [keras.layers.Dense(2)(inputs), inputs * 2.0])
    file = str(tmp_path / "model.keras")
    model.save(file)
    given = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    outputs, weights = loaded_model_outputs([], file, [given])
    for here, there in zip(model(given), outputs):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(here), there, rtol=1e-5)
    for here, there in zip(model.weights, weights):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(here), there)


@pytest.mark.heavy("waits for a process that hangs", seconds=25)
def test_a_component_that_hangs_or_ends_the_process_harms_only_itself(scaled, tmp_path):
    case, place, text = scaled
    process = FreshProcess()
    asked = {"task": "component", "path": [], "text": text, "kind": "loss", "specs": encoded(case.specs), "seed": 7}
    other = tmp_path / "hanging_of_a_test.py"
    try:
        for body, seconds, message in (
            ("import time; time.sleep(60)", 1.0, "within 1 s"),
            ("import os; os._exit(3)", 60.0, "ended"),
        ):
            other.write_text(body + "\n")
            objects = [{**place, "module": "hanging_of_a_test", "file": str(other)}]
            with pytest.raises(Inconclusive, match=message):
                process.ask(seconds, objects=objects, answer=str(tmp_path / "answer.npz"), **asked)
        process.ask(60.0, objects=[place], answer=str(tmp_path / "answer.npz"), **asked)
        assert (tmp_path / "answer.npz").is_file()
        child = process._child
        child.close_input()  # What the end of this process does.
        assert child.wait(60) == 0
    finally:
        process.stop()


def test_specs_survive_to_the_last_digit():
    specs = {
        "inputs": [parse(np.array([0.123456789, -7.1], "float32")), {"a": parse("int32[4]{0,9}")}],
        "mask": parse("bool[4]"),
    }
    assert decoded(json.loads(json.dumps(encoded(specs)))) == specs
