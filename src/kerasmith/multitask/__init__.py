"""Several tasks in one model: weights that are learned or follow the training, and gradients that do not fight."""

from kerasmith.multitask.balancer import Balancer
from kerasmith.multitask.dwa import DWA
from kerasmith.multitask.grad_norm import GradNorm
from kerasmith.multitask.gradient_balance import GradientBalance
from kerasmith.multitask.gradient_surgery import GradientSurgery
from kerasmith.multitask.uncertainty import Uncertainty

__all__ = [
    "Balancer",
    "DWA",
    "GradNorm",
    "GradientBalance",
    "GradientSurgery",
    "Uncertainty",
]


def __dir__() -> list[str]:
    return __all__
