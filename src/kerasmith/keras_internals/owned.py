"""All that a model owns, in any nest: optimizers and variables in attributes, lists, dicts, sub-models and other objects."""

import collections
import sys
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import keras

_KERAS = (
    keras.layers.Layer,
    keras.optimizers.Optimizer,
    keras.metrics.Metric,
    keras.losses.Loss,
    keras.optimizers.schedules.LearningRateSchedule,
    keras.random.SeedGenerator,
)
_CONTAINERS = (list, tuple, set, frozenset, collections.deque)
# Objects of these packages are walked only if they are one of the kinds above.
_FOREIGN = {"keras", "tensorflow", "torch", "jax", "jaxlib", "numpy", "optree", "h5py", "builtins", *sys.stdlib_module_names}
_FOREIGN -= {"__main__"}
_MOST_OBJECTS = 20_000


class Owned(NamedTuple):
    """What `owned` finds.

    Attributes:
        optimizers: {place: optimizer}, such as `optimizer`, `optimizers['d']`, `gan.d_optimizer`, `optimizer.inner_optimizer`.
        variables: {place: variable}.
    """

    optimizers: dict[str, Any]
    variables: dict[str, Any]


def owned(model: Any) -> Owned:
    """The optimizers and variables that a model holds, each once and at the shortest of its places; `optimizer` is first.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> model.others = {"slow": [keras.optimizers.Adam()]}
    >>> list(owned(model).optimizers)
    ['optimizer', "others['slow'][0]"]
    """
    found, seen = Owned({}, {}), {id(model): model}
    queue = collections.deque([("", model)])
    while queue and len(seen) < _MOST_OBJECTS:
        place, holder = queue.popleft()
        for name, part in _parts(holder, place):
            if id(part) in seen or not _is_walked(part):
                continue
            seen[id(part)] = part
            if isinstance(part, keras.Variable):
                found.variables[name] = part
                continue
            if isinstance(part, keras.optimizers.Optimizer):
                found.optimizers[name] = part
            queue.append((name, part))
    return found


def _parts(holder: Any, place: str) -> Iterator[tuple[str, Any]]:
    """(place, part) of all that an object holds."""
    if isinstance(holder, Mapping):
        yield from [(f"{place}[{key!r}]", part) for key, part in list(holder.items())]
        return
    if isinstance(holder, _CONTAINERS):
        yield from [(f"{place}[{i}]", part) for i, part in enumerate(holder)]
        return
    inside = dict(_attributes(holder))
    if isinstance(holder, keras.optimizers.Optimizer) and isinstance(getattr(holder, "optimizers", None), list):
        inside = {"optimizers": holder.optimizers, **inside}
    # Under the names that a user wrote first. What Keras keeps is named with an underscore.
    ordered = sorted(
        inside.items(), key=lambda item: item[0].startswith("_") and not isinstance(item[1], keras.optimizers.Optimizer)
    )
    if place == "" and "optimizer" in inside:
        ordered = [("optimizer", inside["optimizer"]), *ordered]
    yield from [(f"{place}.{name}" if place else name, part) for name, part in ordered]


def _attributes(holder: Any) -> Iterator[tuple[str, Any]]:
    yield from list(getattr(holder, "__dict__", {}).items())
    for cls in type(holder).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(holder, name):
                yield name, getattr(holder, name)
    # PyTorch keeps the layers of a layer elsewhere.
    if isinstance(holder, keras.layers.Layer) and keras.backend.backend() == "torch":
        yield from list(holder.named_children())


def _is_walked(part: Any) -> bool:
    if isinstance(part, (keras.Variable, Mapping, SimpleNamespace, *_KERAS, *_CONTAINERS)):
        return True
    if part is None or isinstance(part, type):
        return False
    package = type(part).__module__.partition(".")[0]
    return package not in _FOREIGN and not isinstance(part, keras.callbacks.Callback)
