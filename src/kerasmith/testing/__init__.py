"""The checker inside pytest: `parametrize` makes a test of every check of a component; `plugin` collects whole modules."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasmith.testing.decorator import parametrize

__all__ = ["parametrize"]

# Loaded when it is asked for: the plugin lives in this package and must not slow down every start of pytest.


def __getattr__(name: str) -> Any:
    if name == "parametrize":
        from kerasmith.testing.decorator import parametrize

        return parametrize
    raise AttributeError(f"module 'kerasmith.testing' has no attribute {name!r}. It has: parametrize")


def __dir__() -> list[str]:
    return __all__
