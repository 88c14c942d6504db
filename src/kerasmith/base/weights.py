"""What a caller asked to weigh or to leave out, sorted."""

import dataclasses
from typing import Any

from kerasmith.labels import sample_weights


@dataclasses.dataclass(frozen=True)
class Weights:
    """Everything a caller asked to weigh or to leave out; None where nothing.

    Attributes:
        sample: (B,) or scalar weights.
        pixel: (B, *spatial) weights.
        valid_sample: (B,), 0 on masked samples.
        valid_pixel: (B, *spatial), 0 on masked pixels.
        given: what the caller passed, `sample_weight` and mask.
    """

    sample: Any = None
    pixel: Any = None
    valid_sample: Any = None
    valid_pixel: Any = None
    given: tuple = (None, None)

    @property
    def effective_sample(self):
        """`sample` without the masked ones: (B,), a scalar, or None."""
        given = [w for w in (self.sample, self.valid_sample) if w is not None]
        return given[0] * given[1] if len(given) == 2 else given[0] if given else None


def split_sample_weight(sample_weight, mask, shape, dtype="float32"):
    """`Weights` of a `sample_weight` and a Keras mask, told apart by their shapes.

    Args:
        sample_weight: what the caller passed, or None.
        mask: the mask attached to y_pred, or None.
        shape: static (batch, *spatial) of the predictions.
        dtype: dtype of the weights.
    """
    if sample_weight is None and mask is None:
        return Weights()
    given = sample_weights.split(sample_weight, shape, dtype=dtype)
    kept = sample_weights.split(mask, shape, what="the mask of y_pred", dtype=dtype)
    return Weights(given.sample, given.pixel, kept.sample, kept.pixel, (sample_weight, mask))
