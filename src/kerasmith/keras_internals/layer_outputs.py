"""What single layers return in one pass through a model: of a graph, a nested model, or a subclass."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
from keras import tree

from kerasmith._types import Tensor


class _AllSeen(BaseException):
    """Ends a pass of which nothing more is needed. No `Exception`: Keras would wrap it in one that names the arguments."""


def layer_outputs(model: keras.Model, layers: Sequence[Any] | None, x: Tensor) -> list[Any]:
    """The first result of each of `layers` in `model(x, training=False)`; the pass ends once all are there.

    Without layers, the outputs of the model in a list.

    A layer that the pass does not reach has None.

    Args:
        model: a built model.
        layers: layers or operations inside it, without repetition; or None.
        x: its input.
    """
    # A graph that was made of a list or a dict of one input warns of a tensor.
    structure = getattr(model, "_inputs_struct", None)
    x = x if structure is None else tree.pack_sequence_as(structure, [x])
    if layers is None:
        return tree.flatten(model(x, training=False))
    seen: dict[int, Any] = {}

    def record(layer: Any, result: Any) -> None:
        seen.setdefault(id(layer), result)
        if len(seen) == len(layers):
            raise _AllSeen

    with contextlib.ExitStack() as stack:
        for layer in layers:
            stack.enter_context(_recording(layer, record))
        with contextlib.suppress(_AllSeen):
            model(x, training=False)
    return [seen.get(id(layer)) for layer in layers]


def layers_that_return(model: keras.Model, x: Tensor) -> list[Any]:
    """For each output of `model(x, training=False)` the innermost layer that has returned this very tensor, or None."""
    makers: dict[int, Any] = {}

    def record(layer: Any, result: Any) -> None:
        for tensor in tree.flatten(result):
            # The tensor as well: while it is held no other one has its id.
            makers.setdefault(id(tensor), (layer, tensor))

    with contextlib.ExitStack() as stack:
        for layer in model._flatten_layers(include_self=False):
            stack.enter_context(_recording(layer, record))
        outputs = tree.flatten(model(x, training=False))
    found = [makers.get(id(output)) for output in outputs]
    return [None if one is None else one[0] for one in found]


@contextlib.contextmanager
def _recording(layer: Any, record: Callable[[Any, Any], None]) -> Iterator[None]:
    """Within it `record(layer, result)` is told of each call of a layer."""
    original, before = layer.call, layer.__dict__.get("call")

    @functools.wraps(original)
    def call(*args, **kwargs):
        result = original(*args, **kwargs)
        record(layer, result)
        return result

    # Not by `setattr`, which Keras watches.
    object.__setattr__(layer, "call", call)
    try:
        yield
    finally:
        if before is None:
            layer.__dict__.pop("call", None)
        else:
            object.__setattr__(layer, "call", before)
