"""How the values of a configuration are read: one function for each kind of field."""

import math
import re
from collections.abc import Callable
from typing import Any

from kerasmith.recipes.training import expression
from kerasmith.recipes.training.config_error import ConfigError, did_you_mean, displayed
from kerasmith.recipes.training.config_file import Value
from kerasmith.recipes.training.fields import AUTO, Field

AUGMENTATIONS: dict[str, type] = {
    "rotate": bool,
    "mirror": bool,
    "scale": float,
    "stretch": float,
    "contrast": float,
    "brightness": float,
    "noise": float,
}
_FLAGS = {"yes": True, "on": True, "no": False, "off": False}
_MODULE = re.compile(r"[A-Za-z_][\w]*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
_MOST_CLASSES = 250


def read(field: Field, value: Value) -> Any:
    """The value of a field; raises `ConfigError` where it is none."""
    return _READERS[field.kind](field, value)


def _fail(field: Field, value: Value, expected: str) -> ConfigError:
    return ConfigError(value.place, f"`{field.name}` must be {expected}. Received: {displayed(value.plain())}")


def _is_number(data: Any) -> bool:
    return isinstance(data, int | float) and not isinstance(data, bool) and math.isfinite(data)


def _text(field, value, expected):
    if not isinstance(value.data, str) or not value.data.strip() or "\0" in value.data:
        raise _fail(field, value, expected)
    return value.data


def _path(field, value):
    if isinstance(value.data, int) and not isinstance(value.data, bool):
        return str(value.data)
    return _text(field, value, f"a path such as `{field.example}`")


def _whole(field, value):
    data = value.data
    whole = _is_number(data) and float(data).is_integer()
    if not whole or not field.least <= data <= field.most:
        raise _fail(field, value, f"a whole number from {int(field.least)} to {int(field.most)}")
    return int(data)


def _number(field, value):
    if not _is_number(value.data) or not field.least <= value.data <= field.most:
        raise _fail(field, value, f"a number from {field.least:g} to {field.most:g}")
    return float(value.data)


def _flag(field, value):
    data = _FLAGS.get(value.data.lower(), value.data) if isinstance(value.data, str) else value.data
    if not isinstance(data, bool):
        raise _fail(field, value, "`true` or `false`")
    return data


def _choice(field, value):
    data = "none" if value.data is None else value.data
    if data not in field.choices:
        near = f" {did_you_mean(data, field.choices)}" if isinstance(data, str) else ""
        raise ConfigError(
            value.place,
            f"`{field.name}` must be one of {', '.join(field.choices)}. Received: {displayed(value.plain())}.{near}",
        )
    return data


def _sizes(field, value):
    sizes = value.data if isinstance(value.data, list) else [value]
    if not 1 <= len(sizes) <= 3 or not all(_fits(field, one) for one in sizes):
        raise _fail(field, value, f"one to three whole numbers from {int(field.least)} on, such as `{field.example}`")
    return [int(one.data) for one in sizes]


def _fits(field, one):
    return _is_number(one.data) and float(one.data).is_integer() and field.least <= one.data <= field.most


def _threshold(field, value):
    return "fit" if value.data == "fit" else _number(field, value)


def _optional(read_one: Callable[[Field, Value], Any]) -> Callable[[Field, Value], Any]:
    return lambda field, value: None if value.data is None else read_one(field, value)


def _pattern(field, value):
    text = _text(field, value, f"a regular expression such as `{field.example}`")
    try:
        groups = re.compile(text).groups
    except (re.error, OverflowError, RecursionError) as problem:
        raise ConfigError(value.place, f"`{field.name}` is no regular expression: {problem}") from None
    if not groups:
        raise ConfigError(value.place, f"`{field.name}` needs a group in parentheses, as in {field.example}.")
    return text


def _classes(field, value):
    """{name: id of the masks}, from id 0 on, or None for the id that the masks have."""
    data = value.data
    if isinstance(data, int) and not isinstance(data, bool):
        if not 1 <= data <= _MOST_CLASSES:
            raise _fail(field, value, f"from 1 to {_MOST_CLASSES}")
        return (
            {"background": 0, "foreground": None}
            if data <= 2
            else {"background": 0} | {f"class_{i}": i for i in range(1, data)}
        )
    if isinstance(data, str):
        value = Value([value], value.place)
        data = value.data
    if isinstance(data, list) and data:
        result = [_class_name(field, one) for one in data]
        if len(result) != len(set(result)):
            twice = next(name for name in result if result.count(name) > 1)
            raise ConfigError(value.place, f"the class `{displayed(twice)}` is there twice. Remove one.")
        if len(result) == 1:
            result = ["background", *result] if result != ["background"] else ["background", "foreground"]
        if len(result) > _MOST_CLASSES:
            raise _fail(field, value, f"at most {_MOST_CLASSES} names")
        return dict(zip(result, range(len(result)) if len(result) > 2 else (0, None), strict=True))
    if isinstance(data, dict) and len(data) >= 2:
        ids = {}
        for name, one in data.items():
            if not isinstance(one.data, int) or isinstance(one.data, bool) or not 0 <= one.data < 2**31:
                raise ConfigError(
                    one.place, f"the id of a class is a whole number from 0 on. Received: {displayed(one.plain())}"
                )
            if one.data in ids.values():
                raise ConfigError(one.place, f"two classes have the id {one.data}. Give each its own.")
            ids[_class_name(field, Value(name, one.key_place))] = one.data
        if len(ids) > _MOST_CLASSES:
            raise _fail(field, value, f"at most {_MOST_CLASSES} names")
        return dict(sorted(ids.items(), key=lambda pair: pair[1]))
    raise _fail(field, value, f"a number, names such as `{field.example}`, or at least two `name: id`")


def _class_name(field, one):
    name = str(one.data) if isinstance(one.data, int) and not isinstance(one.data, bool) else one.data
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w .-]{0,60}", name):
        raise ConfigError(
            one.place, f"the name of a class has letters, digits, `_`, `-`, `.`. Received: {displayed(one.plain())}"
        )
    return name


