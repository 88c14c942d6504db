"""The gradient reaches the inputs and every trainable weight, and is finite."""

import numpy as np

from kerasmith.checks.engine.comparison import gap
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.engine.spec import leaf_specs
from kerasmith.checks.harness.layer_weights import seeded, values
from kerasmith.checks.rules.layers.case import LayerCase


@check("Y114", "layer", "error", requires=("base", "Y103"), since="0.1.0")
def gradient_reaches_everything(case: LayerCase) -> None:
    """The output depends on the inputs or on a weight, but the gradient does not.

    `round`, `argmax`, comparisons, NumPy and `stop_gradient` cut the gradient: what lies before them, or the weight, never
    learns.

    Fix: a smooth form (softmax for argmax, sigmoid for a comparison), or a straight-through estimator:
    `x + keras.ops.stop_gradient(keras.ops.round(x) - x)`. If the gradient is cut on purpose, declare `exact_gradient=False`.
    """
    case.contract.require("exact_gradient")
    layer = case.differentiated
    _require_floats(case, layer)
    weights, start = list(layer.trainable_variables), values(layer.trainable_variables)
    try:
        for index in _dead(case, layer, weights, start):
            if index < 0:
                _require_no_influence_of_input(case, layer, case.float_leaves(case.inputs)[-1 - index])
            else:
                _require_no_influence_of_weight(case, layer, index, start)
    finally:
        for variable, value in zip(weights, start):
            variable.assign(value)


def _dead(case, layer, weights, start):
    """What no gradient reaches in 3 draws of inputs and weights: an index of a weight, or -1 - index of a float input."""
    rng = np.random.default_rng(case.seed)
    reached = 0.0
    for draw in range(3):
        for variable, value in zip(weights, start):
            variable.assign(seeded(value, rng) if draw else value)
        _, by_inputs, by_weights = case.gradients(layer, case.draw(draw))
        found = [*by_weights, *reversed(by_inputs)]
        reached = np.maximum(reached, [0.0 if g is None else np.abs(np.nan_to_num(g, nan=1.0)).max(initial=0) for g in found])
    for variable, value in zip(weights, start):
        variable.assign(value)
    return [index if index < len(weights) else index - len(found) for index, size in enumerate(reached) if size == 0]


@check("Y122", "layer", "error", requires=("base", "Y103"), since="0.1.0")
def gradient_is_finite(case: LayerCase) -> None:
    """The gradient is NaN or Inf where the output is finite.

    A square root, norm or power has an infinite slope at 0, and 0 times infinity is NaN: one empty or constant row turns all
    weights into NaN.

    Fix: add a small number under the root, `ops.sqrt(x + 1e-12)`, or put a harmless value in before the function:
    `ops.where(x > 0, ops.sqrt(ops.where(x > 0, x, 1.0)), 0.0)`.
    """
    layer = case.differentiated
    _require_floats(case, layer)
    inputs = case.inputs
    flat, leaves = keras.tree.flatten(inputs), case.float_leaves(inputs)
    if not leaves:
        raise NotApplicable("no inputs of floats")
    for name, row in (("zeros", 0.0), ("equal values", 0.5)):
        if any(not _inside(spec, row) for spec in _float_specs(case)):
            continue
        changed = {index: np.concatenate([np.full_like(flat[index][:1], row), flat[index][1:]]) for index in leaves}
        arrays = case.replaced(inputs, changed)
        if not all(np.isfinite(a).all() for a in case.run_compiled(layer, arrays)):
            continue
        _, by_inputs, by_weights = case.gradients(layer, arrays)
        bad = [g for g in [*by_inputs, *by_weights] if g is not None and not np.isfinite(g).all()]
        if bad:
            count = sum(int((~np.isfinite(g)).sum()) for g in bad)
            raise Failed(
                f"a finite gradient where sample 0 consists of {name}, as the output is finite there",
                f"{count} numbers of the gradient are NaN or Inf",
                [f"for array in keras.tree.flatten(inputs): array[0] = {row}", *gradient_lines(case)],
            )


def gradient_lines(case: LayerCase) -> list[str]:
    """The lines that print the gradient by `inputs` on the backend at hand."""
    backend = keras.config.backend()
    if backend == "torch":
        return [
            "import torch; x = keras.tree.map_structure(lambda a: torch.tensor(a, requires_grad=True), inputs)",
            f"{_of_x(case)}.sum().backward(); print(keras.tree.map_structure(lambda a: a.grad, x))",
        ]
    if backend == "jax":
        return ["import jax", f"{case.call_code()}", f"print(jax.grad(lambda x: {_of_x(case)}.sum())(inputs))"]
    return [
        "import tensorflow as tf; x = keras.tree.map_structure(tf.Variable, inputs)",
        f"with tf.GradientTape() as tape: y = tf.reduce_sum({_of_x(case)})",
        "print(tape.gradient(y, x))",
    ]


def _of_x(case):
    return case.call_code(inputs="x")


def _require_floats(case, layer):
    output = [leaf for leaf in keras.tree.flatten(case.call(layer)) if leaf is not None]
    if not any("float" in keras.backend.standardize_dtype(leaf.dtype) for leaf in output):
        raise NotApplicable("the output is not made of floats")


def _require_no_influence_of_input(case, layer, leaf):
    inputs = case.inputs
    flat, others = keras.tree.flatten(inputs), keras.tree.flatten(case.draw(1))
    changed = case.replaced(inputs, {leaf: others[leaf]})
    # The same number of samples and shape, other values.
    change = gap(case.run_compiled(layer, inputs), case.run_compiled(layer, changed))
    if change > 1e-3 and flat[leaf].dtype.kind == "f":
        raise Failed(
            "a gradient to the inputs that is not zero everywhere: the output changes with them",
            f"the gradient is zero or missing in all of 3 draws; other inputs change the output by {change:.2g} of its size",
            gradient_lines(case),
        )


def _require_no_influence_of_weight(case, layer, index, start):
    variable = layer.trainable_variables[index]
    before = case.run_compiled(layer)
    rng = np.random.default_rng(case.seed + 1)
    change = 0.0
    for _ in range(3):
        variable.assign(3 * rng.normal(size=tuple(variable.shape)).astype("float32"))
        change = max(change, gap(before, case.run_compiled(layer)))
    variable.assign(start[index])
    if not np.isfinite(change):
        raise Inconclusive(f"the output is not finite with other values of {variable.path}")
    if change > 1e-3:
        raise Failed(
            f"a gradient to `{variable.path}`: the output changes with it",
            f"the gradient is zero or missing in all of 3 draws; other values change the output by {change:.2g} of its size",
            [
                f"{case.call_code()}; before = keras.ops.convert_to_numpy(layer.trainable_weights[{index}]).copy()",
                "model = keras.Sequential([layer])",
                "model.compile(keras.optimizers.SGD(1.0), lambda y, p: keras.ops.sum(p * p))",
                "model.fit(inputs, inputs, epochs=3, verbose=0)",
                f"print(np.abs(keras.ops.convert_to_numpy(layer.trainable_weights[{index}]) - before).max())",
            ]
            if list(case.specs) == ["inputs"]
            else gradient_lines(case),
        )


def _float_specs(case):
    specs = leaf_specs({name: part for name, part in case.specs.items() if name != "mask"})
    return [spec for spec in specs if spec.dtype.startswith("float")]


def _inside(spec, value):
    """Whether a value may occur in inputs of this kind."""
    if spec.domain is None:
        return True
    kind, *ends = spec.domain
    return kind == "interval" and ends[0] <= value <= ends[1]
