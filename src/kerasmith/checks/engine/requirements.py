"""What a class or function must be given, asked of its signature before anything is built."""

import inspect
from collections.abc import Callable
from typing import Any

from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.engine.signatures import missing_text


def require_arguments(cls, init: dict[str, Any]) -> None:
    """Says which arguments of the constructor are missing, before anything is built."""
    try:
        signature = inspect.signature(cls)
    except (ValueError, TypeError):
        return
    parameters = signature.parameters.values()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    missing = [p.name for p in named if p.default is p.empty and p.name not in init]
    if missing:
        raise CannotCheck(missing_text(cls.__name__, missing, init))
    unknown = [name for name in init if name not in {p.name for p in named}]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        raise CannotCheck(
            f"{cls.__name__} has no argument {', '.join(unknown)}: {cls.__name__}{signature}. Received: init={init}"
        )


def require_pair(function: Callable[..., Any]) -> None:
    try:
        inspect.signature(function).bind(None, None)
    except ValueError:
        return
    except TypeError:
        raise CannotCheck(
            f"A loss or metric function takes (y_true, y_pred). Received: {getattr(function, '__name__', function)}"
            f"{inspect.signature(function)}"
        ) from None
