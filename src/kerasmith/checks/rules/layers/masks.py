"""A layer uses the mask of its inputs, and hands on one that fits its output."""

import numpy as np

from kerasmith.checks.engine.comparison import differ, farthest
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.layers.case import LayerCase
from kerasmith.keras_internals.reproducers import IMPORT_GET_MASK, IMPORT_SET_MASK


@check("Y108", "layer", "error", requires=("base", "Y104"), since="0.1.0")
def mask_is_used_and_passed_on(case: LayerCase) -> None:
    """The mask of the inputs is ignored, lost, or does not fit the output.

    The padding of short sequences then counts as data in this layer or the ones behind it: means, losses and attention see
    the zeros.

    Fix: take `mask=None` in `call` and leave the padding out; set `self.supports_masking = True` in `__init__`; if the
    output has other steps than the input, return their mask from `compute_mask`, or None if there are no steps any more.
    """
    inputs = case.inputs
    if "mask" not in inputs:
        raise NotApplicable('the inputs have no mask: declare one, like={..., "mask": "bool[4,6]"}')
    if isinstance(inputs["inputs"], (list, dict)) or isinstance(inputs["mask"], (list, dict)):
        raise NotApplicable("several inputs: only the mask of a single one is tried")
    layer, mask, values = case.prepared(), inputs["mask"], inputs["inputs"]
    if not mask.any() or mask.all():
        raise Inconclusive("the mask that was drawn leaves all or nothing out")
    output = case.call(layer)
    leaves = [leaf for leaf in keras.tree.flatten(output) if leaf is not None]
    if "mask" in case.call_arguments:
        _require_used(case, layer, values, mask)
    _require_fitting(case, leaves, mask)
    _require_passed_on(case, layer, leaves, mask)


def _require_used(case, layer, values, mask):
    """What stands in the padding must not reach the steps that count."""
    if values.dtype.kind not in "fi":
        return
    hidden = ~mask.reshape(mask.shape + (1,) * (values.ndim - mask.ndim))
    other = case.draw(1)["inputs"]
    changed = np.where(
        hidden, other + 1 if values.dtype.kind == "f" and case.specs["inputs"].domain is None else other, values
    )
    changed = changed.astype(values.dtype)
    before, after = (
        [_seen(a, mask) for a in case.run_compiled(layer, {**case.inputs, "inputs": given})] for given in (values, changed)
    )
    if differ(before, after):
        a, b = farthest(before, after)
        inverted = _is_inverted(case, layer, np.where(hidden, values, other).astype(values.dtype), mask)
        raise Failed(
            "the same output at the steps that count, whatever stands in the padding",
            f"{a} becomes {b} when only masked values change",
            [
                "hidden = ~mask.reshape(mask.shape + (1,) * (inputs.ndim - mask.ndim))",
                f"print({case.call_code()})",
                "inputs = np.where(hidden, inputs + 1, inputs)",
                f"print({case.call_code()})",
            ],
            title="The mask is used the wrong way round: the padding counts, and nothing else"
            if inverted
            else "The layer takes the mask and does not use it",
            fix="In Keras a mask is True where a step counts: add `(1 - mask) * -1e4` to scores, not `mask * -1e4`."
            if inverted
            else None,
        )


def _is_inverted(case, layer, other, mask):
    """Whether samples that have a padding say the same for `other` values at the steps that count."""
    partly = mask.reshape(len(mask), -1)
    partly = partly.any(axis=1) & ~partly.all(axis=1)
    outputs = [case.run_compiled(layer, {**case.inputs, "inputs": given}) for given in (case.inputs["inputs"], other)]
    if not partly.any() or any(not a.ndim or len(a) != len(mask) or a.shape[: mask.ndim] == mask.shape for a in outputs[0]):
        return False
    return not differ(*([a[partly] for a in arrays] for arrays in outputs))


def _require_fitting(case, leaves, mask):
    """The mask of an output begins with its axes."""
    from kerasmith.keras_internals.tensors import keras_mask

    for leaf in leaves:
        own = keras_mask(leaf)
        shape = None if own is None else tuple(own.shape)
        if shape is not None and shape != tuple(leaf.shape)[: len(shape)]:
            raise Failed(
                f"a mask of shape {tuple(leaf.shape)[: mask.ndim]} for an output of shape {tuple(leaf.shape)}, or None",
                f"a mask of shape {shape}",
                [
                    *_masked_lines(case),
                    f"y = {_masked_call(case)}; {IMPORT_GET_MASK}; print(y.shape, get_keras_mask(y).shape)",
                ],
                title="The mask that the layer passes on does not fit its output",
            )


def _require_passed_on(case, layer, leaves, mask):
    """A layer that keeps the steps keeps their mask."""
    from kerasmith.keras_internals.tensors import keras_mask

    steps = [leaf for leaf in leaves if leaf.ndim > mask.ndim and tuple(leaf.shape)[: mask.ndim] == mask.shape]
    if layer.supports_masking or not steps or "mask" in case.call_arguments:
        return
    if all(keras_mask(leaf) is None for leaf in steps):
        raise Failed(
            f"an output of shape {tuple(steps[0].shape)} with the mask of its {mask.shape[1]} steps",
            "no mask: Keras drops it and warns, as the layer does not say `supports_masking`",
            [*_masked_lines(case), f"{IMPORT_GET_MASK}; print(get_keras_mask({_masked_call(case)}))"],
            severity="warning",
            title="The mask ends at this layer",
            fix="`self.supports_masking = True` in `__init__`: the mask is passed on as it is.",
        )


def _seen(array, mask):
    """The numbers at the steps that count, of samples that have some; the whole output where it has no steps."""
    samples = mask.reshape(len(mask), -1).any(axis=1)
    if array.shape[: mask.ndim] == mask.shape:
        return array[mask]
    return array[samples] if array.ndim and len(array) == len(mask) else array


def _masked_lines(case):
    return [
        f"{IMPORT_SET_MASK}; x = keras.ops.convert_to_tensor(inputs); set_keras_mask(x, keras.ops.convert_to_tensor(mask))"
    ]


def _masked_call(case):
    return case.call_code(inputs="x").replace(", mask=mask", "")
