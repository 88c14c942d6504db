"""Learning-rate policies as functions of the optimizer's step: they save, load and resume by themselves."""

from kerasmith.schedules.cosine_restarts import CosineRestarts
from kerasmith.schedules.shifted import Shifted
