"""A layer does to each sample the same, however many there are and whatever the others are."""

import numpy as np

from kerasmith.checks.engine.comparison import REPEATED, differ, farthest
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.engine.spec import leaf_specs
from kerasmith.checks.harness.layer_weights import copy_weights
from kerasmith.checks.rules.layers.case import LayerCase
from kerasmith.checks.rules.layers.lengths import stretched


@check("Y106", "layer", "error", requires=("base", "Y104"), since="0.1.0")
def samples_are_independent(case: LayerCase) -> None:
    """The output of a sample depends on the other samples of the batch.

    At inference the answer for an image then depends on what else is in the batch: a softmax, maximum or mean over axis 0,
    or over all axes.

    Fix: reduce over the axes of one sample only, `axis=-1` or `axis=tuple(range(1, ndim))`. If samples are compared on
    purpose, declare `independent=False`.
    """
    case.contract.require("independent")
    layer = case.prepared()
    reference = case.run_compiled(layer)
    _require_batch(case, reference)
    _require_repeatable(case, layer, reference)
    others = case.run_compiled(layer, _mixed(case, keep_first=True))
    first, changed = [a[:1] for a in reference], [a[:1] for a in others]
    if differ(first, changed):
        old, new = farthest(first, changed)
        raise Failed(
            "the same output of sample 0 whatever the other samples are",
            f"{old} becomes {new} when the other samples are replaced",
            [
                f"alone = {_first_sample(case)}",
                f"print(np.abs(keras.ops.convert_to_numpy({case.call_code()})[:1] - keras.ops.convert_to_numpy(alone)).max())",
            ]
            if list(case.specs) == ["inputs"] and not isinstance(case.specs["inputs"], (list, dict))
            else [f"print({case.call_code()})"],
        )
    own = case.run_compiled(layer, _mixed(case, keep_first=False))
    if not differ(first, [a[:1] for a in own], REPEATED):
        raise Inconclusive("the output of a sample does not change with the sample")


@check("Y103", "layer", "error", requires=("base", "Y102", "Y106", "Y112"), since="0.1.0")
def any_batch_size(case: LayerCase) -> None:
    """The layer works for one batch size only.

    The last batch of an epoch is smaller, and `predict` is called with one sample: a size that is written down, or kept from
    `build`, fails or shifts the rows.

    Fix: `keras.ops.shape(inputs)[0]`, or -1 in one place of `reshape`.
    """
    if getattr(case.make(), "stateful", False):
        raise NotApplicable("a stateful layer keeps one state for each sample of a batch of fixed size")
    layer = case.prepared()
    reference = case.run_compiled(layer)
    _require_batch(case, reference)
    size = case.batch - 1 if case.batch > 1 else 3
    smaller = case.draw(0, size)
    reproducer = [
        f"print({case.call_code()})",
        f"{', '.join(case.specs)} = {', '.join(_sliced(name, size) for name in case.specs)}",
    ]
    reproducer.append(f"print({case.call_code()})")
    try:
        again = case.run_compiled(layer, smaller)
    except Exception as error:
        try:
            case.run_compiled(case.prepared(smaller), smaller)
        except Exception:
            raise Failed(f"an output for {size} samples as for {case.batch}", describe_error(error), reproducer) from error
        raise Failed(f"an output for {size} samples after {case.batch}", describe_error(error), reproducer) from error
    if [a.shape[:1] for a in again] != [(size,)] * len(again):
        shapes = ", ".join(str(a.shape) for a in again)
        raise Failed(f"{size} rows for {size} samples", f"shape {shapes}", reproducer)
    fresh = case.make()
    case.prepare(fresh, smaller)
    if not copy_weights(layer, fresh):
        raise Failed(
            "weights of the same shape for any batch size", "weights whose shape depends on the batch size", reproducer
        )
    alone = case.run_compiled(fresh, smaller)
    if differ(again, alone) and not differ(alone, case.run_compiled(fresh, smaller)):
        a, b = farthest(alone, again)
        raise Failed(f"{a}, as of a layer that was built for {size} samples", f"{b} after a batch of {case.batch}", reproducer)


@check("Y119", "layer", "error", requires=("base", "Y103"), since="0.1.0")
def any_length(case: LayerCase) -> None:
    """The layer keeps the length that it was built with.

    Another length at the second call gives a silently wrong number, such as a mean that is divided by the first length.

    Fix: read `keras.ops.shape(inputs)[1]` in `call`, or declare `self.input_spec` so that another length is refused.
    """
    longer = stretched(case.specs, lambda length: length + 3)
    if longer == case.specs:
        raise NotApplicable("the inputs have no axis whose length may vary")
    arrays = case.draw_of(longer)
    layer, fresh = case.prepared(), case.make()
    try:
        case.prepare(fresh, arrays)
    except Exception as error:
        raise NotApplicable(f"a longer input is refused ({describe_error(error)})") from error
    if not copy_weights(layer, fresh):
        raise NotApplicable("the weights depend on the length")
    right = case.run_compiled(fresh, arrays)
    try:
        retained = case.run_compiled(layer, arrays)
    except Exception:
        return  # Not silent.
    if differ(right, retained):
        a, b = farthest(right, retained)
        length = _axis(longer)
        raise Failed(
            f"{a} for length {length}, as of a layer with these weights that was built for it",
            f"{b} after a call with length {_axis(case.specs)}",
            [
                f"{case.call_code()}  # builds it",
                f"inputs = np.ones((2, {length}, *inputs.shape[2:]), inputs.dtype)",
                "print(layer(inputs))",
            ]
            if list(case.specs) == ["inputs"] and not isinstance(case.specs["inputs"], (list, dict))
            else [f"print({case.call_code()})"],
        )


def _require_batch(case, outputs):
    if any(a.ndim == 0 or a.shape[0] != case.batch for a in outputs):
        raise NotApplicable("the output has no batch axis")
    if case.batch < 2:
        raise Inconclusive("one sample has no others: declare inputs with at least two")


def _require_repeatable(case, layer, reference):
    if differ(reference, case.run_compiled(layer)):
        raise Inconclusive("two calls on the same input differ")


def _mixed(case, keep_first):
    """The inputs with all samples but the first replaced, or only the first."""
    old, new = (keras.tree.flatten(case.draw(draw)) for draw in (0, 1))
    mixed = []
    for a, b in zip(old, new):
        mine, others = (a, b) if keep_first else (b, a)
        shifted = others + (np.ptp(others) if others.dtype.kind == "f" and _unbounded(case) else 0)
        mixed.append(np.concatenate([mine[:1], shifted[1:].astype(a.dtype)]))
    return keras.tree.pack_sequence_as(case.inputs, mixed)


def _unbounded(case):
    return all(spec.domain is None for spec in leaf_specs(case.specs))


def _axis(specs):
    return next((leaf.shape[1] for leaf in leaf_specs(specs) if len(leaf.shape) > 1), None)


def _first_sample(case):
    return case.call_code(inputs="inputs[:1]")


def _sliced(name, size):
    return f"{name}[:{size}]"