def _validation(field, value):
    data = value.data
    if data is None:
        return None
    if _is_number(data):
        if not 0 < data < 1:
            raise _fail(field, value, "a share between 0 and 1, such as `0.2`")
        return float(data)
    if isinstance(data, list):
        if not data or not all(isinstance(one.data, str | int) and not isinstance(one.data, bool) for one in data):
            raise _fail(field, value, "a list of names of files")
        return [str(one.data) for one in data]
    return _path(field, value)


def _augment(field, value):
    if value.data is None:
        return None
    if not isinstance(value.data, dict):
        raise _fail(field, value, f"`none`, `auto` or amounts such as `{field.example}`")
    result = {}
    for name, one in value.data.items():
        if name not in AUGMENTATIONS:
            raise ConfigError(one.key_place, f"`augment` has no `{displayed(name)}`. {did_you_mean(name, AUGMENTATIONS)}")
        if AUGMENTATIONS[name] is bool:
            result[name] = _flag(Field(name, "flag", None, "", ""), one)
        else:
            result[name] = _number(Field(name, "number", None, "", "", most=10), one)
    return result


def _call(field, value):
    return expression.parse_call(_text(field, value, f"a name and its arguments such as `{field.example}`"), value.place)


def _calls(field, value):
    if value.data is None:
        return []
    several = value.data if isinstance(value.data, list) else [value]
    return [_call(field, one) for one in several]


def _loss(field, value):
    if _is_number(value.data):
        raise _fail(field, value, f"a sum of losses such as `{field.example}`")
    return expression.parse_sum(_text(field, value, f"a sum of losses such as `{field.example}`"), value.place)


def _model(field, value):
    text = _text(field, value, f"such as `{field.example}`")
    return text if _MODULE.fullmatch(text) else expression.parse_call(text, value.place)


_READERS: dict[str, Callable[[Field, Value], Any]] = {
    "path": _path,
    "optional_path": _optional(_path),
    "whole": _whole,
    "optional_whole": _optional(_whole),
    "number": _number,
    "flag": _flag,
    "choice": _choice,
    "sizes": _sizes,
    "threshold": _threshold,
    "optional_pattern": _optional(_pattern),
    "classes": _classes,
    "validation": _validation,
    "augment": _augment,
    "call": _call,
    "calls": _calls,
    "loss": _loss,
    "model": _model,
}


def is_auto(value: Value) -> bool:
    """Whether the data decide: the word `auto`."""
    return isinstance(value.data, str) and value.data.strip().lower() == AUTO
