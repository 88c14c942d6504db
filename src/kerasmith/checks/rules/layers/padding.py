"""Padding does not count: a mask of our own, and longer padding, where nobody declared one."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasmith.checks.engine.comparison import differ, farthest
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.engine.spec import Spec
from kerasmith.checks.rules.layers.case import LayerCase
from kerasmith.keras_internals.reproducers import IMPORT_GET_MASK, IMPORT_SET_MASK

_MORE = 2
_LENGTH = 6


@check("Y132", "layer", "error", requires=("base", "Y104", "Y106", "Y108"), since="0.2.0")
def padding_does_not_count(case: LayerCase) -> None:
    """Padding counts, although the layer takes a mask or says that it supports one.

    A sum that leaves the padding out and is divided by the full length, a softmax over all steps: what comes out of a short
    sequence depends on how long the longest of its batch is. The same sequence with more padding behind it must give the same.

    Fix: divide by the number of steps that count, `ops.sum(mask, axis=1)`; give padded steps a weight of 0 before they are
    compared (`ops.where(mask, score, -1e9)` before a softmax or a maximum); take `mask=None` in `call`.
    """
    values = _sequences(case)
    layer, mask = case.prepared(), _mask(case, values)
    claims = layer.supports_masking or "mask" in case.call_arguments
    pooled = _pooled(case, layer, values)
    if not claims and not pooled:
        raise NotApplicable("it says nothing of masks, and keeps the steps")
    hidden = ~mask[..., None]
    other = np.where(hidden, values + 1.0, values).astype(values.dtype)
    before, after = (_valid(case, layer, given, mask) for given in (values, other))
    if differ(before, after):
        a, b = farthest(before, after)
        _leaks(case, claims, f"{a} becomes {b} when only masked values change")
        return
    with _as_it_may_fail():
        longer = [np.concatenate([values, values[:, -_MORE:] + 1.0], axis=1), np.pad(mask, ((0, 0), (0, _MORE)))]
        after = _valid(case, layer, longer[0].astype(values.dtype), longer[1], steps=mask.shape[1])
        if differ(before, after):
            a, b = farthest(before, after)
            _leaks(case, claims, f"{a} becomes {b} with {_MORE} masked steps more")


@check("Y133", "layer", "warning", requires=("base", "Y104", "Y108"), since="0.2.0")
def mask_goes_on(case: LayerCase) -> None:
    """The mask ends at an elementwise layer.

    The layer treats each step on its own, so a mask of its inputs fits its output. As it does not say so, Keras drops the mask
    and warns once: the pooling, the attention or the loss behind it counts the padding.

    Fix: `self.supports_masking = True` in `__init__`: the mask is passed on as it is.
    """
    if "mask" in case.specs:
        raise NotApplicable("a mask is declared: Y108 asks")
    values = _sequences(case, widen=True)
    layer = case.make()
    if layer.supports_masking or "mask" in case.call_arguments:
        return
    try:
        output = case.arrays(case.call(layer, {"inputs": values}))
        changed = values.copy()
        changed[:, -1] += 1.0
        other = case.arrays(case.call(layer, {"inputs": changed}))
    except Exception:
        raise NotApplicable("it does not take sequences") from None
    if len(output) != 1 or output[0].shape[:2] != values.shape[:2] or output[0].ndim < 3:
        raise NotApplicable("it does not keep the steps")
    if differ([output[0][:, :-1]], [other[0][:, :-1]]) or not differ(output, other):
        raise NotApplicable("its steps depend on each other")
    raise Failed(
        f"the mask of the {values.shape[1]} steps on the output, or `supports_masking`",
        "no mask: Keras drops it and warns",
        [
            f'x = keras.ops.convert_to_tensor(np.ones({values.shape}, "float32")); {IMPORT_SET_MASK}; {IMPORT_GET_MASK}',
            f'set_keras_mask(x, keras.ops.convert_to_tensor(np.ones({values.shape[:2]}, "bool")))',
            "print(get_keras_mask(layer(x)))",
        ],
    )


def _sequences(case: LayerCase, widen: bool = False) -> np.ndarray:
    """(B, T, F) floats: those of the case or, with `widen`, as many features on a time axis of their own."""
    spec = case.specs.get("inputs")
    if not isinstance(spec, Spec) or set(case.specs) - {"inputs", "mask"} or not spec.dtype.startswith("float"):
        raise NotApplicable("not one array of floats")
    if len(spec.shape) == 3 and spec.shape[1] > 1:
        return case.inputs["inputs"]
    if widen and len(spec.shape) == 2:
        return np.random.default_rng(case.seed).uniform(-1, 1, (spec.shape[0], _LENGTH, spec.shape[1])).astype(spec.dtype)
    raise NotApplicable("the inputs are no sequences (batch, steps, features)")


def _mask(case: LayerCase, values: np.ndarray) -> np.ndarray:
    """The declared mask, or one in which each sequence has a length of its own and padding behind it."""
    steps = values.shape[1]
    lengths = 1 + np.arange(len(values)) % (steps - 1)
    return np.arange(steps)[None] < lengths[:, None]


def _pooled(case: LayerCase, layer: Any, values: np.ndarray) -> bool:
    """Whether the steps are gone from the one output."""
    output = case.arrays(case.call(layer, {"inputs": values}))
    return len(output) == 1 and output[0].shape == (len(values), *output[0].shape[1:]) and output[0].ndim == 2


def _valid(case: LayerCase, layer: Any, values: np.ndarray, mask: np.ndarray, steps: int | None = None) -> list[np.ndarray]:
    """The outputs at steps that count, by the mask of the output where it has one; of one without steps all of it."""
    from kerasmith.keras_internals.tensors import keras_mask

    output = case.call(layer, {"inputs": values, "mask": mask})
    found = []
    for leaf in keras.tree.flatten(output):
        array, own = case.number(leaf), keras_mask(leaf)
        if own is not None and tuple(own.shape) == array.shape[:2]:
            if own.shape == mask.shape and not np.array_equal(case.number(own) > 0, mask):
                raise NotApplicable("it makes a mask of its own")
            found.append(array[case.number(own) > 0])
        elif array.ndim < 3:
            found.append(array)
        elif array.shape[:2] == mask.shape:
            found.append(array[:, :steps][mask[:, :steps]])
        else:
            raise NotApplicable("it changes the number of steps, and passes no mask on")
    return found


def _leaks(case: LayerCase, claims: bool, actual: str) -> None:
    lines = [
        "mask = np.arange(inputs.shape[1])[None] < 1 + np.arange(len(inputs))[:, None] % (inputs.shape[1] - 1)",
        f"{IMPORT_SET_MASK}; x = keras.ops.convert_to_tensor(inputs); set_keras_mask(x, keras.ops.convert_to_tensor(mask))",
        "print(layer(x))",
        "more = np.where(mask[..., None], inputs, inputs + 1)",
        f"more = np.concatenate([more, inputs[:, -{_MORE}:] + 1], axis=1).astype('float32')",
        f"x = keras.ops.convert_to_tensor(more); mask = np.pad(mask, ((0, 0), (0, {_MORE})))",
        "set_keras_mask(x, keras.ops.convert_to_tensor(mask))",
        "print(layer(x))",
    ]
    title = None if claims else "Steps are pooled, and a mask of the inputs is not asked for"
    # One that takes the mask computes something wrong with it; to say `supports_masking` alone may mean that it goes on.
    severity = None if "mask" in case.call_arguments else "warning"
    raise Failed("the same output, whatever the padding is", actual, lines, title=title, severity=severity)


@contextlib.contextmanager
def _as_it_may_fail() -> Iterator[None]:
    """A layer of a fixed length refuses a longer one: that is another question."""
    try:
        yield
    except (Failed, NotApplicable):
        raise
    except Exception as error:
        raise NotApplicable(f"it does not take longer sequences ({type(error).__name__})") from None
