"""The functional twin of a loss class: same mathematics, same keywords, no reduction."""

import inspect

_NOT_IN_TWIN = ("reduction", "name", "dtype")


def functional_twin(cls, name):
    """A function `name(y_true, y_pred, *, sample_weight=None, **config)` that returns the unreduced loss, (B,).

    Args:
        cls: a kerasmith loss class.
        name: the name of the function.
    """

    def twin(y_true, y_pred, *, sample_weight=None, **config):
        refused = [key for key in config if key in _NOT_IN_TWIN]
        if refused:
            raise TypeError(
                f"losses.{name}() returns one value a sample and takes no {refused[0]!r}. "
                f"Write `losses.{cls.__name__}({refused[0]}=...)`."
            )
        return cls(**config, reduction="none")(y_true, y_pred, sample_weight)

    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    keyword = inspect.Parameter.KEYWORD_ONLY
    config = [p.replace(kind=keyword) for p in inspect.signature(cls).parameters.values() if p.name not in _NOT_IN_TWIN]
    twin.__signature__ = inspect.Signature(
        [
            inspect.Parameter("y_true", positional),
            inspect.Parameter("y_pred", positional),
            inspect.Parameter("sample_weight", keyword, default=None),
            *config,
        ]
    )
    twin.__name__ = twin.__qualname__ = name
    twin.__module__ = cls.__module__
    if hasattr(cls, "kerasmith_contract"):
        twin.kerasmith_contract = cls.kerasmith_contract
    summary = inspect.getdoc(cls).splitlines()[0]
    twin.__doc__ = (
        f"{summary}\n\nThe unreduced form of `losses.{cls.__name__}`, whose keywords it takes.\n\n"
        "Returns:\n    One value a sample, shape (B,), times `sample_weight` where it is given."
    )
    return twin
