"""Predictions that are NaN: nothing can be decided of them, and a comparison would make background of them."""

import keras
from keras import ops

from kerasmith.keras_internals.tensors import is_concrete, is_symbolic
from kerasmith.labels.label_check import used_labels
from kerasmith.labels.label_domain import PREDICTIONS
from kerasmith.labels.label_watch import Doubt, running_watch
from kerasmith.labels.pixels import Pixels
from kerasmith.numerics.tensors import is_float


def doubt_predictions(pixels: Pixels) -> None:
    """Lets the running `LabelWatch` make the result NaN if a score that counts is; an error would end the training."""
    scores, watch = pixels.scores, running_watch()
    if watch is None or 0 in tuple(scores.shape) or is_symbolic(scores) or not is_float(scores):
        return
    if is_concrete(scores) and _are_numbers(scores):
        return
    counts = pixels.weight if pixels.weight is not None else pixels.valid
    counts = None if counts is None else pixels.per_class(counts)
    sample = watch.sample if watch.sample is not None and len(watch.sample.shape) == 1 else None
    watch.doubt(Doubt(used_labels(scores, counts, sample), None, None, PREDICTIONS))


def _are_numbers(scores):
    if keras.backend.backend() == "torch":
        # One pass over memory; the sum is NaN too where infinities of both signs meet.
        return not bool(scores.sum().isnan()) or not bool(scores.isnan().any())
    return not bool(ops.any(ops.isnan(scores)))
