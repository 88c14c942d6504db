"""kerasmith: losses, metrics, callbacks and layers for Keras 3 that are right, and a checker that tells whether yours are."""

import importlib
from typing import TYPE_CHECKING, Any

from kerasmith import _load_registry, _moved

if TYPE_CHECKING:  # what `__getattr__` finds when it is asked for
    from kerasmith import (
        adversarial,
        backbones,
        base,
        callbacks,
        checks,
        data,
        distribution,
        files,
        labels,
        layers,
        losses,
        metrics,
        migration,
        multitask,
        numerics,
        objectives,
        objects,
        physics,
        recipes,
        report,
        schedules,
        testing,
    )
    from kerasmith.adversarial import Adversarial
    from kerasmith.checks import Contract, check
    from kerasmith.objectives import DeepSupervision, Model, Objective, Tap, Term

__version__ = "0.1.0"

# What `import kerasmith` alone gives, and the package that it is loaded from when it is asked for.
_FROM = {
    "Adversarial": "adversarial",
    **dict.fromkeys(("DeepSupervision", "Model", "Objective", "Tap", "Term"), "objectives"),
    **dict.fromkeys(("Contract", "check"), "checks"),
}

__all__ = [
    "Adversarial",
    "Contract",
    "DeepSupervision",
    "Model",
    "Objective",
    "Tap",
    "Term",
    "check",
    "adversarial",
    "backbones",
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
    "migration",
    "multitask",
    "numerics",
    "objectives",
    "objects",
    "physics",
    "recipes",
    "report",
    "schedules",
    "testing",
]


def __getattr__(name: str) -> Any:
    if name in _FROM:
        return getattr(importlib.import_module(f"kerasmith.{_FROM[name]}"), name)
    if name in __all__:
        return importlib.import_module(f"kerasmith.{name}")
    raise AttributeError(f"module 'kerasmith' has no attribute {name!r}. It has: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


_moved.keep_old_modules()
_load_registry.once_keras_is_there()
