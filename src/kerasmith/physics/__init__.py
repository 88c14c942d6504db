"""Differential equations as terms of an objective, the points they hold at, and the check of what was learned."""

from kerasmith.physics.ball import Ball
from kerasmith.physics.box import Box
from kerasmith.physics.calculus import divergence, gradient, jacobian, laplacian
from kerasmith.physics.condition import Condition
from kerasmith.physics.domain import Domain
from kerasmith.physics.field import Field
from kerasmith.physics.hard_constraint import HardConstraint
from kerasmith.physics.point_batches import PointBatches
from kerasmith.physics.points import Points
from kerasmith.physics.polishing import polish
from kerasmith.physics.polygon import Polygon
from kerasmith.physics.residual import Residual
from kerasmith.physics.unknown import Unknown
from kerasmith.physics.verification import Verification, verify

__all__ = [
    "Ball",
    "Box",
    "Condition",
    "Domain",
    "Field",
    "HardConstraint",
    "PointBatches",
    "Points",
    "Polygon",
    "Residual",
    "Unknown",
    "Verification",
    "divergence",
    "gradient",
    "jacobian",
    "laplacian",
    "polish",
    "verify",
]


def __dir__() -> list[str]:
    return __all__
