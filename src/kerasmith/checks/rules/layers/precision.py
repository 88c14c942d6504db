"""A layer under another dtype policy: its variables, its output, its range, its state."""

from typing import Any

import numpy as np

from kerasmith.checks.engine.comparison import farthest, gap
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras, to_tensors
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.engine.spec import leaf_specs
from kerasmith.checks.harness.layer_weights import values
from kerasmith.checks.rules.layers.case import LayerCase

HALF_RANGE = 6e4
_MISSING = ("not implemented", "unimplemented", "opkernel", "not supported", "unsupported", "could not find device")


@check("Y110", "layer", "warning", requires=("base", "Y102", "Y104", "Y113", "Y122", "Y123"), since="0.1.0")
def range_of_float16(case: LayerCase) -> None:
    """The layer overflows in float16 where its answer would fit.

    float16 ends at 65504: squares of values above 256, sums over many pixels and masks of -1e9 become infinite, and what is
    divided by them 0 or NaN.

    Fix: compute norms, softmaxes and sums in float32 and cast the answer: `x = ops.cast(inputs, "float32")`, ...,
    `ops.cast(y, inputs.dtype)`; mask with `ops.where`, not by adding a large number.
    """
    case.contract.require("deterministic")
    full, half = case.prepared(), _prepared(case, "mixed_float16")
    arrays = case.inputs
    _compare(case, full, half, arrays, 0.5, "")
    _at_zero(case, full, half, arrays)
    if any(spec.domain is not None for spec in leaf_specs({**case.specs, "mask": []})) or not case.float_leaves(arrays):
        return
    flat = keras.tree.flatten(arrays)
    larger = case.replaced(arrays, {index: 100 * flat[index] for index in case.float_leaves(arrays)})
    small, large = ([float(np.abs(a).max(initial=0)) for a in case.run_compiled(full, given)] for given in (arrays, larger))
    # Only what brings every input to the same size has to bear large ones.
    if all(b <= 2 * a for a, b in zip(small, large)):
        _compare(case, full, half, larger, 0.95, "inputs = keras.tree.map_structure(lambda a: 100 * a, inputs); ")


@check("Y123", "layer", "warning", since="0.1.0")
def output_has_the_compute_dtype(case: LayerCase) -> None:
    """The output is not in the layer's compute dtype.

    Under a mixed policy the next operation gets float32 where it expects half precision: it fails on TensorFlow, or computes
    everything after it in float32, which is what the policy was to avoid.

    Fix: cast back at the end, `ops.cast(y, self.compute_dtype)`. A layer that answers in float32 on purpose says so with
    `super().__init__(dtype="float32")`, or `output_dtype="float32"` in the contract.
    """
    policy = "mixed_bfloat16"
    line = f'keras.config.set_dtype_policy("{policy}"); layer = {_made(case)}; print({case.call_code()}.dtype)'
    try:
        layer = case.prepared_in(policy)
        dtypes = output_dtypes(case, layer)
    except NotApplicable:
        raise
    except Exception as error:
        _refuse_missing(error)
        raise Failed(
            f"an output under the policy {policy}", describe_error(error), [line], title="The layer fails under a mixed policy"
        ) from error
    wanted = case.contract.output_dtype or layer.compute_dtype
    other = sorted(name for name in set(dtypes) if "float" in name and name != wanted)
    if other:
        raise Failed(f"{wanted} under the policy {policy}", f"{', '.join(other)}", [line])


@check("Y115", "layer", "warning", since="0.1.0")
def variables_follow_the_policy(case: LayerCase) -> None:
    """A variable has a dtype of its own, whatever the policy of the layer.

    A float64 model then learns in float32, and a model in bfloat16 keeps weights of twice the size.

    Fix: leave `dtype` out of `add_weight`, or give it `self.variable_dtype`.
    """
    from kerasmith.keras_internals.layers import all_layers, own_weights

    # Without its x64 mode JAX has no float64.
    policy = "bfloat16" if backend() == "jax" else "float64"
    lines = [
        f'keras.config.set_dtype_policy("{policy}"); layer = {_made(case)}; {case.call_code()}',
        "print([v.dtype for v in layer.weights])",
    ]
    try:
        layer = case.prepared_in(policy)
    except NotApplicable:
        raise
    except Exception as error:
        _refuse_missing(error)
        raise Inconclusive(f"the layer fails under the policy {policy}: {describe_error(error)}") from error
    # A weight may be an attribute of its layer and of a wrapper around it: one of them must want this dtype.
    owners = [(variable, part.variable_dtype) for part in all_layers(layer) for variable in own_weights(part)]
    for variable, wanted in owners:
        dtype = keras.backend.standardize_dtype(variable.dtype)
        if "float" in dtype and dtype not in [other for v, other in owners if v is variable]:
            raise Failed(f"`{variable.path}` in {wanted}", f"{dtype}", lines)


