"""kerasmith: losses, metrics, callbacks and layers for Keras 3 that are right, and a bench that tells whether yours are."""

import importlib

from kerasmith import _load_registry, _moved

__version__ = "0.1.0"

_PACKAGES = (
    "base",
    "callbacks",
    "checks",
    "data",
    "distribution",
    "files",
    "labels",
    "layers",
    "losses",
    "metrics",
    "multitask",
    "numerics",
    "objectives",
    "objects",
    "recipes",
    "report",
    "schedules",
    "testing",
)

# What `import kerasmith` alone gives, from the package of objectives; loaded when it is asked for.
_FROM_OBJECTIVES = ("DeepSupervision", "Model", "Objective", "Tap", "Term")

# The checker's one function, which is asked for far more often than its package.
_FROM_CHECKS = ("check", "Contract")

__all__ = [*_PACKAGES, *_FROM_OBJECTIVES, *_FROM_CHECKS]


def __getattr__(name):
    if name in _PACKAGES:
        return importlib.import_module(f"kerasmith.{name}")
    if name in _FROM_OBJECTIVES:
        return getattr(importlib.import_module("kerasmith.objectives"), name)
    if name in _FROM_CHECKS:
        return getattr(importlib.import_module("kerasmith.checks"), name)
    raise AttributeError(f"module 'kerasmith' has no attribute {name!r}. It has: {', '.join(__all__)}")


def __dir__():
    return sorted([*globals(), *__all__])


_moved.keep_old_modules()
_load_registry.once_keras_is_there()
