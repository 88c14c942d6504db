"""What can become of an argument: the vocabulary of the tables in `peers`."""

from collections.abc import Callable, Mapping
from typing import Any

from kerasmith.migration.call import Argument, Rule
from kerasmith.migration.line import Line

_NEVER = object()


def to(name: str, ours: Any = _NEVER, convert: Callable[[Any], Any] | None = None) -> Rule:
    """The same under the name `name`; not written where it equals `ours`, our default."""

    def rule(line: Line, argument: Argument) -> None:
        if not argument.literal:
            if convert is None:
                line.write(name, argument.text)
            else:
                _not_literal(line, argument, name)
            return
        if argument.value is None and not argument.given:
            return
        value = argument.value if convert is None else convert(argument.value)
        if value != ours or isinstance(value, bool) != isinstance(ours, bool):
            line.write(name, _text(value))

    return rule


def times(name: str, factor: float, ours: Any = _NEVER) -> Rule:
    """A number times a factor."""
    return to(name, ours, lambda number: number * factor)


def choice(name: str, values: Mapping[Any, Any]) -> Rule:
    """One of the keys becomes the value; None as the value writes nothing."""

    def rule(line: Line, argument: Argument) -> None:
        if not argument.literal:
            _not_literal(line, argument, name)
        elif argument.value not in values:
            line.lost.append(f"`{argument.name}={argument.text}`: known are {', '.join(map(repr, values))}.")
        elif values[argument.value] is not None:
            line.write(name, _text(values[argument.value]))

    return rule


def sets(value: Any, **written: Any) -> Rule:
    """Writes keywords of ours if the argument has that value."""

    def rule(line: Line, argument: Argument) -> None:
        if not argument.literal:
            _not_literal(line, argument, ", ".join(written))
        elif argument.value == value:
            for name, ours in written.items():
                line.write(name.replace("__", "."), _text(ours))

    return rule


def lost(default: Any, why: str) -> Rule:
    """No counterpart: any other value than their default changes the number."""

    def rule(line: Line, argument: Argument) -> None:
        if not argument.literal or argument.value != default:
            line.lost.append(f"`{argument.name}={argument.text}`: {why}")

    return rule


def note(value: Any, text: str) -> Rule:
    """Says something if the argument has that value; nothing is written."""

    def rule(line: Line, argument: Argument) -> None:
        if argument.literal and argument.value == value:
            line.notes.append(text)

    return rule


def scales(mean_of: bool = False) -> Rule:
    """A factor in front of the whole; `mean_of`: the mean of a list of class weights, which ours are divided by."""

    def rule(line: Line, argument: Argument) -> None:
        if not argument.literal:
            _not_literal(line, argument, "the factor in front")
            return
        value = argument.value
        if mean_of and value is not None:
            value = [value] if isinstance(value, (int, float)) else list(value)
            value = sum(value) / len(value)
        if value not in (None, 1):
            line.scale(_text(float(value)))

    return rule


def both(*rules: Rule) -> Rule:
    """Several rules for one argument."""

    def rule(line: Line, argument: Argument) -> None:
        for one in rules:
            one(line, argument)

    return rule


def drop(line: Line, argument: Argument) -> None:
    """Changes no value: a name, a check of arguments, where something is computed."""


def becomes(line: Line, argument: Argument) -> None:
    """An argument that is itself a call of the library: the line is that of it."""
    from kerasmith.migration.lookup import migrate

    line.become(migrate(argument.text))


def _text(value: Any) -> str:
    return repr(float(f"{value:.12g}")) if isinstance(value, float) else repr(value)


def _not_literal(line: Line, argument: Argument, name: str) -> None:
    line.lost.append(f"`{argument.name}={argument.text}`: its value is not in the call; it belongs to {name}.")
