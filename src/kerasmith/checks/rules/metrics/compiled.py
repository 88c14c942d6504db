"""A metric in a compiled step gives the number of the eager one."""

import dataclasses
from typing import Any

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras, ops
from kerasmith.checks.engine.messages import describe_error, other_backend
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.compiled import compiled, require_compiler, traced_without_batch
from kerasmith.checks.harness.operations import operations
from kerasmith.checks.rules.metrics.case import MetricCase

_BRANCH = ("Bool", "bool", "as a Python `bool`", "OperatorNotAllowedInGraph")
_NUMPY = (
    "numpy",
    "NumPy",
    "TracerArrayConversion",
    "float()",
    "int()",
    "Concretization",
    "TracerInteger",
    "__array__",
    "tolist",
)


@dataclasses.dataclass
class _Step:
    """What came of a compiled step.

    Attributes:
        values: `Results` after two steps, None if one failed.
        error: what it raised.
    """

    values: Any = None
    error: Exception | None = None


def _step(case):
    """The compiled step on two draws, run once per component."""
    require_compiler()
    if "compiled" not in case.cache:
        case.cache["compiled"] = _compiled(case)
    return case.cache["compiled"]


def _compiled(case):
    metric = prepared(case)
    function = compiled(_update_and_read(metric), metric.variables)
    try:
        for draw in (0, 1):
            function(*case.given(case.draw(draw)))
        # Read outside of the step, as Keras does at the end of an epoch.
        return _Step(values=case.result(metric))
    except Exception as error:
        return _Step(error=error)


def _update_and_read(metric):
    def function(*tensors):
        metric.update_state(*tensors)
        return keras.tree.map_structure(ops.convert_to_tensor, metric.result())

    return function


def prepared(case: MetricCase) -> Any:
    """A metric whose variables exist: one that makes them with the first batch gets it beforehand, as in `fit`."""
    metric = case.metric()
    if case.is_lazy:
        case.update(metric, case.draw(0))
        metric.reset_state()
    return metric


def _is(error, words):
    text = f"{type(error).__name__} {error}"
    return any(word in text for word in words)


def compiled_lines(case: MetricCase) -> list[str]:
    """Lines of a reproducer that run the metric inside a compiled step: of a model that hands on its inputs."""
    if backend() == "tensorflow":
        return [
            "import tensorflow as tf",
            "step = tf.function(lambda *batch: (metric.update_state(*batch), metric.result())[1], autograph=False)",
            f"print(step({case.arguments}))",
        ]
    return [
        "import jax",
        "step = jax.jit(lambda state, *batch: metric.stateless_update_state(state, *batch))",
        f"state = step([v.value for v in metric.variables], {case.arguments})",
        "print(metric.stateless_result(state))",
    ]


@check("M121", "metric", "error", requires=("base", "M108"), since="0.1.0")
def no_numpy_inside(case: MetricCase) -> None:
    """`update_state` turns tensors into NumPy or Python numbers: it does not compile.

    TensorFlow and JAX trace the step once with symbols in place of numbers. NumPy, `float(...)`, `.numpy()` and
    scikit-learn have nothing to compute with there, and training stops with an error about tracers or symbolic tensors,
    unless everything runs eagerly.

    Fix: use `keras.ops`. What only NumPy code can do runs in a host callback, or after the epoch in a callback.
    """
    step = _step(case)
    if step.error is not None and _is(step.error, _NUMPY) and not _is(step.error, _BRANCH):
        foreign = other_backend(step.error)
        raise Failed(
            expected="the step compiles",
            actual=describe_error(step.error),
            lines=[*case.preparation(), *compiled_lines(case)],
            title=None
            if foreign is None
            else f"`update_state` gives tensors of {backend()} to {foreign}: it does not compile",
            fix=None if foreign is None else f"Use the function of `keras.ops` in place of the one of {foreign}.",
        )


@check("M124", "metric", "error", requires=("base", "M108"), since="0.1.0")
def no_python_branch(case: MetricCase) -> None:
    """A Python `if` asks a tensor: it does not compile.

    While a step is traced a tensor has no value, so `if ops.max(y_pred) > 1:` is an error under TensorFlow and JAX.

    Fix: decide with `ops.where(condition, a, b)` or `ops.cond`; what does not change from batch to batch, such as
    `from_logits`, is an argument of the constructor.
    """
    step = _step(case)
    if step.error is not None and _is(step.error, _BRANCH):
        raise Failed(
            expected="the step compiles", actual=describe_error(step.error), lines=[*case.preparation(), *compiled_lines(case)]
        )


