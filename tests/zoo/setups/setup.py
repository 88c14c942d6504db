"""What a set-up of the zoo is, and the list of them all.

A function builds one: its defaults hold the fault, and `repaired` are the arguments with which the same function builds what a
good engineer would have written.
"""

import dataclasses
import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

# The eight questions, in their order, and the ids of the checks that answer each. "runs" is asked before them.
THEMES = {
    "runs": (0, 0),
    "output_and_loss": (101, 119),
    "labels": (120, 134),
    "outputs": (135, 139),
    "metrics": (140, 149),
    "weights": (150, 159),
    "data": (160, 174),
    "gradients": (175, 184),
    "learning": (185, 199),
}
SETUPS = {}


@dataclasses.dataclass(frozen=True)
class Setup:
    """A compiled model and the arguments of its `fit`.

    `expect` is the theme that names the fault, None where there is none; `also` are themes that name it as well; `severity` is
    "error" where a warning is too little; `repaired` builds the set-up without the fault.
    """

    model: Any
    fit: dict
    expect: str | None = None
    also: tuple = ()
    severity: str | None = None
    repaired: Callable | None = None
    source: str = ""


def faulty(theme, source, repaired, also=(), severity=None):
    """Registers a faulty set-up; `repaired` are the arguments that take the fault out."""

    def register(build):
        @functools.wraps(build)
        def made(**changes):
            setup = build(**changes)
            if changes:
                return dataclasses.replace(setup, source=source)
            again = functools.partial(made, **repaired)
            return dataclasses.replace(setup, expect=theme, also=also, severity=severity, repaired=again, source=source)

        assert build.__name__ not in SETUPS
        assert theme in THEMES
        assert repaired
        made.theme, made.also, made.source = theme, also, source
        SETUPS[build.__name__] = made
        return made

    return register


def healthy(build):
    """Registers a set-up without a fault."""
    assert build.__name__ not in SETUPS
    build.theme = None
    SETUPS[build.__name__] = build
    return build


def load():
    """{name: function} of all set-ups, faulty ones first."""
    package = importlib.import_module(__package__)
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda one: one.name):
        if module.name.startswith(("faulty_", "healthy_")):
            importlib.import_module(f"{__package__}.{module.name}")
    return SETUPS


def themes_of(check):
    """The themes that a check of this id belongs to: one, or none for a check of another kind."""
    number = int(check[1:])
    return [theme for theme, (first, last) in THEMES.items() if check[0] == "T" and first <= number <= last]


def named(name, ids):
    """Whether one of the checks with these ids names the fault of this set-up."""
    right = {SETUPS[name].theme, *SETUPS[name].also}
    return any(theme in right for check in ids for theme in themes_of(check))
