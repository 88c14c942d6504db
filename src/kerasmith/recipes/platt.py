"""Platt scaling: logits of a network made into probabilities that can be believed."""

import numpy as np


def fit_platt(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None, steps: int = 50
) -> tuple[float, float]:
    """(a, b) for which sigmoid(a z + b) has the smallest cross-entropy.

    Args:
        logits: (N,) z of samples that the network was not trained on.
        targets: (N,) probabilities within [0, 1].
        weights: (N,) numbers >= 0, or None for 1.
        steps: of Newton's method, at most.

    Example:

    >>> z = np.linspace(-4, 4, 101)
    >>> [round(value, 4) for value in fit_platt(z, 1 / (1 + np.exp(-(0.5 * z + 0.2))))]
    [0.5, 0.2]

    Reference: Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    inputs = np.stack([np.asarray(logits, float), np.ones(len(logits))], axis=1)
    weights = np.ones(len(inputs)) if weights is None else np.asarray(weights, float)
    parameters = np.array([1.0, 0.0])
    for _ in range(steps):
        p = scaled(logits, *parameters)
        gradient = inputs.T @ (weights * (p - targets))
        # A little of the identity: separable samples have no finite answer, and get a large one.
        curvature = (inputs * (weights * p * (1 - p))[:, None]).T @ inputs + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        parameters = parameters - step * min(1.0, 2.0 / np.abs(step).max(initial=1e-12))
        if np.abs(step).max() < 1e-10:
            break
    return float(parameters[0]), float(parameters[1])


def scaled(logits: np.ndarray, a: float, b: float) -> np.ndarray:
    """sigmoid(a z + b), without overflow.

    >>> scaled(np.array([-1e4, 0.0]), 1.0, 0.0).tolist()
    [0.0, 0.5]
    """
    return 0.5 * (1 + np.tanh(0.5 * (a * np.asarray(logits, float) + b)))
