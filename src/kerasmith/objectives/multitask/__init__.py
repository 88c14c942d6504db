"""Several tasks in one model: weights that are learned or follow the training, and gradients that do not fight."""

from kerasmith.objectives.multitask.balancer import Balancer
from kerasmith.objectives.term_weight import Uncertainty
