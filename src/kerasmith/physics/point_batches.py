"""Batches of points that may be drawn anew between epochs."""

from typing import Any

import numpy as np

from kerasmith.base.arguments import check_integer
from kerasmith.data import WeightedBatches
from kerasmith.physics.points import Points, coordinates


class PointBatches(WeightedBatches):
    """Batches of the points at which an equation is asked, for `fit` (since 0.2).

    Each epoch goes through all points, in an order that depends on seed and epoch alone. `set_points` puts others in their
    place, as `callbacks.RefinePoints` does; `callbacks.Resume` saves the points and the place among them.

    Args:
        points: `Points`, or (N, D) coordinates.
        batch_size: points in a batch; all of them by default.
        seed: whole number >= 0.
        shuffle: if False, the points come in their order.
        drop_remainder: leave out a last batch that is smaller.
        workers, max_queue_size: as in `data.WeightedBatches`.

    Attributes:
        points: the present `Points`.

    Example:

    >>> from kerasmith.physics import Box
    >>> data = PointBatches(Box([0, 0], [1, 1], names="xt").uniform(100), batch_size=32)
    >>> len(data), data[0][0].shape, data.points.names
    (4, (32, 2), ('x', 't'))
    """

    def __init__(
        self,
        points: Any,
        batch_size: int | None = None,
        seed: int = 0,
        *,
        shuffle: bool = True,
        drop_remainder: bool = False,
        workers: int = 1,
        max_queue_size: int = 10,
    ) -> None:
        points = points if isinstance(points, Points) else Points(points)
        if batch_size is not None:
            check_integer("batch_size", batch_size, minimum=1)
        super().__init__(
            points.x,
            batch_size=min(len(points), len(points) if batch_size is None else batch_size),
            seed=seed,
            shuffle=shuffle,
            drop_remainder=drop_remainder,
            workers=workers,
            max_queue_size=max_queue_size,
        )
        self._present = _Present(points)

    @property
    def points(self) -> Points:
        """The points of the batches that are drawn from now on."""
        return self._present.points

    def set_points(self, points: Any) -> None:
        """Puts other points in the place of the present ones, between epochs: the next epoch has them from its first batch on.

        Args:
            points: `Points` or (N, D) coordinates, as many as before.

        Raises:
            ValueError: for another number of points or of axes.
        """
        points = points if isinstance(points, Points) else Points(points, names=self.points.names, domain=self.points.domain)
        if points.shape != self.points.shape:
            raise ValueError(
                f"An epoch of this data has {len(self.points)} points of {self.points.shape[1]} axes, and other points must "
                f"be as many. Received: points of shape {points.shape}"
            )
        with self._lock:
            self._present = _Present(points)

    def take(self, samples: np.ndarray) -> tuple[Any, ...]:
        """(x,) of the points with these numbers."""
        return (self.points.x[samples],)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on: the points, and the place in the present epoch."""
        return {**super().state_dict(), "points": self.points.x}

    def load_state_dict(self, state: Any) -> None:
        """Goes on where the dataset was that gave `state`.

        Raises:
            ValueError: if it was made for other points or with other arguments.
        """
        points = coordinates(state["points"], name="points")
        super().load_state_dict(state)
        if not np.array_equal(points, self.points.x):
            self.set_points(points)


class _Present:
    """Holds the present points. The data are known again, as by `callbacks.Resume`, by those that they began with."""

    def __init__(self, points):
        self.points = points
