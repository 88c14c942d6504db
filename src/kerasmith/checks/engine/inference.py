"""Finds inputs that a component understands: the declared ones, or the most telling archetype that runs."""

import collections
import traceback
from typing import Any

import numpy as np

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.spec import map_specs, parse

_NEAREST = 3


def set_inputs(case: Case, like: Any = None) -> None:
    """Gives `case` its specs.

    Args:
        case: a `Case` whose kind has `archetypes`.
        like: {"y_true": spec, "y_pred": spec} or {"inputs": spec}, or None to try the archetypes.

    Raises:
        CannotCheck: if no archetype runs; lists what was tried and what each refusals.
    """
    if like is not None:
        case.specs = declared(case, like)
        return
    refusals: list[tuple[str, str, tuple[int, int]]] = []
    for archetype in case.preferred():
        case.specs, case.archetype = archetype.specs, archetype.name
        try:
            with np.errstate(all="ignore"):
                case.try_inputs(archetype.specs)
        except Exception as error:
            refusals.append((case.describe(), describe_error(error), _depth(error, case.subject.file)))
            continue
        return
    example = case.archetypes[0]
    case.specs, case.archetype = example.specs, None
    text = case.describe()
    case.specs = None
    raise CannotCheck(
        f"{case.subject.name} runs on none of the inputs that were tried. Declare some: --like '{text}' on the command line, "
        f"like={{...}} in Python.\n" + _summary(refusals),
        "\n".join(f"  {inputs}: {reason}" for inputs, reason, _ in refusals),
    )


def _depth(error: BaseException, file: str | None) -> tuple[int, int]:
    """How far an attempt came: an answer that was refused is nearest, then an exception at a late line of the component."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if file is not None and frame.filename == file
    ]
    return (1, 0) if not lines else (0, lines[-1] or 0)


def _summary(refusals: list[tuple[str, str, tuple[int, int]]]) -> str:
    """The reason that most inputs share, and the three that came nearest."""
    reasons = collections.Counter(reason for _, reason, _ in refusals)
    reason, number = reasons.most_common(1)[0]
    nearest = sorted(refusals, key=lambda one: one[2], reverse=True)[:_NEAREST]
    lines = [f"  {number} of {len(refusals)}: {reason}"] if number > 1 else []
    lines += [f"  nearest: {inputs}: {reason}" for inputs, reason, _ in nearest]
    return "\n".join([*lines, "  -v lists all that were tried"] if len(refusals) > _NEAREST else lines)


def declared(case: Case, like: Any) -> dict[str, Any]:
    """The specs of `like`, after a look at its keys.

    Raises:
        CannotCheck: for other keys than the kind takes, or a spec that cannot be read.
    """
    if not isinstance(like, dict):
        raise CannotCheck(f"`like` must be a dict such as {_example(case)}. Received: {like!r}")
    specs = {name: parsed(value) for name, value in like.items()}
    first = list(case.archetypes[0].specs)
    missing = [name for name in first if name not in specs]
    if missing:
        raise CannotCheck(
            f"`like` of a {case.kind} names {', '.join(first)}: {_example(case)}. Received: {', '.join(like) or 'nothing'}"
        )
    return specs


def parsed(value: Any) -> Any:
    """`Spec`s in place of their texts and example arrays, in lists and dicts."""
    return map_specs(parse, value)


def _example(case: Case) -> str:
    return "{" + ", ".join(f'"{name}": "{spec}"' for name, spec in case.archetypes[0].specs.items()) + "}"
