"""Inputs that losses, metrics and layers usually get: tried one after the other until one is understood."""

from typing import NamedTuple

from kerasmith.checks.spec import parse


class Archetype(NamedTuple):
    """Inputs of one kind.

    Attributes:
        name: in words.
        specs: {"y_true", "y_pred"} or {"inputs"}: `Spec`s, or nested lists and dicts of them.
    """

    name: str
    specs: dict


def _pair(name, y_true, y_pred):
    return Archetype(name, {"y_true": _nested(y_true), "y_pred": _nested(y_pred)})


def _nested(value):
    if isinstance(value, dict):
        return {key: _nested(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_nested(part) for part in value]
    return parse(value)


PAIRS = (
    _pair("binary mask, 2-D", "float32[4,8,8,1]{0,1}", "float32[4,8,8,1](0,1)"),
    _pair("binary, one probability", "float32[8,1]{0,1}", "float32[8,1](0,1)"),
    _pair("one-hot classes", "float32[8,5]onehot", "float32[8,5]simplex"),
    _pair("class ids", "int32[8]{0,4}", "float32[8,5]simplex"),
    _pair("class ids in a column", "int32[8,1]{0,4}", "float32[8,5]simplex"),
    _pair("one-hot mask, 2-D", "float32[4,8,8,3]onehot", "float32[4,8,8,3]simplex"),
    _pair("sparse mask, 2-D", "int32[4,8,8]{0,2}", "float32[4,8,8,3]simplex"),
    _pair("sparse mask with channel, 2-D", "int32[4,8,8,1]{0,2}", "float32[4,8,8,3]simplex"),
    _pair("regression, vector", "float32[8,4](-2,2)", "float32[8,4](-2,2)"),
    _pair("regression, one value", "float32[8,1](-2,2)", "float32[8,1](-2,2)"),
    _pair("regression, flat", "float32[8](-2,2)", "float32[8](-2,2)"),
    _pair("positive regression", "float32[8,1](0.1,5)", "float32[8,1](0.1,5)"),
    _pair("binary, flat", "float32[8]{0,1}", "float32[8](0,1)"),
    _pair("binary mask, 2-D, without channel", "float32[4,8,8]{0,1}", "float32[4,8,8](0,1)"),
    _pair("binary mask, 3-D", "float32[2,8,8,8,1]{0,1}", "float32[2,8,8,8,1](0,1)"),
    _pair("sparse mask, 3-D", "int32[2,6,6,6]{0,2}", "float32[2,6,6,6,3]simplex"),
    _pair("multi-label", "float32[8,5]{0,1}", "float32[8,5](0,1)"),
    _pair("logits of classes", "float32[8,5]onehot", "float32[8,5](-4,4)"),
    _pair("images", "float32[4,16,16,3](0,1)", "float32[4,16,16,3](0,1)"),
    _pair("large grey images", "float32[2,192,192,1](0,1)", "float32[2,192,192,1](0,1)"),
    _pair("sequence of values", "float32[4,12,3](-2,2)", "float32[4,12,3](-2,2)"),
    _pair("sequence of class ids", "int32[4,12]{0,4}", "float32[4,12,5]simplex"),
    _pair("embeddings with class ids", "int32[12]{0,2}", "float32[12,8]"),
    _pair("distances of pairs", "float32[8]{0,1}", "float32[8](0,2)"),
    _pair("mean and log-variance", "float32[8,1](-2,2)", "float32[8,2](-1,1)"),
    _pair("label ids of two images", "int32[4,8,8]{0,3}", "int32[4,8,8]{0,3}"),
    _pair("class ids of both", "int32[8]{0,4}", "int32[8]{0,4}"),
)

LAYER_INPUTS = tuple(
    Archetype(name, {"inputs": _nested(value)})
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
