"""Whether a call of a configuration fits the part that it names."""

from collections.abc import Iterable, Mapping
from typing import Any

from kerasmith.recipes.training import catalogue
from kerasmith.recipes.training.config_error import ConfigError, did_you_mean
from kerasmith.recipes.training.expression import Call, Range


def part_of(call: Call, packages: Iterable[str], others: Iterable[str] = ()) -> catalogue.Part:
    """The part that a call names.

    Args:
        call: from `expression`.
        packages: where to look.
        others: further names to propose.

    Raises:
        ConfigError: with near names.
    """
    known = [*others]
    for package in packages:
        result = catalogue.part(package, call.name)
        if result is not None:
            return result
        known += [*catalogue.names(package), *catalogue.ALIASES[package]]
    what = " or ".join(package.removesuffix("s").replace("losse", "loss") for package in packages)
    raise ConfigError(call.place, f"there is no {what} `{call.name}`. {did_you_mean(call.name, known)}")


def check_arguments(
    call: Call,
    arguments: Mapping[str, bool],
    positional: Iterable[str],
    *,
    given: Mapping[str, str] = {},
) -> dict[str, Any]:
    """{argument: value} of a call.

    Args:
        call: from `expression`.
        arguments: {name: whether it has to be given}.
        positional: names of those that may come without one, in order.
        given: {name: why} of those that `train` fills in.

    Raises:
        ConfigError: for an argument that is unknown, missing, given twice or by `train`, or a value of another kind.
    """
    order, result = list(positional), {}
    for i, value in enumerate(call.arguments):
        if i >= len(order):
            several = f"takes {len(order)} values without a name" if order else "takes arguments by name only"
            raise ConfigError(call.places.get(i), f"`{call.name}` {several}: {_listed(arguments, given)}.")
        result[order[i]] = (value, call.places.get(i))
    for name, value in call.named.items():
        if name in result:
            raise ConfigError(
                call.places.get(name), f"the argument `{name}` is there twice: its value came without a name too."
            )
        result[name] = (value, call.places.get(name))
    for name, (value, place) in result.items():
        if name in given:
            raise ConfigError(place, f"`{name}` is not for you to set: {given[name]}. Remove it.")
        if name not in arguments:
            names = [one for one in arguments if one not in given]
            advice = did_you_mean(name, names) if names else "It takes none."
            raise ConfigError(place, f"`{call.name}` has no argument `{name}`. {advice}")
        if isinstance(value, Range):
            raise ConfigError(place, f"`{name}` takes no range. Write one value.")
    missing = [name for name, needed in arguments.items() if needed and name not in result and name not in given]
    if missing:
        raise ConfigError(call.place, f"`{call.name}` needs `{missing[0]}`: write `{call.name}({missing[0]}=...)`.")
    return {name: value for name, (value, _) in result.items()}


def _listed(arguments, given):
    return ", ".join(name for name in arguments if name not in given) or "none"
