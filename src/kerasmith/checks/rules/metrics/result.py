"""`result` gives the same number each time, as a scalar tensor that logs can hold."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, is_tensor, keras
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.attributes import is_variable
from kerasmith.checks.rules.metrics.case import MetricCase


@check("M107", "metric", "error", since="0.1.0")
def result_changes_nothing(case: MetricCase) -> None:
    """Reading the result changes it.

    Keras reads a metric after every batch for the progress bar, and again at the end of the epoch. A `result` that empties
    the state makes each reading a number of the last batch, and the epoch's one a number of nothing.

    Fix: compute in `result`, change variables in `update_state` and `reset_state` only.
    """
    metric = case.metric()
    case.update(metric, case.draw(0))
    first, second = case.result(metric), case.result(metric)
    lines = [*case.preparation(), f"metric.update_state({case.arguments}); print(metric.result()); print(metric.result())"]
    texts = first.difference(second)
    if texts:
        raise Failed(expected=f"{texts[0]} at each reading", actual=f"{texts[1]} at the second", lines=lines)
    after = case.run((case.draw(1), None), metric=metric)
    straight = case.run((case.draw(0), None), (case.draw(1), None))
    texts = straight.difference(after)
    if texts:
        raise Failed(
            expected=f"{texts[0]} from two batches",
            actual=f"{texts[1]} if the result was read in between",
            lines=[
                *case.preparation(),
                f"for _ in range(2): metric.update_state({case.arguments})",
                "print('read at the end', metric.result()); metric.reset_state()",
                f"for _ in range(2): metric.update_state({case.arguments}); metric.result()",
                "print('read in between', metric.result())",
            ],
        )


@check("M108", "metric", "warning", requires=("base",), since="0.1.0")
def result_is_a_tensor(case: MetricCase) -> None:
    """`result` returns a Python or NumPy number.

    It must turn tensors into numbers for that, which a compiled step of TensorFlow or JAX cannot: training stops there with
    an error about tracers or symbolic tensors, or the number of the first trace is reported for ever.

    Fix: compute with `keras.ops` and return the tensor; Keras makes numbers of it for the logs.
    """
    metric = case.metric()
    case.update(metric, case.draw(0))
    result = metric.result()
    for key, value in (result if isinstance(result, dict) else {"": result}).items():
        if not is_tensor(value) and not is_variable(value):
            raise Failed(
                expected="a tensor, or a dict of tensors",
                actual=f"{f'{key}: ' if key else ''}{type(value).__module__}.{type(value).__qualname__}".replace(
                    "builtins.", ""
                ),
                lines=[
                    *case.preparation(),
                    f"metric.update_state({case.arguments}); print(type(metric.result()), metric.result())",
                ],
            )


@check("M113", "metric", "warning", since="0.1.0")
def keys_are_its_own(case: MetricCase) -> None:
    """Two of this metric, or this one and another, write to the same column.

    The entries of a dict result go into the logs under their own keys, without the metric's name. Keys such as "precision"
    overwrite those of other metrics, silently, and with two outputs only the last one is seen.

    Fix: put the name in front: `{f"{self.name}_precision": ...}`.
    """
    result = case.whole()
    keys = list(result.values)
    if keys == [""]:
        raise NotApplicable("the result is one value, under the metric's name")
    metric = case.metric()
    if all(metric.name in key for key in keys):
        return
    try:
        other = case.run((case.draw(0), None), metric=case.metric(name="another_name"))
    except (TypeError, NotApplicable):
        raise Inconclusive("no second one with another name can be made") from None
    common = [key for key in keys if key in other.values]
    if common:
        raise Failed(
            expected=f"keys with the name {metric.name!r} in front, which is another one for each metric",
            actual=f"{', '.join(map(repr, common[:4]))}, whatever the name is",
            lines=[*case.preparation(), f"metric.update_state({case.arguments}); print(metric.name, list(metric.result()))"],
        )


@check("M114", "metric", "warning", since="0.1.0")
def result_is_scalar(case: MetricCase) -> None:
    """The result is a vector.

    The progress bar and the history show its mean or an array under one name, and callbacks that compare numbers, such as
    EarlyStopping and ModelCheckpoint, crash on it.

    Fix: return a dict of scalars, `{f"{self.name}_{c}": values[c] for c in range(self.classes)}`, or a mean.
    """
    for key, value in case.whole().values.items():
        if value.size > 1:
            raise Failed(
                expected="a scalar, or a dict of scalars",
                actual=f"{f'{key}: ' if key else ''}shape {value.shape}",
                lines=[*case.preparation(), f"metric.update_state({case.arguments}); print(metric.result())"],
            )


@check("M119", "metric", "warning", requires=("base", "M108"), since="0.1.0")
def nothing_is_no_score(case: MetricCase) -> None:
    """Without data the metric crashes, or reports a score.

    A data set, a class or a batch may be empty. A number made of smoothing constants, such as a perfect 1.0, enters means
    and comparisons as if it had been earned. NaN says what is known; 0 is what Keras' own metrics give.

    Fix: divide the sums without a constant (0 / 0 is NaN), or return `ops.where(count > 0, score, np.nan)`.
    """
    metric = case.metric()
    lines = ["print(metric.result())"]
    if case.subject.is_function:
        raise NotApplicable("Keras' own wrapper gives 0 without data")
    try:
        result = case.result(metric)
    except Exception as error:
        if case.is_lazy:
            raise NotApplicable("the state is made with the first batch") from None
        raise Failed(
            expected="NaN, or 0", actual=describe_error(error), title="Without data the metric crashes", lines=lines
        ) from None
    scores = result.keys_where(lambda value: (np.isfinite(value) & (value != 0)).any())
    if scores:
        raise Failed(expected="NaN, or 0", actual=f"{result}", title="Without data the metric reports a score", lines=lines)


@check("M122", "metric", "note", requires=("base", "M108"), since="0.1.0")
def dtype_is_that_of_the_result(case: MetricCase) -> None:
    """`dtype="float64"` gives a result of another type.

    Variables of `add_weight` are float32 unless they are told otherwise, and the result has their type: the precision that
    was asked for is not there.

    Fix: `return ops.cast(value, self.dtype)`, and `dtype=self.dtype` for variables that shall have it too.
    """
    if backend() == "jax":
        raise NotApplicable("JAX has no float64 unless it is told so")
    if case.subject.is_function:
        raise NotApplicable("a function has no dtype")
    metric = case.metric()
    if metric.dtype != "float64":
        raise NotApplicable("float64 was not asked for")
    case.update(metric, case.draw(0))
    result = metric.result()
    for key, value in (result if isinstance(result, dict) else {"": result}).items():
        found = keras.backend.standardize_dtype(value.dtype)
        if found != "float64":
            raise Failed(
                expected=f"{f'{key}: ' if key else ''}float64",
                actual=found,
                lines=[
                    *case.preparation(),
                    f"metric.update_state({case.arguments}); print(metric.dtype, metric.result().dtype)",
                ],
            )
