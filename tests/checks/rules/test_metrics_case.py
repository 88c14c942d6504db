"""How the checks of metrics find inputs, feed batches and read numbers."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import Inconclusive
from kerasmith.checks.engine.inference import declared, set_inputs
from kerasmith.checks.engine.subject import subject_of
from kerasmith.checks.harness.attributes import variables_in
from kerasmith.checks.harness.operations import operations
from kerasmith.checks.rules.metrics import inputs as archetypes
from kerasmith.checks.rules.metrics.case import MetricCase, mixed, part
from kerasmith.checks.rules.metrics.results import Results
from kerasmith.checks.rules.metrics.state import _python_values, _reached
from tests.zoo.broken.metrics_state import CollectsInAList, HiddenVariables
from tests.zoo.clean.metrics_classification import CohenKappa, HistogramAUC, IoUPerImage, top_two
from tests.zoo.clean.metrics_unusual import Correlation, ErrorOfHeads, F1OfParts, IntervalCoverage

PAIR = {"y_true": "float32[8,3](-2,2)", "y_pred": "float32[8,3](-2,2)"}


def case_of(component, like=None, **init):
    case = MetricCase(subject_of(component, init, kind=None if isinstance(component, type) else "metric"), Contract())
    if like is not None:
        case.specs = declared(case, like)
    return case


@pytest.mark.parametrize(
    ("component", "archetype"),
    [
        (CohenKappa, "class ids"),
        (HistogramAUC, "binary, one probability"),
        (IoUPerImage, "binary mask, 2-D"),
        (Correlation, "regression, vector"),
        (IntervalCoverage, "mean and log-variance"),
        (keras.metrics.MeanSquaredError, "regression, vector"),
        (keras.metrics.SparseCategoricalAccuracy, "class ids"),
        (keras.metrics.Precision, "binary, one probability"),
        (keras.metrics.CategoricalCrossentropy, "one-hot classes"),
    ],
)
def test_inputs_are_found_that_the_metric_is_made_for(component, archetype):
    case = case_of(component)
    set_inputs(case)
    assert case.archetype == archetype


def test_inputs_have_as_many_classes_as_the_metric():
    case = case_of(CohenKappa, num_classes=7)
    first = archetypes.ordered(case.subject)[0]
    assert first.specs["y_pred"].shape[-1] == 7
    assert first.specs["y_true"].domain == ("integers", 0, 6)


def test_small_batches_grow_so_that_they_can_be_split():
    case = case_of(Correlation, {"y_true": "float32[2,3]", "y_pred": "float32[2,3]"})
    assert case.batch == 4
    assert case.inputs["y_pred"].shape == (4, 3)


def test_a_metric_of_values_gets_the_predictions():
    case = case_of(keras.metrics.Mean, PAIR)
    assert case.arguments == "y_pred"
    assert case.whole().values[""] == pytest.approx(case.inputs["y_pred"].mean(), rel=1e-5)


def test_a_function_is_wrapped_as_compile_would():
    case = case_of(top_two, {"y_true": "int32[8]{0,3}", "y_pred": "float32[8,4]simplex"})
    assert isinstance(case.metric(), keras.metrics.MeanMetricWrapper)
    assert "MeanMetricWrapper" in "\n".join(case.preparation())


def test_nested_predictions_are_split_and_written_out():
    nested = {"near": "float32[8,3]", "far": "float32[8,3]"}
    case = case_of(ErrorOfHeads, {"y_true": "float32[8,3]", "y_pred": nested})
    assert part(case.inputs, slice(0, 3))["y_pred"]["far"].shape == (3, 3)
    space = {"keras": keras, "np": np}
    exec("\n".join([*case.lines().splitlines(), *case.preparation(), f"metric.update_state({case.part_text('2:')})"]), space)
    expected = case.run((part(case.inputs, slice(2, None)), None))
    assert not expected.differs(case.result(space["metric"]))


def test_preparation_writes_the_inputs_of_another_draw_and_size():
    case = case_of(Correlation, PAIR)
    space = {"keras": keras, "np": np}
    exec("\n".join(case.preparation(3, 12)), space)
    np.testing.assert_array_equal(ops.convert_to_numpy(space["y_pred"]), case.draw(3, 12)["y_pred"])
    assert case.batch == 8


def test_mixed_takes_whole_samples():
    taken = np.array([True, False, True])
    found = mixed({"a": np.zeros((3, 2))}, {"a": np.ones((3, 2))}, taken)
    np.testing.assert_array_equal(found["a"], [[1, 1], [0, 0], [1, 1]])


def test_no_telling_draw_is_inconclusive():
    with pytest.raises(Inconclusive, match="why"):
        case_of(Correlation, PAIR).revealing_draw(lambda draw: False, "why")


@pytest.mark.parametrize(
    ("a", "b", "differs"),
    [
        (1.0, 1.0005, False),
        (1.0, 1.01, True),
        (0.0, 1e-6, False),
        (np.nan, np.nan, False),
        (np.nan, 1.0, True),
        (np.inf, np.inf, False),
        (np.inf, 1.0, True),
    ],
)
def test_results_differ_beyond_rounding(a, b, differs):
    assert Results({"k": np.array(a)}).differs(Results({"k": np.array(b)})) is differs


def test_results_of_other_keys_or_shapes_differ():
    assert Results({"a": np.array(1.0)}).differs(Results({"b": np.array(1.0)}))
    assert Results({"a": np.ones(2)}).differs(Results({"a": np.ones(3)}))
    assert str(Results({"a": np.array(1.0), "b": np.array(0.5)})) == "a = 1, b = 0.5"


def test_python_state_and_hidden_variables_are_found():
    collects, hides, parts = CollectsInAList(), HiddenVariables(), F1OfParts()
    assert list(_python_values(collects)) == ["metric.errors"]
    assert [path for path, _ in variables_in(_reached(hides))] == ["metric.state.total", "metric.state.count"]
    # Variables of Keras metrics inside are found where they are, and are tracked.
    assert {id(v) for _, v in variables_in(_reached(parts))} <= {id(v) for v in parts.variables}


def test_operations_count_a_loop_and_leave_variables():
    variable = keras.Variable(0.0)

    def loop(x):
        for row in range(x.shape[0]):
            variable.assign(variable + ops.sum(x[row]))

    few, many = (operations(loop, [variable], [ops.ones((size, 2))]) for size in (4, 16))
    assert many > 2 * few
    assert float(ops.convert_to_numpy(variable.value)) == 0
