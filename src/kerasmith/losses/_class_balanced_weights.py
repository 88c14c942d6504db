"""Class weights by the effective number of samples."""

import math
from collections.abc import Sequence

from kerasmith.base.arguments import check_number
from kerasmith.base.keywords import explain_keywords


@explain_keywords
def class_balanced_weights(counts: Sequence[int], beta: float = 0.999) -> list[float]:
    """Weights for `class_weights=` from the number of samples (or pixels) of each class.

    w_c = (1 - beta) / (1 - beta ** n_c), scaled so that the weights of the classes that occur have the mean 1

    beta = 0 gives equal weights, beta = 1 its limit, weights by inverse frequency. A class that does not occur gets 0.

    Args:
        counts: n_c, one number >= 0 per class.
        beta: 0 to 1; (N - 1) / N for N prototypes per class.

    Returns:
        A list of floats.

    Raises:
        ValueError: for negative counts, no count above 0, or beta outside [0, 1].

    Example:

    >>> [round(w, 3) for w in class_balanced_weights([9000, 1000, 10], beta=0.999)]
    [0.029, 0.046, 2.925]

    Reference: Cui et al., "Class-balanced loss based on effective number of samples", 2019.
    """
    check_number("beta", beta, minimum=0, maximum=1)
    counts = [float(n) for n in counts]
    for i, n in enumerate(counts):
        check_number(f"counts[{i}]", n, minimum=0)
    if not any(counts):
        raise ValueError(f"`counts` must hold at least one number above 0. Received: counts={counts}")
    raw = [_inverse_effective_number(n, beta) if n else 0.0 for n in counts]
    scale = sum(n > 0 for n in counts) / sum(raw)
    return [w * scale for w in raw]


def _inverse_effective_number(n, beta):
    if beta in (0, 1):
        return 1.0 if beta == 0 else 1.0 / n
    # 1 - beta ** n loses its digits for beta near 1 and small n.
    return (1.0 - beta) / -math.expm1(n * math.log(beta))
