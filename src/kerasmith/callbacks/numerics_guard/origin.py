"""Where a number that is not finite came up, told from the calls of layers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops, tree

from kerasmith.callbacks.numerics_guard.nonfinite_report import KINDS
from kerasmith.distribution.exchange import processes
from kerasmith.keras_internals.device_state import is_finite

_MOST_SAMPLES = 5


class Origin(NamedTuple):
    """A kind of `NonFiniteReport`, where it is, more about it, and positions in the batch."""

    kind: str
    where: str
    detail: str = ""
    samples: list[int] = []


def of_all_processes(own: Origin) -> Origin:
    """What all processes tell: where each brings its own share of the data, the earliest in a step, and whose it is."""
    here = processes()
    known = [Origin(*one) for one in here.of_all(tuple(own))]
    if not here.brings_own_share:
        return known[0]
    rank = min(range(here.count), key=lambda rank: KINDS.index(known[rank].kind))
    return known[rank]._replace(detail=f"It came up in the share of rank {rank}. {known[rank].detail}".strip())


def in_calls(model: keras.Model, calls: Sequence[Any], y_pred: Any) -> Origin | None:
    """The first layer that made something that is not finite out of finite inputs, or None.

    Args:
        model: the model.
        calls: of its layers, in order, from `traced`.
        y_pred: what the model gave.
    """
    for call in calls:
        bad = [tensor for tensor in call.outputs if not is_finite(tensor)]
        if not bad:
            continue
        samples = bad_samples(ops.convert_to_numpy(bad[0]))
        if all(is_finite(tensor) for tensor in call.inputs):
            return Origin("activation", call.name, "", samples)
        return Origin("activation", _parent(model, call.name), f"It came up before its part {call.name!r}", samples)
    for leaf in tree.flatten(y_pred):
        if leaf is not None and not is_finite(leaf):
            samples = bad_samples(ops.convert_to_numpy(leaf))
            return Origin("activation", model.name, "It came up after all of its layers", samples)
    return None


def bad_samples(array: Any) -> list[int]:
    """The first few positions along the first axis at which something is not finite."""
    array = np.asarray(array, "float32")
    if array.ndim == 0:
        return []
    return np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))[:_MOST_SAMPLES].tolist()


def _parent(model, name):
    return name.rsplit("/", 1)[0] if "/" in name else model.name
