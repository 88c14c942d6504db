"""What the history of a run is: one row for each epoch."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]  # numbers by name, with `epoch`
Directions: TypeAlias = Mapping[str, str | None] | None  # {metric name: "max", "min" or None}
