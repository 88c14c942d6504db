"""Equations and conditions computed once."""

import numpy as np

from kerasmith.checks.engine.comparison import Tolerance, differ
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.problems.case import ProblemCase

# Numbers that are not the same ones, though they may be near.
_SMALL = Tolerance(1e-6, 1e-9)


@check("P000", "problem", "error", requires=(), needs_inputs=False, since="0.2.0")
def takes_a_network(case: ProblemCase) -> None:
    """The equations and conditions cannot be computed of one network, or are no finite numbers.

    They are asked together, of a small network with the coordinates and outputs that they name, at their own points and at
    points in the box around those.

    Fix: mend what the message names. Points of all terms have the same axes, in the order of the model's inputs; a condition
    on one of several outputs says `output=`.
    """
    try:
        answers = case.answers
    except Exception as error:
        if not case.is_whole:
            raise Inconclusive(f"terms of other kinds need data: {describe_error(error)}") from None
        raise Failed("a number for each term", describe_error(error), ["print(problem)"]) from None
    for name, value in answers[0].items():
        if not np.isfinite(value):
            raise Failed("finite numbers", f"{name} = {value}", ["print(problem)"])


@check("P101", "problem", "error", needs_inputs=False, since="0.2.0")
def depends_on_the_network(case: ProblemCase) -> None:
    """A condition or an equation is never sampled: its term is the same number for every network.

    Its column looks as if it held, or as if it could not be learned, and training goes on without it. A periodic condition
    compares points with themselves; an equation is a mask that none of its points hits.

    Fix: give points at which it says something: for a periodic condition those of both sides, or one side and `axis`.
    """
    own = [term for term in (*case.conditions, *case.equations) if term.points is not None]
    if not own:
        raise NotApplicable("no term has points of its own")
    if case.is_alone:
        names = {id(term): term.name for term in own}
    else:
        names = {id(term): term.name for term in case.objective.terms}
    for term in own:
        values = [answer.get(names[id(term)], answer["loss"] if case.is_alone else None) for answer in case.answers]
        if None not in values and not differ(np.array(values[:1] * len(values)), np.array(values), _SMALL):
            text = case.text_of(term)
            sides = f", np.abs({text}.points - {text}.partners).max()" if getattr(term, "partners", None) is not None else ""
            raise Failed(
                f"other numbers of {term.name!r} for other networks",
                f"{values[0]:.6g} for {len(values)} of them",
                [f"print({text}.name, {text}.points[:3]{sides})"],
            )


@check("P102", "problem", "warning", needs_inputs=False, since="0.2.0")
def weighs_something(case: ProblemCase) -> None:
    """A term has the weight 0.

    It is computed in each step and teaches nothing. To watch a number without training on it is cheaper in a callback.

    Fix: give it a weight, or take the term out.
    """
    for term in (*case.equations, *case.conditions):
        if getattr(term.factor, "value", None) == 0:
            raise Failed(f"a weight of {term.name!r} that is not 0", "0", [f"print({case.text_of(term)}.weight)"])


@check("P103", "problem", "note", needs_inputs=False, since="0.2.0")
def something_fixes_the_solution(case: ProblemCase) -> None:
    """There are equations and no condition.

    Every solution of the equation is then as good as any other, and so is 0, mostly.

    Fix: add the boundary and initial values as `Condition`s; a network that fulfils them by itself (`HardConstraint`), or
    data for the equation, is as good.
    """
    if case.is_alone or not case.is_whole:
        raise NotApplicable("other terms may fix it")
    if any("y" in equation.takes or "y_true" in equation.takes for equation in case.equations):
        raise NotApplicable("an equation asks for data")
    if not case.conditions:
        raise Failed("a condition", "none", ["print([term.name for term in problem.terms])"])
