"""From scores of hardness to sampling weights."""

from typing import Any

import numpy as np


def hardness_weights(
    scores: Any, temperature: float = 0.5, floor: float = 0.1, cap: float = 10.0, normalize: str = "rank"
) -> np.ndarray:
    """Sampling weights that grow with scores: w_i = clip(e_i / mean(e), floor, cap), e_i = exp(v_i / temperature).

    v is the score on a common scale,
    - "rank": v_i = (rank_i - 1/2) / n, from 0 for the lowest score to 1 for the highest, equal for equal scores. The hardest
      sample weighs exp(1 / temperature) times the easiest, whatever the scores are;
    - "z": v_i = (s_i - mean(s)) / std(s), 0 where all scores are equal.

    Args:
        scores: (n,) finite numbers; NaN where nothing is known, which gets the weight 1.
        temperature: > 0; a high one makes all weights equal.
        floor, cap: bounds of a weight, 1 being the average before they apply.
        normalize: "rank" or "z".

    Returns:
        (n,) float64.

    Example:

    >>> hardness_weights([0.1, 3.0, 0.5, np.nan], temperature=1.0).round(2).tolist()
    [0.69, 1.35, 0.96, 1.0]

    Reference: Loshchilov and Hutter, "Online batch selection for faster training of neural networks", 2015 (by rank, with
    s_e = exp(1 / temperature)).
    """
    scores = np.asarray(scores, "float64")
    known = np.isfinite(scores)
    weights = np.ones(len(scores))
    if known.any():
        values = _ranks(scores[known]) if normalize == "rank" else _standard(scores[known])
        raw = np.exp((values - values.max()) / temperature)
        weights[known] = raw / raw.mean()
    return np.clip(weights, floor, cap)


def effective_samples(weights: np.ndarray) -> float:
    """sum(w)^2 / sum(w^2): how many equally weighted samples vary as much as these (Kish, "Survey sampling", 1965)."""
    weights = weights / weights.max()
    return float(weights.sum() ** 2 / (weights**2).sum())


def _ranks(scores):
    _, which, counts = np.unique(scores, return_inverse=True, return_counts=True)
    return ((np.cumsum(counts) - counts / 2) / len(scores))[which.reshape(-1)]


def _standard(scores):
    scores = scores / max(np.abs(scores).max(), 1e-300)
    deviation = scores.std()
    # Equal numbers differ from their mean in the last digit.
    return (scores - scores.mean()) / deviation if deviation > 1e-12 else np.zeros_like(scores)
