"""How sure a model was and whether it was right: the pairs that calibration is measured on, and their sums in bins."""

from keras import ops

from kerasmith._types import Tensor
from kerasmith.labels.pixels import Pixels
from kerasmith.numerics.bincount import bincount


def confidences(pixels: Pixels, confidence: str) -> tuple[Tensor, Tensor, Tensor | None]:
    """(confidence, outcome, weight or None) of each decision, (B, N) each.

    Args:
        pixels: a `Pixels` record; C independent channels make C decisions of each place.
        confidence: "positive": the probability of class 1 against the truth, 0 or 1 (or soft); "winner": the probability of
            the likelier class against whether it is the true one.
    """
    p, weight = pixels.probabilities, pixels.weight
    if not pixels.binary:
        winner = ops.argmax(pixels.scores, axis=pixels.class_axis)
        truth = pixels.ids if pixels.ids is not None else ops.argmax(pixels.dense, axis=pixels.class_axis)
        right = ops.equal(ops.cast(winner, "int32"), ops.cast(truth, "int32"))
        # No `max`: Keras refuses it on an empty batch.
        chosen = ops.one_hot(winner, pixels.channels, axis=pixels.class_axis, dtype=p.dtype)
        return ops.sum(p * chosen, axis=pixels.class_axis), ops.cast(right, p.dtype), weight
    y = pixels.truth
    if confidence == "winner":
        y = ops.cast(ops.equal(p > 0.5, y > 0.5), p.dtype)
        p = ops.maximum(p, 1.0 - p)
    if pixels.class_axis is not None:
        if weight is not None:
            weight = ops.broadcast_to(pixels.per_class(weight), ops.shape(p))
        p, y, weight = (x if x is None else ops.reshape(x, (ops.shape(x)[0], -1)) for x in (p, y, weight))
    return p, y, weight


def sums_in_bins(p: Tensor, y: Tensor, weight: Tensor, bins: int) -> dict[str, Tensor]:
    """{"weight", "confidence", "outcome"}: (B, bins) sums over the decisions in each bin of confidence.

    Bin b is [b / bins, (b + 1) / bins), the last includes 1. A NaN reaches the confidence of bin 0.
    """
    samples = ops.shape(p)[0]
    place = ops.clip(ops.floor(p * bins), 0.0, bins - 1.0)
    index = ops.cast(ops.where(place == place, place, 0.0), "int32")
    index = index + ops.expand_dims(ops.arange(samples, dtype="int32") * bins, 1)
    index = ops.reshape(index, (-1,))

    def summed(x):
        if x is not None:
            x = ops.reshape(x if weight is None else ops.where(weight == 0, 0.0, x * weight), (-1,))
        return ops.reshape(bincount(index, x, samples * bins), (samples, bins))

    counts = summed(None if weight is None else ops.ones_like(p))
    return {"weight": counts, "confidence": summed(p), "outcome": summed(y)}
