"""What a component of the zoo declares: the fault and the check that must find it, or that it is right."""

from typing import Any, NamedTuple


class Broken(NamedTuple):
    """A component with one fault. `check` is the id that must report it."""

    component: Any
    check: str
    like: dict | None = None
    init: dict | None = None
    contract: dict | None = None
    backends: tuple | None = None
    note: str = ""
    kind: str | None = None


class Right(NamedTuple):
    """A component without a fault: nothing of severity error may be reported. `contract` names what deviates on purpose."""

    component: Any
    like: dict | None = None
    init: dict | None = None
    contract: dict | None = None
    backends: tuple | None = None
    note: str = ""
    kind: str | None = None
