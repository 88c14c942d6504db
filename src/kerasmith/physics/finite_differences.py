"""Linear equations of order two on a box, solved on a grid of points in float64."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerasmith.physics.box import Box
from kerasmith.physics.linear_equation import REFUSED, Coefficients

_INTERVALS = {1: 1024, 2: 128, 3: 48}
_MOST_ERROR = 0.05


def solve(
    coefficients: Callable[[np.ndarray], Coefficients], conditions: Any, box: Box, time: int | None
) -> tuple[np.ndarray, tuple[int, ...], np.ndarray, float]:
    """The solution on the points of a grid, and how much it differs from that on a grid twice as coarse.

    Second-order central differences in space, one-sided ones for slopes at the boundary. In time Crank-Nicolson, after four
    half steps of the implicit Euler method, which damp a jump between initial and boundary values (Rannacher 1984).

    Args:
        coefficients: from points (N, D) to the coefficients there.
        conditions: {face: condition} of `box_conditions.face_conditions`.
        box: of up to two axes of space, and time.
        time: number of the axis of time, or None.

    Returns:
        (N, D) points in the order of the grid, its shape, (N,) values, and the relative L2 difference from the coarser grid.

    Raises:
        ValueError: outside of the scope: equations that are neither elliptic nor parabolic, faces without a condition, more
            axes; where the grids differ by more than 5 %.
        ImportError: without SciPy.
    """
    if box.dimension - (time is not None) > 2 or box.dimension > 3:
        raise ValueError(f"{REFUSED} The box has {box.dimension} axes; two of space are possible, and one of time.")
    missing = [
        (axis, side)
        for axis in range(box.dimension)
        for side in (0, 1)
        if (axis, side) not in conditions and not (axis == time and side == 1)
    ]
    if missing:
        axis, side = missing[0]
        name = box.names[axis] if box.names else f"axis {axis}"
        raise ValueError(
            f"{REFUSED} There is no condition on the face of {box!r} where {name} is {'highest' if side else 'lowest'}."
        )
    if time is not None and (time, 1) in conditions:
        raise ValueError(f"{REFUSED} There is a condition at the last time.")
    if time is not None and conditions[time, 0].b != 0:
        raise ValueError(f"{REFUSED} The condition at the first time is not one of u.")
    count = _INTERVALS[box.dimension]
    (x, fine), (_, coarse) = (_solution(coefficients, conditions, box, time, n) for n in (count, count // 2))
    shape = (count + 1,) * box.dimension
    on_coarse = fine.reshape(shape)[(slice(None, None, 2),) * box.dimension].reshape(-1)
    size = np.linalg.norm(on_coarse)
    difference = float(np.linalg.norm(on_coarse - coarse) / size) if size > 0 else 0.0
    if not difference <= _MOST_ERROR:
        raise ValueError(
            f"{REFUSED} Grids of {count} and {count // 2} intervals along each axis differ by {difference:.1%}: the solution "
            "is too rough for them."
        )
    return x, shape, fine, difference


def _solution(coefficients, conditions, box, time, count):
    axes = [np.linspace(box.low[k], box.high[k], count + 1) for k in range(box.dimension)]
    x = np.stack([part.reshape(-1) for part in np.meshgrid(*axes, indexing="ij")], axis=1)
    if time is None:
        space = _Space(axes, list(range(box.dimension)), conditions)
        found = coefficients(x)
        _refuse_other_kinds(found.factors, space.axes, None)
        _refuse_without_level(found.factors, conditions)
        matrix, right = space.with_boundary(space.operator(found.factors), found.source, x)
        return x, _solved(matrix, right)
    return x, _in_time(coefficients, conditions, axes, time, x)


def _in_time(coefficients, conditions, axes, time, x):
    """Steps in time; the grid has its axis of time at `time`."""
    from scipy import sparse

    space = _Space(axes, [k for k in range(len(axes)) if k != time], conditions)
    places = np.moveaxis(x.reshape(*[len(axis) for axis in axes], len(axes)), time, 0)[0].reshape(-1, len(axes))
    moments = axes[time]
    quarter = (moments[1] - moments[0]) / 4
    # (first, middle, last, implicit) of each step, counted in quarters of a whole one.
    steps = [(2 * k, 2 * k + 1, 2 * k + 2, True) for k in range(4)]
    steps += [(4 * k, 4 * k + 2, 4 * k + 4, False) for k in range(2, len(moments) - 1)]
    quarters = sorted({moment for step in steps for moment in step[:3]})
    points = np.tile(places, (len(quarters), 1))
    points[:, time] = np.repeat(moments[0] + np.array(quarters) * quarter, len(places))
    found = coefficients(points)
    _refuse_other_kinds(found.factors, space.axes, time)
    slices = {moment: slice(i * len(places), (i + 1) * len(places)) for i, moment in enumerate(quarters)}

    def operator(moment):
        return space.operator({one: factor[slices[moment]] for one, factor in found.factors.items()})

    u = conditions[time, 0].at(points[slices[0]])
    values = [u]
    before = operator(0)
    for first, middle, last, implicit in steps:
        after, theta = operator(last), 1.0 if implicit else 0.5
        rate = sparse.diags(found.factors[time,][slices[middle]] / ((last - first) * quarter))
        right = rate @ u + theta * found.source[slices[last]] + (1 - theta) * (found.source[slices[first]] - before @ u)
        u = _solved(*space.with_boundary(rate + theta * after, right, points[slices[last]]))
        before = after
        if last % 4 == 0:
            values.append(u)
    levels = np.stack(values).reshape(len(moments), *[len(axes[k]) for k in space.axes])
    return np.moveaxis(levels, 0, time).reshape(-1)


class _Space:
    """Difference matrices on the grid of the axes of space, and the rows of its boundary."""

    def __init__(self, axes: Sequence[np.ndarray], numbers: Sequence[int], conditions: Any) -> None:
        self.axes, self.conditions = list(numbers), conditions
        self.shape = [len(axes[k]) for k in self.axes]
        self.size = int(np.prod(self.shape))
        self.steps = [axes[k][1] - axes[k][0] for k in self.axes]
        lines = [_line(n, h) for n, h in zip(self.shape, self.steps, strict=True)]
        self.first = [self._along(i, line[0]) for i, line in enumerate(lines)]
        self.second = [self._along(i, line[1]) for i, line in enumerate(lines)]

    def _along(self, i, matrix):
        from scipy import sparse

        before, after = int(np.prod(self.shape[:i])), int(np.prod(self.shape[i + 1 :]))
        return sparse.kron(sparse.kron(sparse.identity(before), matrix), sparse.identity(after)).tocsr()

    def operator(self, factors):
        """The sum of the parts without derivatives by time, a sparse matrix."""
        from scipy import sparse

        total = sparse.csr_matrix((self.size, self.size))
        for axes, factor in factors.items():
            if not all(axis in self.axes for axis in axes):
                continue
            places = [self.axes.index(axis) for axis in axes]
            if not places:
                matrix = sparse.identity(self.size)
            elif len(places) == 1:
                matrix = self.first[places[0]]
            else:
                matrix = self.second[places[0]] if places[0] == places[1] else self.first[places[0]] @ self.first[places[1]]
            total = total + sparse.diags(factor) @ matrix
        return total

    def with_boundary(self, matrix, right, points):
        """The equations of the points inside, and those of the faces in place of the others."""
        from scipy import sparse

        number = np.arange(self.size).reshape(self.shape)
        right, owner = right.copy(), np.full(self.size, -1)
        # A value comes before a slope where faces meet.
        faces = [(i, side, self.conditions[axis, side]) for i, axis in enumerate(self.axes) for side in (0, 1)]
        faces.sort(key=lambda face: face[2].b != 0)
        rows, columns, entries = [], [], []
        for place, (i, side, face) in enumerate(faces):
            lines = np.moveaxis(number, i, 0)
            lines = lines[::-1] if side else lines
            free = owner[lines[0]] < 0
            edge, second, third = (lines[k][free] for k in range(3))
            owner[edge] = place
            right[edge] = face.at(points[edge])
            slope = face.b / (2 * self.steps[i])  # du/dn, outwards: (3 u0 - 4 u1 + u2) / 2h
            for column, entry in ((edge, face.a + 3 * slope), (second, -4 * slope), (third, slope)):
                rows.append(edge)
                columns.append(column)
                entries.append(np.full(len(edge), entry))
        if not faces:
            return matrix, right
        inside = sparse.diags((owner < 0).astype(float))
        boundary = sparse.coo_matrix(
            (np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=(self.size, self.size)
        )
        return inside @ matrix + boundary, right


def _line(n, h):
    """Central first and second differences on a line of n points; the rows of both ends are empty."""
    from scipy import sparse

    rows = np.arange(1, n - 1)

    def matrix(*entries):
        parts = [(np.full(n - 2, value), (rows, rows + offset)) for offset, value in entries]
        data = np.concatenate([values for values, _ in parts])
        row, column = (np.concatenate([places[k] for _, places in parts]) for k in range(2))
        return sparse.csr_matrix((data, (row, column)), shape=(n, n))

    return matrix((-1, -0.5 / h), (1, 0.5 / h)), matrix((-1, 1 / h**2), (0, -2 / h**2), (1, 1 / h**2))


def _solved(matrix, right):
    try:
        from scipy.sparse import linalg
    except ImportError as error:
        raise ImportError(
            "The solution by finite differences needs SciPy. Write `pip install scipy`, or give `reference`, a function."
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", linalg.MatrixRankWarning)
        found = linalg.spsolve(matrix.tocsc(), right)
    if not np.isfinite(found).all():
        raise ValueError(f"{REFUSED} Equation and conditions do not determine a solution.")
    return np.atleast_1d(found)


def _refuse_other_kinds(factors, space, time):
    """Raises ValueError unless the equation is elliptic in space, or parabolic in time."""

    def of(*axes):
        return factors.get(tuple(sorted(axes)), np.zeros(1))

    if time is not None:
        if any(time in axes and len(axes) > 1 and np.any(factor) for axes, factor in factors.items()):
            raise ValueError(f"{REFUSED} The equation has a second derivative by time: it is not parabolic.")
        rate = of(time)
        if not (np.all(rate > 0) or np.all(rate < 0)):
            raise ValueError(f"{REFUSED} The derivative by time is missing in places, or changes its sign.")
    if not space:
        return
    a = of(space[0], space[0])
    definite = np.all(a > 0) or np.all(a < 0)
    if len(space) == 2:
        definite = definite and np.all(4 * a * of(space[1], space[1]) > of(*space) ** 2)
    if not definite:
        raise ValueError(
            f"{REFUSED} The second derivatives in space are not elliptic: a part is missing, or has another sign."
        )
    if time is not None and not np.all(a * of(time) < 0):
        raise ValueError(f"{REFUSED} The equation runs backwards in time: u_t and the second derivatives have one sign.")


def _refuse_without_level(factors, conditions):
    if all(face.a == 0 for face in conditions.values()) and not np.any(factors.get((), 0.0)):
        raise ValueError(f"{REFUSED} With slopes alone on the boundary, a constant may be added to the solution.")
