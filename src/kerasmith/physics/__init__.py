"""Differential equations as terms of an objective, the points they hold at, and the check of what was learned."""

from kerasmith.physics.ball import Ball
from kerasmith.physics.box import Box
from kerasmith.physics.domain import Domain
from kerasmith.physics.point_batches import PointBatches
from kerasmith.physics.points import Points
from kerasmith.physics.polygon import Polygon

__all__ = ["Ball", "Box", "Domain", "PointBatches", "Points", "Polygon"]


def __dir__() -> list[str]:
    return __all__
