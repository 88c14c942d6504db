"""What a part says to a keyword that it does not have: the nearest ones, or what another library's is called here."""

import difflib
import functools
import inspect
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, ParamSpec, Self, TypeVar

from kerasmith.base.foreign_keywords import FOREIGN

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

# Keras takes these out of the keywords of a layer without naming them in a signature.
_OF_LAYERS = frozenset({"input_dim", "input_shape", "batch_size", "batch_input_shape", "dtype_policy"})
_KNOWN: weakref.WeakKeyDictionary[type, frozenset[str] | None] = weakref.WeakKeyDictionary()


class _OfConstructor:
    """What `inspect.signature(cls)` reads: the constructor, not `__new__`. An instance keeps that of its `__call__`."""

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        if instance is not None:
            raise AttributeError("__signature__")
        signature = inspect.signature(_constructors(owner)[0].__init__)
        return signature.replace(parameters=list(signature.parameters.values())[1:])


class KnowsKeywords:
    """Mixin of what is made by its user: a keyword that the constructor does not have is an error that helps.

    A subclass that takes `**kwargs` of its own is not asked: it may use them itself.
    """

    __signature__: ClassVar[Any] = _OfConstructor()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if kwargs:
            check_keywords(cls, kwargs)
        new = super().__new__
        return new(cls) if new is object.__new__ else new(cls, *args, **kwargs)


def check_keywords(cls: type, given: Iterable[str]) -> None:
    """Raises TypeError for a keyword that no constructor of `cls` has."""
    if cls not in _KNOWN:
        _KNOWN[cls] = _known_keywords(cls)
    known = _KNOWN[cls]
    if known is None:
        return
    for name in given:
        if name not in known and name not in _OF_LAYERS:
            raise TypeError(_message(_title(cls), name, [one for one in _own_first(cls) if one in known]))


def explain_keywords(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Decorator: the same for the keywords of a public function."""
    names = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def explained(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        for name in kwargs:
            if name not in names:
                raise TypeError(_message(f"{function.__module__.split('.')[1]}.{function.__name__}", name, names))
        return function(*args, **kwargs)

    return explained


def _known_keywords(cls):
    """Keywords of the constructors from `cls` up to the first that hands none on; None if they cannot be known."""
    known = set()
    for owner in _constructors(cls):
        parameters = list(inspect.signature(owner.__init__).parameters.values())[1:]
        known |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return frozenset(known)
        if not owner.__module__.startswith(("kerasmith.", "keras.")):
            return None
        if owner.__module__.startswith("keras."):
            return frozenset(known)
    return None if _constructors(cls) else frozenset()


def _constructors(cls):
    return [owner for owner in cls.__mro__ if "__init__" in vars(owner) and owner is not object]


def _own_first(cls):
    """Names of keywords, those of the class itself in front."""
    names = [name for owner in _constructors(cls) for name in inspect.signature(owner.__init__).parameters]
    return list(dict.fromkeys(name for name in names if name not in ("self", "args", "kwargs")))


def _title(cls):
    package = cls.__module__.split(".")
    return f"{package[1]}.{cls.__name__}" if package[0] == "kerasmith" and len(package) > 1 else cls.__name__


def _message(part, name, known):
    text = f"{part} has no argument `{name}`."
    foreign = next(((ours, advice) for ours, advice in FOREIGN.get(name, ()) if ours in known), None)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6 if foreign is None else 0.8)
    if foreign is not None:
        ours, advice = foreign
        text += f" `{name}` of other libraries is {advice or f'`{ours}`'} here."
        near = [one for one in near if one != ours]
    if near:
        return f"{text} Did you mean {' or '.join(f'`{one}`' for one in near)}?"
    return text if foreign is not None else f"{text} It has: {', '.join(known) or 'none'}."
