"""What makes a part savable: constructor arguments that survive `get_config`, and the name under which it is found."""

import inspect
import re
from typing import Any, ClassVar, Self

import keras
import numpy as np

from kerasmith._types import Config
from kerasmith.base.keywords import check_keywords

_PLAIN = (type(None), bool, int, float, str)


class _ConstructorSignature:
    """What `inspect.signature(cls)` reads; an instance keeps the signature of its `__call__`, which tf.function needs."""

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        if instance is not None:
            raise AttributeError("__signature__")
        return _merged_signature(owner)


class Configured:
    """Mixin that records the constructor call and gives it back from `get_config`.

    Every argument of the most derived constructor is kept, defaults included: a default that changes in a later
    version must not change a model that was saved. `name` and `dtype` are stored as they were resolved. Arguments that
    are objects (losses, schedules, policies, arrays) go through Keras' own serialisation.

    A constructor that forwards `**kwargs` to its parent shows the parent's keywords in its signature.
    """

    __signature__: ClassVar[Any] = _ConstructorSignature()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        instance = super().__new__(cls)
        try:
            bound = inspect.signature(cls).bind(*args, **kwargs)
        except TypeError:
            check_keywords(cls, kwargs)
            bound = None  # __init__ is about to raise, or this is a bare copy that gets its state afterwards
        if bound is not None:
            bound.apply_defaults()
            object.__setattr__(instance, "_constructor_arguments", _flat(bound))
        return instance

    def get_config(self) -> Config:
        """All constructor arguments, JSON-serialisable."""
        config = dict(self._constructor_arguments)
        if "name" in config:
            config["name"] = self.name
        if "dtype" in config and config["dtype"] is None:
            config["dtype"] = self.dtype
        return {key: _serialize(value) for key, value in config.items()}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Builds the object that `get_config` described."""
        return cls(**{key: _deserialize(value) for key, value in config.items()})


def _merged_signature(cls):
    """The constructor's signature with `**kwargs` replaced by the keywords of the next constructor in line."""
    parameters = {}
    for owner in cls.__mro__:
        if "__init__" not in vars(owner) or owner is object:
            continue
        own = list(inspect.signature(owner.__init__).parameters.values())[1:]
        forwards = any(p.kind is p.VAR_KEYWORD for p in own)
        for p in own:
            if p.kind is not p.VAR_KEYWORD and p.name not in parameters:
                # Only the outermost constructor can take an argument by position.
                first = not parameters or all(q.kind is q.POSITIONAL_OR_KEYWORD for q in parameters.values())
                inner = owner is not _first_init_owner(cls)
                kind = p.KEYWORD_ONLY if (inner and p.kind is p.POSITIONAL_OR_KEYWORD) or not first else p.kind
                parameters[p.name] = p.replace(kind=kind)
        if not forwards:
            break
    else:
        if not any("__init__" in vars(owner) for owner in cls.__mro__[:-1]):
            return inspect.Signature()
        parameters["kwargs"] = inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)
    return inspect.Signature(sorted(parameters.values(), key=lambda p: p.kind))


def _first_init_owner(cls):
    return next(owner for owner in cls.__mro__ if "__init__" in vars(owner))


def _flat(bound):
    arguments = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            if value:
                raise TypeError(
                    f"Constructor arguments must have names to be saved. Received: *{name}={value!r}. "
                    f"Write `def __init__(self, {name}, ...)` and pass a list."
                )
        elif kind is inspect.Parameter.VAR_KEYWORD:
            arguments.update(value)
        else:
            arguments[name] = value
    return arguments


def _serialize(value):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list):
        return [_serialize(v) for v in value]
    return keras.saving.serialize_keras_object(value)


def _deserialize(value):
    if isinstance(value, list):
        return [_deserialize(v) for v in value]
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value


def register(cls: type | None = None, *, name: str | None = None) -> Any:
    """Class decorator: registers the class as "kerasmith>Name".

    Args:
        cls: the class, when used as `@register`.
        name: another name than that of the class, where two packages have a class of one name:
            `@register(name="SSIMLoss")`.
    """
    decorator = keras.saving.register_keras_serializable(package="kerasmith", name=name)
    return decorator if cls is None else decorator(cls)


def snake_case(class_name: str) -> str:
    """`FocalTversky` -> "focal_tversky", `DiceCE` -> "dice_ce", `IoU` -> "iou"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", class_name.replace("IoU", "Iou")).lower()
