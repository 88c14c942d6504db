"""Where the points of conditions lie."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasmith.checks.engine.comparison import format_numbers
from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.problems.case import ProblemCase

# Of the size of the domain: a step from the boundary that leads inside or outside; numbers that mean the same place.
_STEP, _SAME = 1e-3, 1e-5
# Sizes of the box of an equation's points that a condition may lie away from it.
_FAR = 1.0


@check("P110", "problem", "error", needs_inputs=False, since="0.2.0")
def points_lie_in_the_domain(case: ProblemCase) -> None:
    """Points of a condition lie outside of the domain of the equation.

    The network is trained there on values that the equation does not know of, and where the condition should hold, it is
    never asked.

    Fix: draw the points of the same domain: `domain.boundary(n)`, `domain.initial(n)`; `domain.points(x)` refuses those of
    your own that lie outside. Coordinates stand in the order of the equation's names.
    """
    _require_conditions(case)
    if case.domains:
        for condition, x in _sets(case):
            fitting = [domain for domain in case.domains if domain.dimension == x.shape[1]]
            outside = ~np.any([domain.contains(x) for domain in fitting], axis=0) if fitting else np.zeros(len(x), bool)
            if outside.any():
                first = int(np.flatnonzero(outside)[0])
                raise Failed(
                    f"all points of {condition.name!r} in {fitting[0]!r}",
                    f"{outside.sum()} of {len(x)} outside, the first is number {first}: {format_numbers(x[first])}",
                    [f"print({case.text_of(condition)}.asked[{first}])"],
                )
        return
    known = [equation.points for equation in case.equations if equation.points is not None]
    if not known:
        raise NotApplicable("nothing says which domain the equation has")
    low, high = np.concatenate(known).min(axis=0), np.concatenate(known).max(axis=0)
    size = np.where(high > low, high - low, 1.0)
    for condition, x in _sets(case):
        away = np.maximum(low - x, x - high) / size
        if x.shape[1] == len(low) and away.max() > _FAR:
            first = int(np.argmax(away.max(axis=1)))
            raise Failed(
                f"points of {condition.name!r} near those of the equation, {format_numbers(low)} to {format_numbers(high)}",
                format_numbers(x[first]),
                [f"print({case.text_of(condition)}.asked[{first}])"],
                severity="warning",
            )


@check("P111", "problem", "error", needs_inputs=False, since="0.2.0")
def normals_point_outwards(case: ProblemCase) -> None:
    """Normals point into the domain.

    The slope along them has the other sign: heat flows in where it should flow out, and a `robin` condition heats what it
    should cool. The loss is as small as with the right sign.

    Fix: take boundary points of the domain, which know their normals, or turn yours round: `normals=-normals`.
    """
    concerned = [one for one in case.conditions if one.normals is not None]
    domains = [one.domain for one in concerned]
    if not concerned or not (case.domains or any(domains)):
        raise NotApplicable("no condition with normals in a domain that is known")
    for condition in concerned:
        domain = condition.domain if condition.domain is not None else case.domains[0]
        if domain.dimension != condition.points.shape[1]:
            continue
        step = _STEP * np.min(domain.high - domain.low) * condition.normals
        x = condition.points.astype("float64")
        inwards = domain.contains(x + step) & ~domain.contains(x - step)
        if inwards.any():
            first, text = int(np.flatnonzero(inwards)[0]), case.text_of(condition)
            raise Failed(
                f"normals of {condition.name!r} that point out of {domain!r}",
                f"{inwards.sum()} of {len(x)} point into it, the first is number {first}: "
                f"{format_numbers(condition.normals[first])} at {format_numbers(x[first])}",
                [f"print({text}.points[{first}], {text}.normals[{first}])"],
            )


@check("P112", "problem", "warning", needs_inputs=False, since="0.2.0")
def initial_points_are_first(case: ProblemCase) -> None:
    """Points of an initial condition do not lie at the first time.

    Mostly the coordinates stand in another order than the names, or the points are those of the whole domain.

    Fix: `domain.initial(n)`, or points whose coordinate "t" is the first time. A value at a later time is `kind="dirichlet"`.
    """
    initial = [one for one in case.conditions if one.kind == "initial"]
    names = [tuple(one.names or case.names) for one in initial]
    timed = [(one, own.index("t")) for one, own in zip(initial, names) if "t" in own and len(own) == one.points.shape[1]]
    if not timed:
        raise NotApplicable('no initial condition with an axis "t"')
    known = [term.points for term in (*case.equations, *case.conditions) if term.points is not None]
    for condition, axis in timed:
        starts = [domain.low[axis] for domain in case.domains if domain.dimension == condition.points.shape[1]]
        starts += [x[:, axis].min() for x in known if x.shape[1] == condition.points.shape[1]]
        times, start = condition.points[:, axis], min(starts)
        ends = [x[:, axis].max() for x in known if x.shape[1] == condition.points.shape[1]]
        late = times - start > _SAME + 0.01 * (max(ends) - start)
        if late.any():
            first = int(np.flatnonzero(late)[0])
            raise Failed(
                f"t = {start:.6g} at all points of {condition.name!r}",
                f"t = {times[first]:.6g} at point {first}, {format_numbers(condition.points[first])}",
                [f"print({case.text_of(condition)}.points[{first}])"],
            )


@check("P113", "problem", "warning", needs_inputs=False, since="0.2.0")
def values_agree(case: ProblemCase) -> None:
    """Two conditions want different values of one output at one point.

    No network can fulfil both: it rounds the corner, and the loss never becomes small.

    Fix: correct the value that is wrong. Where the solution does jump, leave out the points of the jump.
    """
    valued = [one for one in case.conditions if one.kind in ("dirichlet", "initial") and one.derivative is None]
    if len(valued) < 2:
        raise NotApplicable("fewer than two conditions on values")
    for k, first in enumerate(valued):
        for second in valued[k + 1 :]:
            if first.output != second.output or first.points.shape[1] != second.points.shape[1]:
                continue
            pair = _contradiction(first, second)
            if pair is not None:
                a, b = pair
                texts = [case.text_of(one) for one in (first, second)]
                raise Failed(
                    f"one value at {format_numbers(first.points[a])}",
                    f"{first.target[a]:.6g} of {first.name!r}, {second.target[b]:.6g} of {second.name!r}",
                    [f"print({texts[0]}.target[{a}], {texts[1]}.target[{b}])"],
                )


def _contradiction(first, second):
    """(position in the first, in the second) of one place with two values; None if there is none."""
    both = np.concatenate([first.points, second.points]).astype("float64")
    size = np.ptp(both, axis=0)
    cells = np.round((both - both.min(axis=0)) / np.where(size > 0, size, 1.0) / _SAME).astype("int64")
    places = {tuple(cell): k for k, cell in enumerate(cells[: len(first.points)])}
    scale = max(np.abs(first.target).max(), np.abs(second.target).max())
    for b, cell in enumerate(cells[len(first.points) :]):
        a = places.get(tuple(cell))
        if a is not None and abs(float(first.target[a]) - float(second.target[b])) > 1e-3 * scale:
            return a, b
    return None


def _sets(case) -> Iterator[tuple[Any, np.ndarray]]:
    for condition in case.conditions:
        yield condition, condition.asked.astype("float64")


def _require_conditions(case):
    if not case.conditions:
        raise NotApplicable("there is no condition")
