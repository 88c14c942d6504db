"""Inputs of another length: the second axis of sequences, and of the masks that belong to them."""

from collections.abc import Callable
from typing import Any

from kerasmith.checks.engine.spec import Spec


def stretched(specs: Any, new: Callable[[int], int]) -> Any:
    """`specs` with sequences of another length.

    Args:
        specs: nested specs.
        new: `(length) -> length`.

    Returns:
        The same structure; equal to `specs` if nothing in it is a sequence: (batch, length, features), or integers (batch,
        length).
    """
    lengths = {leaf.shape[1] for leaf in leaves(specs) if _is_sequence(leaf)}
    return _mapped(specs, lambda leaf: _with_length(leaf, new) if _is_sequence(leaf) or _is_mask(leaf, lengths) else leaf)


def leaves(specs: Any) -> list[Spec]:
    """[Spec] of nested specs."""
    if isinstance(specs, (dict, list)):
        return [leaf for part in (specs.values() if isinstance(specs, dict) else specs) for leaf in leaves(part)]
    return [specs]


def _mapped(specs, function):
    if isinstance(specs, dict):
        return {key: _mapped(part, function) for key, part in specs.items()}
    if isinstance(specs, list):
        return [_mapped(part, function) for part in specs]
    return function(specs)


def _is_sequence(leaf):
    return len(leaf.shape) == 3 or (len(leaf.shape) == 2 and "int" in leaf.dtype)


def _is_mask(leaf, lengths):
    return leaf.dtype == "bool" and len(leaf.shape) == 2 and leaf.shape[1] in lengths


def _with_length(leaf, new):
    return leaf._replace(shape=(leaf.shape[0], new(leaf.shape[1]), *leaf.shape[2:]))
