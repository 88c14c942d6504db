"""Losses of KerasCV 0.9."""

from kerasmith.migration.call import Call
from kerasmith.migration.rules import drop, sets, to

_COMMON = {"name": drop, "reduction": drop}

CALLS = (
    Call(
        "keras_cv.losses.FocalLoss",
        "alpha=0.25, gamma=2, from_logits=False, label_smoothing=0, reduction=None, name=None",
        "losses.Focal",
        {
            **_COMMON,
            "alpha": to("alpha", None),
            "gamma": to("gamma", 2.0, float),
            "from_logits": sets(True, from_logits=True),
            "label_smoothing": to("label_smoothing", 0.0),
        },
        (
            "KerasCV sums over the last axis: for C channels add `multi_label=True` and its value is C times this one.",
            "With `label_smoothing` the factor is that of the unsmoothed label there.",
        ),
    ),
    Call(
        "keras_cv.losses.SimCLRLoss",
        "temperature, reduction=None, name=None",
        "2.0 * {losses.NTXent}",
        {**_COMMON, "temperature": to("temperature")},
        (
            "KerasCV takes two batches of projections and adds up both directions; stack them, "
            "y_pred = concatenate([a, b]), y_true = [0..N-1, 0..N-1].",
        ),
    ),
)
