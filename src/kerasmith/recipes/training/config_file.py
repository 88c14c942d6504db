"""A configuration file: the plain part of YAML, each value with its line and column."""

import dataclasses
import math
import os
import re
from collections.abc import Iterator
from typing import Any

from kerasmith.recipes.training.config_error import ConfigError, Place, displayed

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?")
_WORDS = {"true": True, "false": False, "null": None, "none": None, "~": None, "": None}
_LARGEST = 1_000_000  # bytes
_DEEPEST = 8


@dataclasses.dataclass(frozen=True)
class Value:
    """A value and where it stands.

    Attributes:
        data: None, a bool, a number, a text, a list of `Value` or a dict {text: Value}.
        place: of its first character, inside quotes.
        key_place: of the key that it belongs to.
    """

    data: Any
    place: Place
    key_place: Place | None = None

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.data, list):
            return [one.plain() for one in self.data]
        if isinstance(self.data, dict):
            return {name: one.plain() for name, one in self.data.items()}
        return self.data


def read(path: str | os.PathLike[str]) -> Value:
    """The map that a file holds.

    Raises:
        ConfigError: for a file that cannot be read, is no YAML, no map of keys, uses tags, anchors or several documents, or
            has a key twice.
    """
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as problem:
        raise ConfigError(Place(name), f"the configuration cannot be read: {problem.strerror or problem}") from None
    if len(data) > _LARGEST:
        raise ConfigError(
            Place(name), f"a configuration has at most {_LARGEST:,} bytes. Give a text file with keys and values."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise ConfigError(Place(name, line, 1), "the file is no UTF-8 text. Save it as UTF-8.") from None
    return parse(text, name)


def parse(text: str, name: str = "config") -> Value:
    """The map that a text holds; see `read`.

    >>> parse("epochs: 3").plain()
    {'epochs': 3}
    """
    yaml = _yaml()
    try:
        events = [event for event in yaml.parse(text, Loader=yaml.SafeLoader) if not isinstance(event, yaml.StreamStartEvent)]
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        place = Place(name) if mark is None else Place(name, mark.line + 1, mark.column + 1)
        raise ConfigError(place, f"this is no YAML: {problem.problem or problem.context}") from None
    except yaml.YAMLError as problem:
        raise ConfigError(Place(name), f"this is no YAML: {' '.join(str(problem).split())}") from None
    except RecursionError:
        raise ConfigError(Place(name), f"values are nested at most {_DEEPEST} deep.") from None
    documents = [event for event in events if isinstance(event, yaml.DocumentStartEvent)]
    if len(documents) > 1:
        mark = documents[1].start_mark
        raise ConfigError(Place(name, mark.line + 1, mark.column + 1), "a configuration is one document: remove `---`.")
    reader = _Reader(yaml, name, iter([event for event in events if not _is_frame(yaml, event)]))
    value = reader.next_value(0)
    if value is None or value.data is None:
        raise ConfigError(Place(name), "the configuration is empty. Three lines are enough: `images:`, `masks:`, `classes:`.")
    if not isinstance(value.data, dict):
        raise ConfigError(
            value.place, f"expected `key: value` lines such as `images: folder`. Received: {displayed(value.plain())}"
        )
    return value


class _Reader:
    """Makes values of the events of a parser."""

    def __init__(self, yaml: Any, name: str, events: Iterator[Any]) -> None:
        self.yaml, self.name, self.events = yaml, name, events

    def next_value(self, depth: int, key_place: Place | None = None) -> Value | None:
        event = next(self.events, None)
        if event is None or isinstance(event, self.yaml.SequenceEndEvent | self.yaml.MappingEndEvent):
            return None
        place = Place(self.name, event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, self.yaml.AliasEvent) or event.anchor is not None:
            raise ConfigError(place, "anchors and aliases (`&`, `*`) are not read. Write the value out, or put it in quotes.")
        if event.tag is not None:
            raise ConfigError(
                place, f"tags such as `{displayed(event.tag)}` are not read. Write a plain value, or put it in quotes."
            )
        if depth > _DEEPEST:
            raise ConfigError(place, f"values are nested at most {_DEEPEST} deep.")
        if isinstance(event, self.yaml.ScalarEvent):
            quoted = event.style is not None
            return Value(event.value if quoted else scalar(event.value, place), place.moved(quoted), key_place)
        if isinstance(event, self.yaml.SequenceStartEvent):
            items = []
            while (item := self.next_value(depth + 1)) is not None:
                items.append(item)
            return Value(items, place, key_place)
        return Value(self._pairs(depth), place, key_place)

    def _pairs(self, depth):
        pairs = {}
        while (key := self.next_value(depth + 1)) is not None:
            name = key.data
            if isinstance(name, bool) or not isinstance(name, (str, int)):
                raise ConfigError(key.place, f"a key is a name such as `epochs`. Received: {displayed(key.plain())}")
            if str(name) in pairs:
                first = pairs[str(name)].key_place
                raise ConfigError(
                    key.place, f"the key `{displayed(name)}` is there twice, first in line {first.line}. Remove one."
                )
            pairs[str(name)] = self.next_value(depth + 1, key.place)
        return pairs


def scalar(text: str, place: Place) -> Any:
    """None, a bool, a number or the text itself.

    >>> [scalar(text, Place("here")) for text in ("12", "1e-3", "True", "0.5*dice", "~")]
    [12, 0.001, True, '0.5*dice', None]
    """
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise ConfigError(place, f"expected a finite number. Received: {displayed(text)}")
        return number
    return text


def _is_frame(yaml, event):
    return isinstance(event, yaml.DocumentStartEvent | yaml.DocumentEndEvent | yaml.StreamEndEvent)


def _yaml() -> Any:
    try:
        import yaml  # comes with the train extra
    except ImportError:
        raise ImportError("A configuration is read with PyYAML: `pip install PyYAML`.") from None
    return yaml
