"""What a call of another library is here: `kerasmith migrate`. Knows calls as data, and imports neither Keras nor a peer."""

from kerasmith.migration.call import Call
from kerasmith.migration.line import Line
from kerasmith.migration.lookup import known_calls, migrate

__all__ = ["Call", "Line", "known_calls", "migrate"]


def __dir__() -> list[str]:
    return __all__
