"""Inputs that are tried for a layer, from the arguments of its `call`."""

import inspect
from typing import Any

from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.spec import parse
from kerasmith.checks.harness.archetypes import LAYER_INPUTS, Archetype


def state_argument(parameters: dict[str, inspect.Parameter], layer: Any) -> str | None:
    """The name under which the cell of an RNN takes its states, the second argument of `call`; None for other layers."""
    names = list(parameters)
    cell = layer is not None and hasattr(layer, "state_size") and not isinstance(layer, keras.layers.RNN)
    return names[1] if cell and len(names) > 1 and names[1] not in ("training", "mask") else None


def usual_inputs(parameters: dict[str, inspect.Parameter], layer: Any = None) -> tuple[Archetype, ...]:
    """The archetypes in the order in which they are tried.

    Args:
        parameters: {name: inspect.Parameter} of `call`.
        layer: a layer of the class, None if it cannot be made; the cell of an RNN says how large its states are.
    """
    states_name = state_argument(parameters, layer)
    if states_name is not None:
        sizes = layer.state_size if isinstance(layer.state_size, (list, tuple)) else [layer.state_size]
        shapes = [size if isinstance(size, (list, tuple)) else (size,) for size in sizes]
        states = [parse(f"float32[4,{','.join(map(str, shape))}](-1,1)") for shape in shapes]
        return (Archetype("a step and the states of a cell", {"inputs": parse("float32[4,8](-1,1)"), states_name: states}),)
    required = [
        name
        for name, p in list(parameters.items())[1:]
        if p.default is p.empty and p.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    if required:
        forms = (
            ("sequences", "float32[4,5,8](-1,1)", "float32[4,6,8](-1,1)"),
            ("vectors", "float32[4,8](-1,1)", "float32[4,8](-1,1)"),
        )
        return tuple(
            Archetype(f"{what} for each argument", {"inputs": parse(first), **{name: parse(other) for name in required}})
            for what, first, other in forms
        )
    pair = [parse("float32[4,5,8](-1,1)"), parse("float32[4,6,8](-1,1)")]
    lists = [one for one in LAYER_INPUTS if isinstance(one.specs["inputs"], list)]
    # A layer that takes a pair apart would take a tensor of two samples for one.
    single = [one for one in LAYER_INPUTS if one not in lists and one.specs["inputs"].shape[0] != 2]
    twos = [one for one in LAYER_INPUTS if one not in lists and one not in single]
    ordered = (*single, Archetype("two sequences", {"inputs": pair}), *lists, *twos)
    if "mask" not in parameters:
        return ordered
    masked = {"inputs": parse("float32[4,6,3](-1,1)"), "mask": parse("bool[4,6]")}
    return (Archetype("sequences with a mask", masked), *ordered)
