"""The states of several processes in one checkpoint: that of the first, and in what the others differ from it."""

import hashlib
from typing import Any

import numpy as np

from kerasmith.checkpoints import state_file
from kerasmith.distribution.exchange import Processes


def joined(state: dict[str, Any], here: Processes) -> dict[str, Any]:
    """The state of all processes, to be written by the first; every process must call it.

    Args:
        state: of this process.
        here: the processes.

    Returns:
        The state of the first process; with several processes it has "processes", their number, "brings own share", and
        "differences", what `_difference` gives for each of the others.
    """
    if here.count == 1:
        return state
    leaves = dict(_leaves(_keyed(state), ()))
    own = {place: _digest(leaf) for place, leaf in leaves.items()}
    first = here.of_first(own)
    found = here.of_all(_difference(leaves, own, first))
    return {**state, "processes": here.count, "brings own share": here.brings_own_share, "differences": found[1:]}


def of_rank(state: dict[str, Any], rank: int) -> dict[str, Any]:
    """The state of one process, out of what `joined` gave; of a rank that was not there that of the first."""
    differences = state.get("differences", [])
    found = {name: value for name, value in state.items() if name != "differences"}
    if not 0 < rank <= len(differences):
        return found
    keyed, (changed, gone) = _keyed(found), differences[rank - 1]
    for place, leaf in changed:
        _branch(keyed, place)[place[-1]] = leaf
    for place in gone:
        _branch(keyed, place).pop(place[-1], None)
    return {**keyed, "callbacks": [*keyed["callbacks"].items()]}


def for_another_number(state: dict[str, Any], rank: int, parts: tuple[list[str], list[str]]) -> dict[str, Any]:
    """The state for one of another number of processes than have written it: the first holds all sums, each all means.

    Args:
        state: what `joined` gave, or the state of one process.
        rank: of this process.
        parts: names of variables of which each process holds a summand, and of those of which each holds a mean.
    """
    known = [of_rank(state, one)["variables"] for one in range(state.get("processes", 1))]
    sums, means = (
        {name: np.stack([one[name] for one in known]).astype(np.float64) for name in names if name in known[0]}
        for names in parts
    )
    values = dict(known[0])
    for name, all_values in sums.items():
        total = all_values.sum(0).astype(values[name].dtype)
        values[name] = total if rank == 0 else np.zeros_like(total)
    for name, all_values in means.items():
        values[name] = all_values.mean(0).astype(values[name].dtype)
    return {**of_rank(state, 0), "variables": values}


def _difference(leaves, own, first):
    """([place, value] of what is another one than in the first process, places of what is only there)."""
    changed = [[list(place), leaf] for place, leaf in leaves.items() if own[place] != first.get(place)]
    return [changed, [list(place) for place in first if place not in own]]


def _keyed(state):
    """The state with callbacks by their keys, as processes may have different ones; branches may be changed."""
    copy = {name: dict(value) if isinstance(value, dict) else value for name, value in state.items()}
    return {**copy, "callbacks": {key: value for key, value in state["callbacks"]}}


def _leaves(tree, place):
    # Two levels suffice: single variables, and callbacks.
    for name, value in tree.items():
        if isinstance(value, dict) and value and len(place) < 1:
            yield from _leaves(value, (*place, name))
        else:
            yield (*place, name), value


def _branch(tree, place):
    for name in place[:-1]:
        tree = tree.setdefault(name, {})
    return tree


def _digest(value):
    text, arrays = state_file.pack(value)
    found = hashlib.sha256(text)
    for array in arrays:
        found.update(array.reshape(-1).view(np.uint8).data)
    return found.digest()
