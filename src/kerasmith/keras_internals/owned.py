"""All that a model owns, in any nest: optimizers and variables in attributes, lists, dicts, sub-models and other objects."""

import collections
import functools
import numbers
import random
import sys
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import keras
import numpy as np

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
_LONGEST = 1000
# Attributes that a model has only while it trains, or afterwards.
_WHILE_TRAINING = ("stop_training", "history", "_initial_epoch", "_jax_state", "_jax_state_synced", "_epoch_iterator")
_WHILE_TRAINING += ("_trainable_variables_indices", "_supports_jit", "supports_jit", "_call_has_context_arg")
# And after `evaluate`, which `fit` calls with validation data, and `predict`.
_WHILE_TRAINING += ("stop_evaluating", "stop_predicting", "unrolled_steps_per_execution")


class Owned(NamedTuple):
    """What `owned` finds.

    Attributes:
        optimizers: {place: optimizer}, such as `optimizer`, `optimizers['d']`, `gan.d_optimizer`, `optimizer.inner_optimizer`.
        variables: {place: variable}.
        foreign: {place: object} of what has a state and is not Keras': an optimizer or module of PyTorch, a `tf.Variable`, a
            generator of random numbers.
        plain: {place: `Plain`} of numbers, arrays and tuples of them that are no variables.
    """

    optimizers: dict[str, Any]
    variables: dict[str, Any]
    foreign: dict[str, Any]
    plain: dict[str, "Plain"]


class Plain(NamedTuple):
    """A value that is no variable: numbers and arrays, in tuples or not.

    Attributes:
        holder, key: where it is kept: an object and the name of an attribute, a list or dict and the index or key.
        value: what is there.
    """

    holder: Any
    key: Any
    value: Any

    def put(self, value: Any) -> None:
        """Puts another value there."""
        if isinstance(self.holder, (list, Mapping, collections.deque)):
            self.holder[self.key] = value
        elif self.key in vars(self.holder):
            vars(self.holder)[self.key] = value
        else:
            setattr(self.holder, self.key, value)


def owned(model: Any) -> Owned:
    """The optimizers and variables that a model holds, each once and at the shortest of its places; `optimizer` is first.

    What says `is_constant = True` of itself, such as the backbone of a loss, is passed by.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> model.others = {"slow": [keras.optimizers.Adam()]}
    >>> list(owned(model).optimizers)
    ['optimizer', "others['slow'][0]"]
    """
    found, seen = Owned({}, {}, {}, {}), {id(model): model}
    queue = collections.deque([("", model, True)])
    while queue and len(seen) < _MOST_OBJECTS:
        place, holder, is_own = queue.popleft()
        is_container = isinstance(holder, (Mapping, *_CONTAINERS))
        for name, part, key in _parts(holder, place):
            is_own_part = is_own if is_container else not _is_of_keras(holder, key)
            if is_plain(part):
                can_be_put = not isinstance(holder, (tuple, set, frozenset)) and not (is_container and len(holder) > _LONGEST)
                if is_own_part and can_be_put:
                    found.plain[name] = Plain(holder, key, part)
                continue
            if id(part) in seen:
                continue
            if is_foreign(part):
                seen[id(part)] = found.foreign[name] = part
                continue
            if not _is_walked(part):
                continue
            seen[id(part)] = part
            if isinstance(part, keras.Variable):
                found.variables[name] = part
                continue
            if isinstance(part, keras.optimizers.Optimizer):
                found.optimizers[name] = part
            queue.append((name, part, is_own_part))
    # What a variable of Keras keeps its value in is reached in other ways too.
    values = {id(getattr(variable, "_value", None)) for variable in found.variables.values()}
    foreign = {place: one for place, one in found.foreign.items() if id(one) not in values}
    return found._replace(foreign=foreign)


def is_foreign(part: Any) -> bool:
    """Whether an object has a state of its own and is not Keras'."""
    if isinstance(part, (np.random.Generator, np.random.RandomState, random.Random)):
        return True
    tf, torch = sys.modules.get("tensorflow"), sys.modules.get("torch")
    if tf is not None and isinstance(part, (tf.Variable, tf.random.Generator)):
        return True
    if torch is None or isinstance(part, (keras.layers.Layer, keras.Variable)):
        return False
    kinds = (torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler, torch.Generator, torch.nn.Module, torch.nn.Parameter)
    # Keras keeps the values of its own variables in one of these.
    return isinstance(part, kinds) and not isinstance(part, torch.nn.ParameterDict)


def is_plain(part: Any) -> bool:
    """Whether a value is a number, an array, a tensor that is no variable, or a tuple of such."""
    if isinstance(part, tuple):
        return 0 < len(part) <= _LONGEST and all(item is None or is_plain(item) for item in part)
    if isinstance(part, (keras.Variable, keras.KerasTensor)):
        return False
    return isinstance(part, (numbers.Number, np.ndarray)) or (keras.ops.is_tensor(part) and not is_foreign(part))


def _is_of_keras(holder: Any, name: Any) -> bool:
    """Whether an attribute is Keras' own, or one of kerasmith's."""
    if not isinstance(holder, _KERAS):
        return type(holder).__module__.partition(".")[0] in ("keras", "kerasmith")
    if type(holder).__module__.partition(".")[0] in ("keras", "kerasmith") and not isinstance(holder, keras.Model):
        return True
    return name in _names_of_keras()


@functools.cache
def _names_of_keras() -> frozenset[str]:
    # Nothing is drawn, and no name is taken: what is made later is what it would have been.
    layer = keras.layers.Dense(1, kernel_initializer="zeros", name="dense")
    layer.build((None, 1))
    model = keras.Sequential([layer], name="sequential")
    model.compile(keras.optimizers.SGD(name="sgd"), "mse")
    objects = (model, layer, model.optimizer, keras.losses.Loss(name="loss"), keras.metrics.Mean(name="mean"))
    return frozenset(_WHILE_TRAINING).union(*map(vars, objects))


def _parts(holder: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """(place, part, key) of all that an object holds."""
    if isinstance(holder, Mapping):
        yield from [(f"{place}[{key!r}]", part, key) for key, part in list(holder.items())]
        return
    if isinstance(holder, _CONTAINERS):
        yield from [(f"{place}[{i}]", part, i) for i, part in enumerate(holder)]
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
    yield from [(f"{place}.{name}" if place else name, part, name) for name, part in ordered]


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
    if part is None or isinstance(part, type) or getattr(part, "is_constant", False) is True:
        return False
    package = type(part).__module__.partition(".")[0]
    return package not in _FOREIGN and not isinstance(part, keras.callbacks.Callback)
