"""Losses inside a compiled step: traced, without a batch size, and as large as the batch."""

import numpy as np

from kerasmith.checks.engine.comparison import REARRANGED, differ, format_numbers
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras, to_tensors
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.compiled import compiled, require_compiler, traced_without_batch
from kerasmith.checks.harness.operations import operations
from kerasmith.checks.rules.losses.case import LossCase, each, leaves, owned
from kerasmith.checks.rules.losses.reproducers import callable_loss

_ASKED = ("symbolic `tf.Tensor`", "symbolic tf.Tensor", "TracerBool", "truth value", "traced array", "ConcretizationType")


@check("L116", "loss", "error", requires=("base", "L110"), since="0.1.0")
def branch_on_a_tensor(case: LossCase) -> None:
    """The loss cannot be compiled: Python asks a tensor for its value.

    `if`, `while`, `float()`, `int()` and `bool()` need a number, and while a step is traced there is none. `fit` fails on
    TensorFlow and JAX unless everything runs eagerly, many times slower.

    Fix: compute both branches and choose with `ops.where`, or use `ops.cond`.
    """
    require_compiler()
    lines = _compiled_lines(case)
    try:
        _compiled_values(case)
    except Exception as error:
        text = f"{type(error).__name__}: {str(error).strip()}"
        asked = any(mark in text for mark in _ASKED)
        title = None if asked else "The loss cannot be compiled"
        raise Failed("a value from the compiled loss", " ".join(text.split())[:200], lines, title=title) from None


@check("L117", "loss", "error", requires=("base", "L115", "L116", "L127", "L118"), since="0.1.0")
def compiled_is_eager(case: LossCase) -> None:
    """The compiled value differs from the eager one.

    What is tested by hand is then not what `fit` trains on. Usual causes: a branch on whether the code runs eagerly,
    Python values that are frozen while tracing.

    Fix: remove what asks how it is run; compute with tensors throughout.
    """
    case.contract.require("stateful")
    case.contract.require("deterministic")
    values = _compiled_values(case)
    if differ(values, case.values, REARRANGED):
        raise Failed(
            f"{format_numbers(case.values)}, as when run eagerly",
            f"{format_numbers(values)} when compiled",
            _compiled_lines(case),
        )


@check("L118", "loss", "error", requires=("base", "L116", "L120"), since="0.1.0")
def unknown_batch_size(case: LossCase) -> None:
    """The loss fails where the batch size is not known.

    TensorFlow builds the step with a batch size of None. `y_pred.shape[0]` is None there: reshapes and Python loops over
    samples fail, although they run eagerly.

    Fix: `ops.shape(y_pred)[0]` for a size, -1 in `ops.reshape`, and functions of whole arrays instead of loops over samples.
    """
    inputs = case.inputs
    loss = case.loss()
    # Made first: what a loss prepares once, it may prepare outside of the graph.
    case.value(loss, inputs["y_true"], inputs["y_pred"])
    true, pred = leaves(inputs["y_true"]), leaves(inputs["y_pred"])

    def run(*arrays):
        y_true = keras.tree.pack_sequence_as(inputs["y_true"], list(arrays[: len(true)]))
        return loss(y_true, keras.tree.pack_sequence_as(inputs["y_pred"], list(arrays[len(true) :])))

    try:
        traced_without_batch(run, *true, *pred)
    except NotApplicable:
        raise
    except Exception as error:
        raise Failed(
            "a step that is built without knowing the batch size",
            describe_error(error),
            [
                *callable_loss(case),
                "import tensorflow as tf; specs = [tf.TensorSpec((None, *a.shape[1:]), a.dtype) for a in (y_true, y_pred)]",
                "tf.function(loss, input_signature=specs, autograph=False).get_concrete_function()",
            ],
        ) from None


@check("L126", "loss", "warning", requires=("base", "L116", "L118"), since="0.1.0")
def grows_with_the_batch(case: LossCase) -> None:
    """The number of operations grows with the batch: a Python loop over the samples.

    Each sample adds its own operations to the graph; compiling takes minutes at batch 256 and a step is many times slower
    than one operation on all samples.

    Fix: write it for whole arrays, with axes in place of the loop, or use `ops.vectorized_map`.
    """
    case.contract.require("uses_y_pred")
    size = case.batch
    small, large = (_operations(case, case.draw(0, number)) for number in (size, 2 * size))
    if large - small >= size and large > 1.4 * small:
        raise Failed(
            f"about {small} operations at any batch size",
            f"{small} at batch {size}, {large} at batch {2 * size}",
            _growing_lines(case, size),
        )


def _compiled_values(case):
    """The unreduced values from the compiled loss."""
    inputs, loss = case.inputs, case.loss()
    loss.reduction = "none"
    case.unreduced(loss, inputs["y_true"], inputs["y_pred"])
    loss = case.loss()
    loss.reduction = "none"
    function = compiled(lambda true, pred: loss(true, pred), owned(loss)[0])
    return np.array(case.number(function(*to_tensors([inputs["y_true"], inputs["y_pred"]]))))


def _operations(case, inputs):
    """How many operations the loss and, on PyTorch, its gradient take."""
    true, loss = to_tensors(inputs["y_true"]), case.summing()
    if backend() != "torch":
        return operations(lambda pred: loss(true, pred), owned(loss)[0], [to_tensors(inputs["y_pred"])])
    import torch

    with torch.enable_grad():
        pred = each(lambda array: torch.tensor(array, requires_grad=True), inputs["y_pred"])
        value = loss(true, pred)
    seen, waiting = set(), [value.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [following for following, _ in node.next_functions]
    return len(seen)


def _compiled_lines(case):
    start = [
        *callable_loss(case),
        "loss.reduction = 'none'; y_true, y_pred = map(keras.ops.convert_to_tensor, (y_true, y_pred))",
    ]
    if backend() == "jax":
        return [*start, "import jax; print(loss(y_true, y_pred)); print(jax.jit(lambda t, p: loss(t, p))(y_true, y_pred))"]
    run = "print(loss(y_true, y_pred)); print(tf.function(lambda t, p: loss(t, p), autograph=False)(y_true, y_pred))"
    return [*start, f"import tensorflow as tf; {run}"]


def _growing_lines(case, size):
    if any(isinstance(case.specs[name], (dict, list)) for name in ("y_true", "y_pred")):
        raise Inconclusive("it grows, which cannot be shown for several arrays")
    spec = [case.specs[name].with_batch(2 * size).code(case.seed_of(name)) for name in ("y_true", "y_pred")]
    lines = [*callable_loss(case), "convert = keras.ops.convert_to_tensor"]
    if backend() == "jax":
        count = "len(jax.make_jaxpr(lambda p: loss(convert({}), p))(convert({})).eqns)"
        return [
            *lines,
            "import jax; print(" + count.format("y_true", "y_pred") + ")",
            "print(" + count.format(spec[0], spec[1]) + ")",
        ]
    if backend() == "torch":
        return [*lines, "import time", *(_timed(t, p) for t, p in (("y_true", "y_pred"), spec))]
    trace = (
        "import tensorflow as tf; trace = lambda t: tf.function(lambda p: loss(t, p), autograph=False).get_concrete_function"
    )
    count = "print(len(trace(convert({}))(convert({})).graph.get_operations()))"
    return [*lines, trace, count.format("y_true", "y_pred"), count.format(*spec)]


def _timed(true, pred):
    return f"start = time.time(); loss(convert({true}), convert({pred})); print(time.time() - start)"
