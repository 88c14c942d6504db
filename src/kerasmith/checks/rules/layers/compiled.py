"""A layer computes the same when it is compiled, and its program does not grow with the data."""

import numpy as np

from kerasmith.checks.engine.comparison import REARRANGED, differ, farthest, gap
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras, ops, to_tensors
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.compiled import compiled, require_compiler
from kerasmith.checks.harness.layer_weights import reset_generators
from kerasmith.checks.harness.operations import operations
from kerasmith.checks.rules.layers.case import LayerCase
from kerasmith.checks.rules.layers.lengths import stretched


@check("Y113", "layer", "error", requires=("base", "Y104"), since="0.1.0")
def compiled_equals_eager(case: LayerCase) -> None:
    """The compiled layer computes something else.

    `fit` compiles the step on TensorFlow and JAX. A Python `if` on a tensor, `float(tensor)` or a `try` around it takes
    another way there, or fails.

    Fix: `keras.ops.where` or `keras.ops.cond` for a choice, and operations of `keras.ops` on tensors only.
    """
    require_compiler()
    layer, inputs = case.prepared(), case.inputs
    eager = case.run(layer)
    flat = keras.tree.flatten(inputs)
    lines = [f"print({case.call_code()})", *_compiled_lines()]
    reset_generators(layer, case.seed)
    try:
        output = compiled(case.on_leaves(layer), layer.variables)(*[ops.convert_to_tensor(leaf) for leaf in flat])
    except Exception as error:
        raise Failed(
            "an output of the compiled layer",
            describe_error(error),
            lines,
            title="The layer cannot be compiled",
        ) from error
    found = [np.asarray(case.number(leaf)) for leaf in output]
    # A compiler may sum in another order.
    if differ(eager, found, REARRANGED):
        a, b = farthest(eager, found)
        raise Failed(f"{a}, as without compiling", f"{b} compiled ({gap(eager, found):.2g} of the largest value)", lines)


@check("Y126", "layer", "warning", requires=("base", "Y103", "Y104"), since="0.1.0")
def program_does_not_grow(case: LayerCase) -> None:
    """The number of operations grows with the samples, or faster than the length.

    A Python loop over samples or pairs of steps becomes one operation after the other: hundreds of times slower than one on
    all of them, and minutes of compiling.

    Fix: one operation on the whole axis: `ops.cumsum`, `ops.matmul`, broadcasting; `ops.scan` or an RNN for what must go
    step by step.
    """
    layer = case.prepared()
    size = case.batch
    few, many = (_operations(case, layer, case.draw(0, count)) for count in (size, 3 * size))
    if many - few >= 2 * size:
        raise Failed(
            f"as many operations for {3 * size} samples as for {size}: {few}",
            f"{many}: {(many - few) / (2 * size):.3g} more for each sample",
            [f"print({case.call_code()})  # loops over the samples"],
        )
    lengths = [stretched(case.specs, lambda length, factor=factor: factor * length) for factor in (1, 2, 4)]
    if lengths[0] == lengths[1]:
        return
    counts = []
    for specs in lengths:
        try:
            counts.append(_operations(case, layer, case.draw_of(specs)))
        except Exception as error:
            raise NotApplicable(f"another length is refused ({describe_error(error)})") from error
    first, second = counts[1] - counts[0], counts[2] - counts[1]
    if first > 0 and second > 2.8 * first:
        raise Failed(
            "a number of operations that grows no faster than the length",
            f"{counts[0]}, {counts[1]} and {counts[2]} operations for a length of 1, 2 and 4 times the declared one",
            [f"print({case.call_code()})  # loops over pairs of steps"],
        )


def _operations(case, layer, arrays):
    """The number of operations of one call at inference."""
    reset_generators(layer, case.seed)
    return operations(case.on_leaves(layer), layer.variables, to_tensors(keras.tree.flatten(arrays)))


def _compiled_lines():
    if backend() == "jax":
        return ["import jax; print(jax.jit(layer)(inputs))"]
    return ["import tensorflow as tf; print(tf.function(layer, autograph=False)(inputs))"]
