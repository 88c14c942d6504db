"""What came of one check on one backend."""

import dataclasses
from typing import Any

from kerasmith.checks.engine.finding import Finding


@dataclasses.dataclass(frozen=True)
class Record:
    """What came of one check on one backend.

    Attributes:
        id: of the check.
        outcome: one of `OUTCOMES`.
        why: for all but pass and fail.
        finding: for fail.
        data: {"values": numbers that are compared across backends, "finding": what a difference is}, or None.
    """

    id: str
    outcome: str
    why: str = ""
    finding: Finding | None = None
    data: Any = None
