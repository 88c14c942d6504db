"""The list of checks: each a small function that says its own name."""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from kerasmith.checks.engine.finding import SEVERITIES, CannotCheck

KINDS = ("loss", "metric", "callback", "layer")
# What can be checked; an equation is a function of a field, a problem is equations and conditions, a set-up is what a training
# takes: no classes of Keras.
CHECKED = (*KINDS, "equation", "problem", "setup")
# What the first call of each kind is called: nothing that runs the component is asked before it passes.
BASE = {
    "loss": "L000",
    "metric": "M000",
    "callback": "C000",
    "layer": "Y000",
    "equation": "E000",
    "problem": "P000",
    "setup": "T000",
}
# Into how many parts a budget goes, of which one check has one: trainings of a whole set-up take longer.
SHARE, SHARE_OF_A_SETUP = 4, 2
# What cannot be built or lacks its base class' state is not called either.
BEFORE_BASE = ("X103", "X100", "L135")
_PACKAGES = ("common", "losses", "metrics", "callbacks", "layers", "equations", "problems", "setups", "source")
CHECKS: dict[str, "Check"] = {}


class Check(NamedTuple):
    """One question to a component.

    Attributes:
        id: stable, such as "L101".
        name: the function's name.
        kinds: the kinds of components that it asks.
        severity: of its finding.
        requires: ids that must not have failed before; else this one is "blocked". "base" stands for the kind's first call.
        since: the version of kerasmith that asked it first.
        needs_inputs: False for checks that look at the class or its source only; they come first.
        run: `(case) -> None`, raises `Failed`, `Inconclusive` or `NotApplicable`; what it returns is compared across backends.
    """

    id: str
    name: str
    kinds: tuple[str, ...]
    severity: str
    requires: tuple[str, ...]
    needs_inputs: bool
    since: str
    run: Callable[[Any], Any]

    @property
    def title(self) -> str:
        """The first line of the docstring, without its full stop."""
        return inspect.getdoc(self.run).splitlines()[0].rstrip(".")

    @property
    def explanation(self) -> str:
        """The docstring: what `kerasmith explain` prints."""
        return inspect.getdoc(self.run)

    @property
    def fix(self) -> str:
        """The paragraph of the docstring that begins with "Fix:"."""
        return " ".join(self.explanation.partition("Fix:")[2].split("\n\n")[0].split())


def check(
    id: str,
    kinds: str | Sequence[str],
    severity: str,
    requires: Sequence[str] = ("base",),
    needs_inputs: bool = True,
    *,
    since: str,
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Registers a check; the function's docstring has a title, why it matters, and a paragraph "Fix: ..."."""
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)

    def register(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        if id in CHECKS:
            raise ValueError(f"{id} is the id of {CHECKS[id].name}. Received: {function.__name__}")
        if severity not in SEVERITIES or "Fix:" not in (inspect.getdoc(function) or ""):
            raise ValueError(f"{id} needs a severity of {SEVERITIES} and a paragraph `Fix:` in its docstring")
        CHECKS[id] = Check(id, function.__name__, kinds, severity, tuple(requires), needs_inputs, since, function)
        return function

    return register


@functools.cache
def load() -> dict[str, Check]:
    """All checks by id, after importing every file that has some. Imports no Keras."""
    for name in _PACKAGES:
        package = importlib.import_module(f"kerasmith.checks.rules.{name}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(CHECKS.items()))


def planned(kind: str, select: Sequence[str] | None = None, ignore: Sequence[str] | None = None) -> list[Check]:
    """The checks of a kind in an order in which requirements come first.

    Args:
        kind: one of `CHECKED`, or "source".
        select, ignore: ids or beginnings of ids. The base check stays: the others need it.

    Raises:
        CannotCheck: for a selection that names nothing.
    """
    everything = load()
    for option, wanted in (("select", select), ("ignore", ignore)):
        unknown = [name for name in wanted or () if not any(id.startswith(name) for id in everything)]
        if unknown:
            raise CannotCheck(
                f"No check begins with {unknown[0]!r}; `kerasmith explain` lists them. Received: {option}={list(wanted)}"
            )
    chosen = [one for one in everything.values() if kind in one.kinds]
    if select:
        chosen = [one for one in chosen if one.id.startswith(tuple(select)) or one.id == BASE.get(kind)]
    if ignore:
        chosen = [one for one in chosen if not one.id.startswith(tuple(ignore)) or one.id == BASE.get(kind)]
    return _in_order(chosen, kind)


def requirements(one: Check, kind: str) -> tuple[str, ...]:
    """The ids that `one` requires when asked of a component of `kind`; the base check, what lets it be built."""
    names = [BASE[kind] if name == "base" else name for name in one.requires]
    return tuple(name for name in [*names, *(BEFORE_BASE if one.id == BASE.get(kind) else ())] if name != one.id)


def _in_order(chosen: list[Check], kind: str) -> list[Check]:
    ordered, left = [], {one.id: one for one in chosen}
    while left:
        ready = [one for one in left.values() if not any(name in left for name in requirements(one, kind))]
        if not ready:
            raise ValueError(f"The checks {', '.join(left)} require each other")
        # One at a time, those that need no inputs first, so that what is cheap and decides much is asked early.
        ready.sort(key=lambda one: (one.needs_inputs, one.id))
        ordered.append(ready[0])
        del left[ready[0].id]
    return ordered
