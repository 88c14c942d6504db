"""The text of a file under check."""

from typing import Any

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.subject import SourceSubject, Subject


class SourceCase(Case):
    """See `Case`. Nothing is run."""

    kind: str | None = "source"

    def __init__(self, subject: Subject | SourceSubject, contract: Contract, seed: int = 7) -> None:
        super().__init__(subject, contract, seed)
        self.specs: Any = {}

    def lines(self, *body: str, inputs: bool = True, draw: int = 0) -> str:
        """The lines of a reproducer: what the check has to show needs neither imports nor a component."""
        return "\n".join(body)
