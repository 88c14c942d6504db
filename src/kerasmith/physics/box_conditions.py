"""What the conditions of a model say on each face of a box."""

from typing import Any, NamedTuple

import numpy as np

from kerasmith.physics.box import Box
from kerasmith.physics.condition import Condition
from kerasmith.physics.linear_equation import REFUSED
from kerasmith.physics.point_arrays import value_array

# n random points leave more than 12 / n of a side uncovered at its ends once in ten thousand times.
_UNCOVERED = 12


class FaceCondition(NamedTuple):
    """a u + b du/dn = value on a face.

    Attributes:
        a, b: numbers.
        condition: that has the value.
    """

    a: float
    b: float
    condition: Condition

    def at(self, x: np.ndarray) -> np.ndarray:
        """The values at points (N, D) of the face, (N,) float64."""
        value = self.condition.value
        return np.asarray(value_array(value, x, f"the condition {self.condition.name!r}"), "float64")


def face_conditions(model: Any, box: Box) -> dict[tuple[int, int], FaceCondition]:
    """{(axis, 0 for low or 1 for high): condition} of the faces on which points of conditions lie.

    Raises:
        ValueError: for points inside, for a value that is known at points alone, a part of a face, two conditions on a face,
            and kinds that have no value of u or of its slope across the boundary.
    """
    found: dict[tuple[int, int], FaceCondition] = {}
    for term in model.objective.terms:
        if not isinstance(term, Condition):
            continue
        what = f"{REFUSED} The condition {term.name!r}"
        if term.kind == "periodic" or term.derivative is not None:
            raise ValueError(f"{what} is periodic, or of a derivative.")
        if not callable(term.value) and not isinstance(term.value, (int, float)):
            raise ValueError(f"{what} has values at its points alone; give it a number or a function of the points.")
        x = np.asarray(term.points, "float64")
        if x.shape[1] != box.dimension:
            raise ValueError(f"{what} has points of {x.shape[1]} axes, the box has {box.dimension}.")
        on = np.stack([np.abs(x - box.low) <= box._tolerance, np.abs(x - box.high) <= box._tolerance], axis=2)
        if not on.any(axis=(1, 2)).all() or not box.contains(x).all():
            raise ValueError(f"{what} has points that do not lie on the boundary of {box!r}.")
        alone = on.sum(axis=(1, 2)) == 1
        for axis, side in np.argwhere((on & alone[:, None, None]).any(axis=0)):
            face = int(axis), int(side)
            of_face = on[:, axis, side] & alone
            if face in found:
                raise ValueError(f"{what} and {found[face].condition.name!r} lie on one face.")
            others = np.delete(np.arange(box.dimension), axis)
            reach = np.ptp(x[of_face][:, others], axis=0) / (box.high - box.low)[others] if others.size else np.ones(1)
            if (reach < 1 - _UNCOVERED / of_face.sum()).any():
                raise ValueError(f"{what} reaches over a part of a face alone.")
            found[face] = FaceCondition(*_factors(term, x, of_face, face, what), term)
    return found


def _factors(term, x, of_face, face, what):
    if term.kind in ("dirichlet", "initial"):
        return 1.0, 0.0
    axis, side = face
    normal = np.zeros(x.shape[1])
    normal[axis] = 1 if side else -1
    if not np.allclose(np.asarray(term.normals)[of_face], normal, atol=1e-4):
        raise ValueError(f"{what} has normals that do not point out of the box.")
    return (0.0, 1.0) if term.kind == "neumann" else term.coefficients