@check("Y127", "layer", "warning", requires=("base", "Y104", "Y116", "Y123"), since="0.1.0")
def state_is_exact_in_half_precision(case: LayerCase) -> None:
    """The running state is computed in half precision and does not move.

    A step of a running mean is a thousandth of its value; bfloat16 knows three digits. In a mixed policy the update is
    rounded away, and inference uses statistics of the first steps.

    Fix: `self.add_weight(..., trainable=False, autocast=False)`, and cast the inputs to `self.mean.dtype` before the update.
    """
    changes = []
    for layer in (case.prepared(), _prepared(case, "mixed_bfloat16")):
        state = [v for v in layer.non_trainable_weights if "float" in str(v.dtype)]
        if not state:
            raise NotApplicable("no state of floats")
        for variable, value in zip(state, values(state)):
            variable.assign(value + 10)
        before = values(state)
        case.run(layer, training=True)
        changes.append([after.astype("float64") - start for start, after in zip(before, values(state))])
    full, half = changes
    for variable, right, found in zip(state, full, half):
        size = np.abs(right).max(initial=0)
        if size > 1e-5 and np.abs(right - found).max() > 0.3 * size:
            a, b = farthest([right], [found])
            raise Failed(
                f"`{variable.path}` moved by {a} in a training step, as in float32",
                f"it moves by {b} under mixed_bfloat16",
                [
                    f'keras.config.set_dtype_policy("mixed_bfloat16"); layer = {_made(case)}; {case.call_code()}',
                    "[v.assign(v * 0 + 10) for v in layer.non_trainable_weights]",
                    f"{case.call_code(training=True)}; print(layer.non_trainable_weights)",
                ],
            )


def output_dtypes(case: LayerCase, layer: Any) -> list[str]:
    """The names of the dtypes of the outputs; JAX finds them without computing anything."""
    tensors = to_tensors(keras.tree.flatten(case.inputs))
    if backend() == "jax":
        import jax

        def stateless(*leaves):
            with keras.StatelessScope():
                return case.on_leaves(layer)(*leaves)

        leaves = jax.eval_shape(stateless, *tensors)
    else:
        leaves = case.on_leaves(layer)(*tensors)
    return [keras.backend.standardize_dtype(leaf.dtype) for leaf in leaves]


def _prepared(case, policy):
    try:
        layer = case.prepared_in(policy)
        case.run(layer)
        return layer
    except NotApplicable:
        raise
    except Exception as error:
        _refuse_missing(error)
        raise Inconclusive(f"the layer fails under the policy {policy}: {describe_error(error)}") from error


def _compare(case, full, half, arrays, tolerance, change):
    right = case.run_compiled(full, arrays)
    if any(np.abs(a).max(initial=0) > HALF_RANGE for a in right):
        return
    # Operation by operation: a compiler may keep what lies between them in float32.
    found = case.run(half, arrays)
    if gap(right, found) > tolerance:
        a, b = farthest(right, found)
        raise Failed(
            f"{a}, as in float32, within a few thousandths",
            f"{b} in float16",
            [
                *([change.rstrip("; ")] if change else []),
                f"print({case.call_code()})",
                f'keras.config.set_dtype_policy("mixed_float16"); layer = {_made(case)}',
                f"print({case.call_code()})",
            ],
        )


def _at_zero(case, full, half, arrays):
    """A sample of zeros: an epsilon that float16 does not know protects nothing there."""
    flat, floats = keras.tree.flatten(arrays), case.float_leaves(arrays)
    specs = [spec for spec in leaf_specs({**case.specs, "mask": []}) if spec.dtype.startswith("float")]
    if not floats or any(
        spec.domain is not None and not (spec.domain[0] == "interval" and spec.domain[1] <= 0) for spec in specs
    ):
        return
    changed = {index: np.concatenate([np.zeros_like(flat[index][:1]), flat[index][1:]]) for index in floats}
    zeros = case.replaced(arrays, changed)
    if all(np.isfinite(array).all() for array in case.run_compiled(full, zeros)):
        _compare(case, full, half, zeros, 0.5, "for array in keras.tree.flatten(inputs): array[0] = 0")


def _refuse_missing(error):
    if any(word in str(error).lower() for word in _MISSING):
        raise NotApplicable(f"the backend lacks an operation in this dtype ({describe_error(error)})") from error


def _made(case):
    """The layer anew, as a reproducer writes it."""
    return next(line.partition(" = ")[2] for line in case.subject.setup_lines() if line.startswith("layer = "))
