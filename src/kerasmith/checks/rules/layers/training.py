"""What a layer does in training only, and what it must not do then."""

from kerasmith.checks.engine.comparison import REPEATED, differ, farthest, gap
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.layer_weights import values
from kerasmith.checks.rules.layers.case import LayerCase


@check("Y104", "layer", "warning", requires=("base", "Y118"), since="0.1.0")
def inference_repeats(case: LayerCase) -> None:
    """The layer is noisy at inference, or changes its state there.

    `predict` and `evaluate` give other numbers each time, and a model that only looks at data is not the same afterwards.
    `call` has no argument `training`, or does not ask it.

    Fix: `def call(self, inputs, training=False)` and `if not training: return inputs`. Noise at inference on purpose is
    `deterministic=False` in the contract, a state that moves there `stateful=True`.
    """
    layer = case.prepared()
    weights = list(layer.weights)
    before = values(weights)
    first = case.arrays(case.call(layer))
    after = values(weights)
    moved = [v.path for v, a, b in zip(weights, before, after) if differ([a], [b], REPEATED)]
    call = case.call_code(training=False)
    if moved and not case.contract.stateful:
        a, b = farthest(before, after)
        raise Failed(
            "the same variables after a call with training=False",
            f"{', '.join(moved[:3])} changed from {a} to {b}",
            [f"{call}; print(layer.non_trainable_weights)", f"{call}; print(layer.non_trainable_weights)"],
            title="The layer changes its state at inference",
        )
    if moved:
        raise NotApplicable("declared: stateful=True")
    case.contract.require("deterministic")
    second = case.arrays(case.call(layer))
    if differ(first, second):
        a, b = farthest(first, second)
        raise Failed(
            "the same output of two calls with training=False",
            f"{a} and {b} at the same place",
            [f"print({call})", f"print({call})"],
            title="The layer is noisy at inference",
        )


@check("Y116", "layer", "error", requires=("base", "Y104"), since="0.1.0")
def trainable_weights_are_left_to_the_optimizer(case: LayerCase) -> None:
    """The layer assigns a statistic of its inputs to a trainable weight.

    A running mean or variance that is not marked `trainable=False` is moved by the optimizer too: the two work against each
    other.

    Fix: `self.add_weight(..., trainable=False)` for what `call` assigns.
    """
    changes = []
    for draw in (0, 1):
        layer = case.prepared()
        weights = list(layer.trainable_weights)
        before = values(weights)
        case.run(layer, case.draw(draw), training=True)
        changes.append([after - start for start, after in zip(before, values(weights))])
    moved = [index for index, change in enumerate(changes[0]) if abs(change).max(initial=0) > 1e-6]
    # Weights that are brought into a form whatever the inputs are, as by a spectral norm, are no statistics.
    of_inputs = [index for index in moved if differ([changes[0][index]], [changes[1][index]])]
    if of_inputs:
        names = ", ".join(f"`{weights[index].path}`" for index in of_inputs)
        size = max(abs(changes[0][index]).max() for index in of_inputs)
        raise Failed(
            f"{names} moved by the optimizer only, or `trainable=False`",
            f"one call with training=True changes {names} by up to {size:.3g}, according to the inputs",
            [
                f"{case.call_code()}; before = keras.ops.convert_to_numpy(layer.trainable_weights[{of_inputs[0]}]).copy()",
                f"{case.call_code(training=True)}; print(before, layer.trainable_weights[{of_inputs[0]}])",
            ],
        )


@check("Y124", "layer", "warning", requires=("base", "Y104", "Y116"), since="0.1.0")
def frozen_state_rests(case: LayerCase) -> None:
    """The state moves in training although the layer is frozen.

    `layer.trainable = False` is how a pretrained part is kept as it is; running statistics that go on moving change what it
    computes.

    Fix: `if training and self.trainable:` around the update.
    """
    case.contract.require("stateful")
    layer = case.prepared()
    layer.trainable = False
    floats = [v for v in layer.weights if "float" in str(v.dtype)]
    if not floats:
        return
    before = values(floats)
    case.run(layer, case.draw(1), training=True)
    after = values(floats)
    moved = [v.path for v, a, b in zip(floats, before, after) if differ([a], [b], REPEATED)]
    if moved:
        a, b = farthest(before, after)
        raise Failed(
            "the same variables after a training step of the frozen layer",
            f"{', '.join(moved[:3])} changed from {a} to {b} ({gap(before, after):.2g} of its size)",
            [
                f"{case.call_code()}; layer.trainable = False; print(layer.non_trainable_weights)",
                f"{case.call_code(training=True)}; print(layer.non_trainable_weights)",
            ],
        )
