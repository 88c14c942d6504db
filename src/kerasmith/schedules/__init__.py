"""Learning-rate policies as functions of the optimizer's step: they save, load and resume by themselves."""

from kerasmith.schedules.cosine_restarts import CosineRestarts
from kerasmith.schedules.cyclic import Cyclic
from kerasmith.schedules.one_cycle import OneCycle
from kerasmith.schedules.ramp import Ramp
from kerasmith.schedules.scaled import Scaled
from kerasmith.schedules.shifted import Shifted
from kerasmith.schedules.warmup import Warmup

__all__ = [
    "CosineRestarts",
    "Cyclic",
    "OneCycle",
    "Ramp",
    "Scaled",
    "Shifted",
    "Warmup",
]


def __dir__() -> list[str]:
    return __all__