@check(
    "M115", "metric", "error", requires=("base", "M103", "M104", "M107", "M108", "M109", "M110", "M121", "M124"), since="0.1.0"
)
def compiled_equals_eager(case: MetricCase) -> None:
    """In a compiled step the metric gives another number.

    `fit` compiles, `run_eagerly=True` and a test on arrays do not. What depends on the mode, such as a Python counter or a
    look at `tf.executing_eagerly()`, is right in the test and wrong in training.

    Fix: let nothing but the tensors and the metric's variables decide what is counted.
    """
    step = _step(case)
    if step.error is not None:
        raise Failed(
            expected="the step compiles",
            actual=describe_error(step.error),
            title="The metric does not compile",
            fix="Use `keras.ops` on tensors only, with shapes that do not depend on values.",
            lines=[*case.preparation(), *compiled_lines(case)],
        )
    eager = case.run((case.draw(0), None), (case.draw(1), None))
    if not eager.has_finite:
        raise Inconclusive(f"the result is {eager}")
    texts = eager.difference(step.values)
    if texts:
        raise Failed(
            expected=f"{texts[0]}, as in eager mode",
            actual=f"{texts[1]} from a compiled step",
            lines=[
                *case.preparation(),
                f"metric.update_state({case.arguments}); print('eager', metric.result()); metric.reset_state()",
                *compiled_lines(case),
            ],
        )


@check("M116", "metric", "error", requires=("base", "M115"), since="0.1.0")
def unknown_batch_size(case: MetricCase) -> None:
    """The metric needs to know the batch size beforehand.

    TensorFlow traces the step with None for the number of samples, since the last batch may be smaller. `shape[0]` is None
    there; arithmetic with it fails, and a loop over it does not run.

    Fix: use `ops.shape(x)[0]`, or sums and means along axes, instead of `x.shape[0]`.
    """
    if backend() != "tensorflow":
        raise NotApplicable("only TensorFlow traces without a batch size")
    metric = prepared(case)
    tensors = case.given(case.draw(0))
    lines = [
        *case.preparation(),
        "import tensorflow as tf",
        f"specs = keras.tree.map_structure(lambda x: tf.TensorSpec((None, *x.shape[1:]), x.dtype), [{case.arguments}])",
        "step = tf.function(lambda *batch: metric.update_state(*batch), input_signature=specs, autograph=False)",
        f"step({case.arguments}); print(metric.result())",
    ]
    try:
        step = traced_without_batch(_update_and_read(metric), *tensors)
        for draw in (0, 1):
            step(*case.given(case.draw(draw)))
        found = case.result(metric)
    except NotApplicable:
        raise
    except Exception as error:
        raise Failed(expected="the step is traced without a batch size", actual=describe_error(error), lines=lines) from None
    texts = case.run((case.draw(0), None), (case.draw(1), None)).difference(found)
    if texts:
        raise Failed(
            expected=f"{texts[0]}, as in eager mode",
            actual=f"{texts[1]} traced without a batch size",
            lines=lines,
        )


@check("M127", "metric", "warning", requires=("base", "M115", "M116"), since="0.1.0")
def work_does_not_grow_by_a_loop(case: MetricCase) -> None:
    """A Python loop over the samples or pixels: twice the data take twice the operations.

    Each pass of the loop is a set of separate operations. On PyTorch that is thousands of times slower than one operation
    on all samples; under JAX and TensorFlow the compiled step becomes that long, and is compiled anew for each batch size.

    Fix: compute on the whole batch with `keras.ops` along axes, or with `ops.vectorized_map`.
    """
    counts = []
    for times in (1, 2):
        inputs = case.draw(0)
        if times == 2:
            inputs = keras.tree.map_structure(lambda a: a.repeat(2, axis=0), inputs)
        metric = prepared(case)
        counts.append(
            operations(lambda *tensors, metric=metric: metric.update_state(*tensors), metric.variables, case.given(inputs))
        )
    if counts[1] > 1.4 * counts[0] + 10:
        raise Failed(
            expected=f"about {counts[0]} operations for any number of samples",
            actual=f"{counts[0]} for {case.batch} samples, {counts[1]} for {2 * case.batch}",
            lines=[
                *case.preparation(),
                "import time; start = time.time()",
                f"metric.update_state({case.arguments}); print(time.time() - start, 's'); start = time.time()",
                "y_true, y_pred = keras.tree.map_structure(lambda x: keras.ops.repeat(x, 50, axis=0), (y_true, y_pred))",
                f"metric.update_state({case.arguments}); print(time.time() - start, 's for 50 times as many')",
            ],
        )
