"""Inputs that losses, metrics and layers usually get: tried one after the other until one is understood."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from kerasmith.checks.engine.spec import map_specs, parse
from kerasmith.checks.engine.subject import SourceSubject, Subject


class Archetype(NamedTuple):
    """Inputs of one kind.

    Attributes:
        name: in words.
        specs: {"y_true", "y_pred"} or {"inputs"}: `Spec`s, or nested lists and dicts of them.
    """

    name: str
    specs: dict[str, Any]


def name_words(subject: Subject | SourceSubject) -> str:
    """The name of a class or function as snake_case, to look for words in."""
    thing = subject.component if subject.is_function else subject.cls
    names = f"{subject.name}_{getattr(thing, '__name__', '')}"
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", names).lower()


def names_by_pattern(table: Iterable[tuple[str, tuple[str, ...]]], text: str) -> list[str]:
    """The names of archetypes in a table of (pattern, names) whose pattern is in a text."""
    return [name for pattern, names in table if re.search(pattern, text) for name in names]


def ranked(archetypes: Iterable[Archetype], first: list[str]) -> list[Archetype]:
    """All archetypes, those of these names first, in their order."""
    rank = {name: index for index, name in reversed(list(enumerate(first)))}
    return sorted(archetypes, key=lambda one: rank.get(one.name, len(first)))


def pair(name: str, y_true: Any, y_pred: Any) -> Archetype:
    """An archetype of losses and metrics from texts, or lists and dicts of them."""
    return Archetype(name, {"y_true": map_specs(parse, y_true), "y_pred": map_specs(parse, y_pred)})


PAIRS = (
    pair("binary mask, 2-D", "float32[4,8,8,1]{0,1}", "float32[4,8,8,1](0,1)"),
    pair("binary, one probability", "float32[8,1]{0,1}", "float32[8,1](0,1)"),
    pair("one-hot classes", "float32[8,5]onehot", "float32[8,5]simplex"),
    pair("class ids", "int32[8]{0,4}", "float32[8,5]simplex"),
    pair("class ids in a column", "int32[8,1]{0,4}", "float32[8,5]simplex"),
    pair("one-hot mask, 2-D", "float32[4,8,8,3]onehot", "float32[4,8,8,3]simplex"),
    pair("sparse mask, 2-D", "int32[4,8,8]{0,2}", "float32[4,8,8,3]simplex"),
    pair("sparse mask with channel, 2-D", "int32[4,8,8,1]{0,2}", "float32[4,8,8,3]simplex"),
    pair("regression, vector", "float32[8,4](-2,2)", "float32[8,4](-2,2)"),
    pair("regression, one value", "float32[8,1](-2,2)", "float32[8,1](-2,2)"),
    pair("regression, flat", "float32[8](-2,2)", "float32[8](-2,2)"),
    pair("positive regression", "float32[8,1](0.1,5)", "float32[8,1](0.1,5)"),
    pair("binary, flat", "float32[8]{0,1}", "float32[8](0,1)"),
    pair("binary mask, 2-D, without channel", "float32[4,8,8]{0,1}", "float32[4,8,8](0,1)"),
    pair("binary mask, 3-D", "float32[2,8,8,8,1]{0,1}", "float32[2,8,8,8,1](0,1)"),
    pair("sparse mask, 3-D", "int32[2,6,6,6]{0,2}", "float32[2,6,6,6,3]simplex"),
    pair("multi-label", "float32[8,5]{0,1}", "float32[8,5](0,1)"),
    pair("logits of classes", "float32[8,5]onehot", "float32[8,5](-4,4)"),
    pair("images", "float32[4,16,16,3](0,1)", "float32[4,16,16,3](0,1)"),
    pair("large grey images", "float32[2,192,192,1](0,1)", "float32[2,192,192,1](0,1)"),
    pair("sequence of values", "float32[4,12,3](-2,2)", "float32[4,12,3](-2,2)"),
    pair("sequence of class ids", "int32[4,12]{0,4}", "float32[4,12,5]simplex"),
    pair("sequence of one-hot classes", "float32[4,12,5]onehot", "float32[4,12,5]simplex"),
    pair("embeddings with class ids", "int32[12]{0,2}", "float32[12,8]"),
    pair("distances of pairs", "float32[8]{0,1}", "float32[8](0,2)"),
    pair("mean and log-variance", "float32[8,1](-2,2)", "float32[8,2](-1,1)"),
    pair("label ids of two images", "int32[4,8,8]{0,3}", "int32[4,8,8]{0,3}"),
    pair("binary, one logit", "float32[8,1]{0,1}", "float32[8,1](-4,4)"),
    pair("class ids against logits", "int32[8]{0,4}", "float32[8,5](-4,4)"),
    pair("signs", "float32[8,1]{-1,1}", "float32[8,1](-2,2)"),
    pair("class ids of both", "int32[8]{0,4}", "int32[8]{0,4}"),
)

LAYER_INPUTS = tuple(
    Archetype(name, {"inputs": map_specs(parse, value)})
    for name, value in (
        ("vectors", "float32[4,8](-1,1)"),
        ("images", "float32[4,16,16,3](0,1)"),
        ("sequences", "float32[4,6,3](-1,1)"),
        ("token ids", "int32[4,6]{0,7}"),
        ("grey images", "float32[4,16,16,1](0,1)"),
        ("volumes", "float32[2,8,8,8,2](-1,1)"),
        ("two vectors", ["float32[4,8](-1,1)", "float32[4,8](-1,1)"]),
        ("two images", ["float32[4,16,16,3](0,1)", "float32[4,16,16,3](0,1)"]),
    )
)
