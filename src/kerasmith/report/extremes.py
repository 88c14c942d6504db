"""Which cases did worst and best."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from kerasmith.base.direction import direction_of


def better(score: str, known: Mapping[str, Any] | None = None, terms: Container[str] = ()) -> str | None:
    """ "max" or "min" of a score: as the metric says; overlap of masks and its like have no other meaning in results.

    >>> better("object_f1"), better("loss"), better("threshold")
    ('max', 'min', None)
    """
    words = set(score.replace("-", "_").split("_"))
    usual = "max" if words & {"dice", "iou", "accuracy", "f1", "right"} else None
    return direction_of(score, known, terms) or usual


def worst_first(scores: Mapping[str, float | None], direction: str | None) -> list[str]:
    """The names, those without a finite number last; in ascending order where no direction is known.

    >>> worst_first({"a": 0.9, "b": None, "c": 0.2}, "max")
    ['c', 'a', 'b']
    """
    known = [name for name, value in scores.items() if value is not None and np.isfinite(value)]
    ordered = sorted(known, key=lambda name: scores[name], reverse=direction == "min")
    return [*ordered, *(name for name in scores if name not in known)]


def worst_and_best(ordered: Sequence[str], most: int) -> tuple[list[str], list[str]]:
    """The first half and the last half of names in order, at most `most` of each, the best ones first.

    >>> worst_and_best(["a", "b", "c", "d", "e"], 2)
    (['a', 'b'], ['e', 'd'])
    """
    half = min(most, (len(ordered) + 1) // 2)
    return list(ordered[:half]), list(ordered[half:][::-1][:most])
