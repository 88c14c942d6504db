"""kerasmith: losses, metrics, callbacks and layers for Keras 3 that are right, and a bench that tells whether yours are."""

import importlib

from kerasmith import _load_registry

__version__ = "0.1.0"

_ROOMS = (
    "base",
    "callbacks",
    "data",
    "distribution",
    "layers",
    "losses",
    "metrics",
    "numerics",
    "recipes",
    "report",
    "schedules",
)

__all__ = [*_ROOMS]


def __getattr__(name):
    if name in _ROOMS:
        return importlib.import_module(f"kerasmith.{name}")
    raise AttributeError(f"module 'kerasmith' has no attribute {name!r}. It has: {', '.join(_ROOMS)}")


def __dir__():
    return sorted([*globals(), *_ROOMS])


_load_registry.once_keras_is_there()
