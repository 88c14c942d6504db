"""What a function does, to tell one that was changed under the same name."""

import types
from typing import Any


def instructions(function: types.FunctionType) -> list[Any]:
    """The instructions, names and constants of a function and of those inside, without its docstring.

    >>> one, same, other = lambda x: x + 1, lambda y: y + 1, lambda x: x + 2
    >>> instructions(one) == instructions(same), instructions(one) == instructions(other)
    (True, False)
    """
    return _of_code(function.__code__, function.__doc__)


def _of_code(code, doc=None):
    constants = [_of_code(c) if isinstance(c, types.CodeType) else c for c in code.co_consts if c is None or c != doc]
    constants = [sorted(map(repr, c)) if isinstance(c, frozenset) else c for c in constants]
    return [code.co_code, code.co_names, constants]
