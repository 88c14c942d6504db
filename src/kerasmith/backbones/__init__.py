"""Networks that only look: frozen backbones whose features losses and metrics compare. See README.md."""

from kerasmith.backbones.frozen import FrozenBackbone

__all__ = ["FrozenBackbone"]


def __dir__() -> list[str]:
    return __all__
