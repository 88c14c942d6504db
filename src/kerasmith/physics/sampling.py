"""Numbers between 0 and 1 that fill a cube evenly, and drawing until enough points are accepted."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kerasmith.base.arguments import check_integer

# With none accepted of so many a domain counts as empty; with some, drawing ends with an error after the second number.
EMPTY, MOST = 1 << 20, 1 << 26
_CHUNK = 1 << 20


def generator(n: Any, seed: Any, *purpose: int) -> np.random.Generator:
    """The random generator of a call `draw(n, seed)`; another one for another purpose.

    Raises:
        TypeError, ValueError: unless n >= 1 and seed >= 0 are whole numbers.
    """
    check_integer("n", n, minimum=1)
    check_integer("seed", seed, minimum=0)
    return np.random.default_rng([int(seed), *purpose])


def latin_hypercube(n: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
    """(n, dimension) numbers in [0, 1): along each axis one in each of n equal intervals.

    Reference: McKay, Beckman and Conover, "A comparison of three methods for selecting values of input variables", 1979.
    """
    cells = np.stack([rng.permutation(n) for _ in range(dimension)], axis=1)
    return (cells + rng.random((n, dimension))) / n


def sobol(dimension: int, rng: np.random.Generator) -> Callable[[int], np.ndarray]:
    """A function that gives the next n points of a scrambled Sobol sequence, (n, dimension) numbers in [0, 1).

    Raises:
        ImportError: without SciPy.

    Reference: Sobol, "On the distribution of points in a cube", 1967; Owen, "Scrambling Sobol and Niederreiter-Xing points",
    1998.
    """
    try:
        from scipy.stats import qmc
    except ImportError as error:
        raise ImportError(
            "Sobol points need SciPy. Write `pip install scipy`, or draw with `latin_hypercube(n)` or `uniform(n)`."
        ) from error
    sequence = qmc.Sobol(dimension, scramble=True, seed=rng)
    drawn = 0

    def draw(n: int) -> np.ndarray:
        nonlocal drawn
        # A first call for a power of two keeps SciPy from warning of others.
        points = sequence.random_base2((n - 1).bit_length()) if drawn == 0 else sequence.random(n)
        drawn += len(points)
        return points

    return draw


def accepted(
    propose: Callable[[int], tuple[np.ndarray, ...]], keep: Callable[..., np.ndarray], n: int, place: str
) -> tuple[np.ndarray, ...]:
    """The first n rows that are accepted, in the order in which they are proposed.

    Args:
        propose: from a number to arrays with as many rows.
        keep: from these arrays to one boolean per row.
        n: number of rows.
        place: what the rows are points of, for errors.

    Raises:
        ValueError: if none of a million proposals is accepted, or too few of 67 million.
    """
    parts, tried, count = [], 0, 0
    while count < n:
        rate = max(count, 1) / max(tried, 1)
        ask = n if tried == 0 else min(_CHUNK, int(1.1 * (n - count) / rate) + 64)
        proposals = propose(ask)
        mask = keep(*proposals)
        tried += len(mask)
        count += int(mask.sum())
        parts.append(tuple(rows[mask] for rows in proposals))
        if count == 0 and tried >= EMPTY:
            raise ValueError(
                f"There is nothing to draw from: of {tried:,} random points none lies {place}. "
                "A difference `a - b` where b covers a is empty."
            )
        if count < n and tried >= MOST:
            raise ValueError(
                f"Of {tried:,} random points only {count:,} lie {place}, {n:,} were asked for. Draw fewer points, or describe "
                "the domain by smaller ones."
            )
    return tuple(np.concatenate(rows)[:n] for rows in zip(*parts, strict=True))
