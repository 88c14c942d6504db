"""Inputs of another length: the second axis of sequences, and of the masks that belong to them."""

from collections.abc import Callable
from typing import Any

from kerasmith.checks.engine.spec import leaf_specs, map_specs


def stretched(specs: Any, new: Callable[[int], int]) -> Any:
    """`specs` with sequences of another length.

    Args:
        specs: nested specs.
        new: `(length) -> length`.

    Returns:
        The same structure; equal to `specs` if nothing in it is a sequence: (batch, length, features), or integers (batch,
        length).
    """
    lengths = {leaf.shape[1] for leaf in leaf_specs(specs) if _is_sequence(leaf)}
    return map_specs(lambda leaf: _with_length(leaf, new) if _is_sequence(leaf) or _is_mask(leaf, lengths) else leaf, specs)


def _is_sequence(leaf):
    return len(leaf.shape) == 3 or (len(leaf.shape) == 2 and "int" in leaf.dtype)


def _is_mask(leaf, lengths):
    return leaf.dtype == "bool" and len(leaf.shape) == 2 and leaf.shape[1] in lengths


def _with_length(leaf, new):
    return leaf._replace(shape=(leaf.shape[0], new(leaf.shape[1]), *leaf.shape[2:]))
