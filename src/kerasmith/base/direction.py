"""Whether a logged quantity is better high or low."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from kerasmith.keras_internals.metric_direction import direction_in_keras

_LOW = {
    "loss", "error", "mse", "mae", "rmse", "msle", "mape", "nll", "crossentropy", "perplexity", "brier", "ece", "hd", "hd95",
    "assd", "distance", "logcosh", "divergence",
}  # fmt: skip
_HIGH = {
    "accuracy", "acc", "auc", "f1", "precision", "recall", "sensitivity", "specificity", "score", "psnr", "ssim", "mcc",
    "kappa", "pq", "r2", "nsd",
}  # fmt: skip


def direction_of(name: str, known: Mapping[str, str | None] | None = None, terms: Container[str] = ()) -> str | None:
    """What is better, "max" or "min", or None for an unknown quantity.

    Names that a loss term and a metric share, such as `dice`, are unknown unless `known` has them: no answer is better than
    a wrong one.

    Args:
        name: a column of the history; a leading `val_` does not matter.
        known: {metric name: "max", "min" or None}, as `directions_of` gives; `lesion` also answers for `lesion_f1`.
        terms: names of the terms of losses, of which less is better; `mask_dice_score` is no part of the term `mask_dice`.

    >>> direction_of("val_loss"), direction_of("binary_accuracy"), direction_of("dice"), direction_of("dice", {"dice": "max"})
    ('min', 'max', None, 'max')
    >>> direction_of("mask_dice", terms=["mask_dice"]), direction_of("mask_dice_score", terms=["mask_dice"])
    ('min', 'max')
    """
    name = name.removeprefix("val_")
    known = known or {}
    if name in known:
        return known[name]
    if name in terms:
        return "min"
    for metric in sorted(known, key=len, reverse=True):
        if name.startswith(metric + "_"):
            return known[metric]
    words = name.lower().split("_")
    # The last word names the quantity: `score_loss` is a loss, `error_score` a score.
    for word in reversed(words):
        if word in _LOW:
            return "min"
        if word in _HIGH:
            return "max"
    return None


def directions_of(metrics: Iterable[Any]) -> dict[str, str | None]:
    """{name: "max", "min" or None} of metric objects and of the metrics inside them, as far as they say it.

    A metric whose quantities differ says so in `directions`, {quantity: "max", "min" or None}.

    >>> class Score:
    ...     name, direction = "dice", "max"
    >>> directions_of([Score()])
    {'dice': 'max'}
    """
    directions: dict[str, str | None] = {}
    for metric in metrics:
        directions.update(directions_of(getattr(metric, "metrics", None) or ()))
        own = getattr(metric, "direction", None) or direction_in_keras(metric)
        if own in ("max", "min"):
            directions[metric.name] = own
        elif getattr(metric, "direction", "unsaid") is None:
            directions[metric.name] = None  # it says that neither is better
        directions.update({f"{metric.name}_{name}": each for name, each in getattr(metric, "directions", {}).items()})
    return directions


def best_index(values: Sequence[float | None], direction: str | None) -> int | None:
    """The position of the best finite value (the first of equal ones), or None.

    >>> best_index([0.3, None, float("nan"), 0.9, 0.9], "max")
    3
    """
    if direction is None:
        return None
    sign = 1 if direction == "max" else -1
    finite = [(sign * v, -i) for i, v in enumerate(values) if v is not None and abs(v) < float("inf")]
    return -max(finite)[1] if finite else None
