"""Several tasks in one model: weights that are learned or follow the training, and gradients that do not fight."""

from kerasmith.objectives.multitask.balancer import Balancer
from kerasmith.objectives.multitask.dwa import DWA
from kerasmith.objectives.multitask.grad_norm import GradNorm
from kerasmith.objectives.multitask.gradient_surgery import GradientSurgery
from kerasmith.objectives.term_weight import Uncertainty
