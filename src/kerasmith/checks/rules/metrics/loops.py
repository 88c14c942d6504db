"""The work does not grow by a Python loop."""

from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.operations import operations
from kerasmith.checks.rules.metrics.compiled import prepared


@check("M127", "metric", "warning", requires=("base", "M115", "M116"), since="0.1.0")
def work_does_not_grow_by_a_loop(case):
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
