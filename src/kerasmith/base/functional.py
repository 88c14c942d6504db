"""The functional form of a loss class: same mathematics, same keywords, no reduction."""

import functools
import inspect
import re

import keras

from kerasmith._types import Function

_NOT_IN_FUNCTION = ("reduction", "name", "dtype")
_CACHED_LOSSES = 32


def make_functional(cls: type, name: str) -> Function:
    """A function `name(y_true, y_pred, *, sample_weight=None, **config)` that returns the unreduced loss, (B,).

    Args:
        cls: a kerasmith loss class.
        name: the name of the function.
    """

    @functools.lru_cache(maxsize=_CACHED_LOSSES)
    def built_loss(key, policy):
        return cls(**{argument: _value(frozen) for argument, frozen in key}, reduction="none")

    def function(y_true, y_pred, *, sample_weight=None, **config):
        refused = [key for key in config if key in _NOT_IN_FUNCTION]
        if refused:
            raise TypeError(
                f"losses.{name}() returns one value a sample and takes no {refused[0]!r}. "
                f"Write `losses.{cls.__name__}({refused[0]}=...)`."
            )
        key = tuple((argument, _frozen(value)) for argument, value in config.items())
        if any(frozen is None for _, frozen in key):
            loss = cls(**config, reduction="none")
        else:
            # Building costs more than calling on a small batch; a loss that is not tracked has no state.
            loss = built_loss(key, (keras.config.dtype_policy().name, keras.config.floatx()))
        return loss(y_true, y_pred, sample_weight)

    function.as_loss = functools.partial(cls, reduction="none")
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    keyword = inspect.Parameter.KEYWORD_ONLY
    config = [p.replace(kind=keyword) for p in inspect.signature(cls).parameters.values() if p.name not in _NOT_IN_FUNCTION]
    function.__signature__ = inspect.Signature(
        [
            inspect.Parameter("y_true", positional),
            inspect.Parameter("y_pred", positional),
            inspect.Parameter("sample_weight", keyword, default=None),
            *config,
        ]
    )
    function.__name__ = function.__qualname__ = name
    function.__module__ = cls.__module__
    if hasattr(cls, "kerasmith_contract"):
        function.kerasmith_contract = cls.kerasmith_contract
    text = inspect.getdoc(cls)
    function.__doc__ = (
        f"{text.splitlines()[0]}\n\nThe unreduced form of `losses.{cls.__name__}`, whose keywords it takes.\n\n"
        f"{_new_arguments(text)}"
        "Returns:\n    One value a sample, shape (B,), times `sample_weight` where it is given."
    )
    return function


def _new_arguments(text):
    """The entries of a docstring's arguments that say since which version they are there, as a section of their own."""
    entries = re.findall(r"^    \w[\w, ]*:.*(?:\n {8}.*)*", text, re.MULTILINE)
    new = [entry for entry in entries if re.search(r"\(since \d", entry)]
    return "Args:\n" + "\n".join(new) + "\n\n" if new else ""


def _frozen(value):
    """(type, value), hashable, of plain numbers and texts and of lists of them; None for anything else."""
    if isinstance(value, (list, tuple)):
        inside = tuple(map(_frozen, value))
        return None if None in inside else (type(value), inside)
    return (type(value), value) if value is None or type(value) in (bool, int, float, str) else None


def _value(frozen):
    kind, value = frozen
    return kind(map(_value, value)) if kind in (list, tuple) else value
