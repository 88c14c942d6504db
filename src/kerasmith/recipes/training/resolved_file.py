"""`config.resolved.yaml`: every key with its value, a configuration that gives the same run."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from kerasmith.recipes.training.config_error import Place
from kerasmith.recipes.training.config_file import scalar

_PLAIN = re.compile(r"[A-Za-z_./][\w./()\[\] =*+-]*", re.ASCII)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def resolved_text(values: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    """The file as text.

    Args:
        values: {key: plain value}.
        reasons: {key: why}, of those that were decided.

    Example:

    >>> print(resolved_text({"epochs": 30, "loss": "dice", "void": None}, {"epochs": "enough"}), end="")
    epochs: 30  # enough
    loss: dice
    void: none
    """
    lines = []
    for key, value in values.items():
        reason = " ".join(reasons.get(key, "").split())
        lines.append(f"{key}: {yaml_text(value, inside=False)}" + (f"  # {reason}" if reason else ""))
    return "\n".join(lines) + "\n"


def yaml_text(value: Any, *, inside: bool = True) -> str:
    """A plain value in one line of YAML."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{yaml_text(str(name))}: {yaml_text(one)}" for name, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(yaml_text, value)) + "]"
    text = str(value)
    is_plain = _PLAIN.fullmatch(text) and not text.endswith(" ") and scalar(text, Place("")) == text
    if is_plain and not (inside and re.search(r"[\[\]{},]", text)):
        return text
    return _UNPRINTABLE.sub(lambda match: _escaped(match[0]), json.dumps(text, ensure_ascii=False))


def _escaped(character):
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
