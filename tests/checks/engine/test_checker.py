"""`kerasmith.check`: what it takes, what it answers, and what it refuses before anything runs."""

import keras
import numpy as np
import pytest
from keras import ops

import kerasmith
from kerasmith.checks.engine.target import usual_kind


@keras.saving.register_keras_serializable(package="test_bench")
class ScaledError(keras.losses.Loss):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * ops.mean(ops.square(y_true - y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class NeedsAlpha(ScaledError):
    def __init__(self, alpha, **kwargs):
        super().__init__(**kwargs)


class Refuses(ScaledError):
    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        if alpha < 0:
            raise ValueError("alpha is negative")


def whole_batch(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))


def make_scaled():
    return ScaledError(2.0)


def make_function(power=2):
    def loss(y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred) ** power, axis=-1)

    return loss


def make_nothing():
    return 3


REGRESSION = {"y_true": "float32[4,3](-2,2)", "y_pred": "float32[4,3](-2,2)"}


def check(component, **options):
    report = kerasmith.check(component, **{"like": REGRESSION, "select": ["L104", "X104"], **options})
    assert sum(report.outcomes.values()) == report.planned
    return report


@pytest.mark.parametrize("component", [ScaledError, ScaledError(2.0), ScaledError().call])
def test_classes_instances_and_bound_functions(component):
    report = check(component)
    assert report.ok, str(report)
    assert report.findings == []


@pytest.mark.parametrize("factory", [make_scaled, make_function])
def test_a_factory_is_asked_for_what_it_returns(factory):
    report = check(factory)
    assert report.ok, str(report)
    assert report.subject == factory.__name__


def test_a_class_is_made_by_a_factory():
    assert check(ScaledError, init=f"{__name__}:make_scaled", select=["L104"]).ok
    for wrong, message in (("make_nothing", "must return a ScaledError"), ("make_function", "must return a ScaledError")):
        with pytest.raises(ValueError, match=message):
            check(ScaledError, init=f"{__name__}:{wrong}")


def test_the_name_of_a_function_says_what_it_is():
    assert usual_kind(make_nothing) == "loss"
    for name, kind in (("top_k_accuracy", "metric"), ("f1", "metric"), ("accuracy_loss", "loss"), ("absolute_error", "loss")):
        function = lambda y_true, y_pred: y_pred  # noqa: E731
        function.__name__ = name
        assert usual_kind(function) == kind


def test_a_function_and_a_closure_with_a_fault():
    assert [finding.id for finding in check(whole_batch).findings] == ["L104"]
    assert not check(lambda y_true, y_pred: whole_batch(y_true, y_pred)).ok


def test_example_arrays_are_specs():
    like = {"y_true": np.tile([0.0, 1.0], (5, 1)), "y_pred": np.random.default_rng(0).random((5, 2), "float32")}
    report = check(ScaledError, like=like)
    assert report.inputs == "y_true=float64[5,2]onehot y_pred=float32[5,2](0,1)"
    assert not report.inferred


def test_inputs_are_found_and_named():
    report = check(ScaledError, like=None)
    assert report.inferred
    assert "y_true=" in report.inputs


def test_a_contract_names_what_is_meant():
    report = check(whole_batch, contract=kerasmith.Contract(per_sample=False))
    assert report.ok
    assert report.contract == ["per_sample=False"]
    assert report.outcomes["not applicable"] >= 1


def test_a_component_declares_its_own_exceptions():
    class Declared(keras.losses.Loss):
        kerasmith_contract = {"per_sample": False}

        def call(self, y_true, y_pred):
            return whole_batch(y_true, y_pred)

    report = check(Declared, select=["L104"])
    assert report.ok
    assert report.contract == ["per_sample=False"]
    assert not check(Declared, select=["L104"], contract={}).ok
    assert kerasmith.losses.NTXent.kerasmith_contract == kerasmith.losses.nt_xent.kerasmith_contract


def test_report_as_text():
    text = str(check(whole_batch))
    assert "L104" in text
    assert "planned" in text


@pytest.mark.parametrize(
    ("component", "options", "message"),
    [
        (3, {}, "can be checked"),
        (keras.Model, {}, "can be checked"),
        (keras, {}, "can be checked"),
        (NeedsAlpha, {}, "alpha"),
        (make_nothing, {}, "must return a loss"),
        (Refuses, {"init": {"alpha": -1.0}, "select": ["X1"]}, r"alpha is negative. Give other arguments"),
        (ScaledError, {"init": {"beta": 1}, "like": {"inputs": "float32[2,2]"}}, "y_true, y_pred"),
        (lambda y_true, y_pred, factor: y_pred, {}, "y_true, y_pred"),
        (ScaledError(), {"init": {"factor": 2.0}}, "for classes"),
        (ScaledError, {"like": "float32[4]"}, "dict"),
        (ScaledError, {"like": {"y_true": "float[4"}}, "float32"),
        (ScaledError, {"select": ["Q1"]}, "Q1"),
        (ScaledError, {"select": [3]}, "ids"),
        (ScaledError, {"contract": {"per_samples": False}}, "per_sample"),
        (ScaledError, {"contract": 3}, "Contract"),
        (ScaledError, {"backends": ["theano"]}, "tensorflow, jax, torch"),
        (ScaledError, {"budget": 0}, "seconds"),
        (ScaledError, {"kind": "model"}, "loss"),
        ("nowhere.py:Loss", {}, "no file"),
        ("tests/checks/engine/test_checker.py", {}, "Name"),
    ],
)
def test_what_cannot_be_checked(component, options, message):
    with pytest.raises(ValueError, match=message):
        check(component, **options)
