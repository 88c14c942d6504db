"""Losses that see anything: named terms, several tasks, features from inside the model."""

from kerasmith.objectives.deep_supervision import DeepSupervision
from kerasmith.objectives.model import Model
from kerasmith.objectives.objective import Objective
from kerasmith.objectives.tap import Tap
from kerasmith.objectives.term import Term

__all__ = [
    "DeepSupervision",
    "Model",
    "Objective",
    "Tap",
    "Term",
]


def __dir__() -> list[str]:
    return __all__
