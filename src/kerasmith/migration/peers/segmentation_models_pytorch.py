"""Losses and metrics of segmentation-models-pytorch 0.6."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.rules import both, choice, drop, lost, note, sets, to

_LAYOUT = (
    "smp is called as loss(y_pred, y_true) on (B, C, H, W) and ids (B, H, W); ours as loss(y_true, "
    "y_pred) on (B, H, W, C), or "
    "with axis=1 on smp's order."
)
_ABSENT = "A class absent from the batch costs 0 in smp and stays in the mean; here it costs what is predicted of it."
_MODE = sets("multilabel", multi_label=True)
_LOGITS = sets(True, from_logits=True)
_REGION = {
    "mode": _MODE,
    "classes": lost(None, "all classes count; `class_weights` of 0 leave some out."),
    "log_loss": lost(False, "-log of the score has no counterpart; `losses.LogCoshDice` is another smooth form."),
    "from_logits": both(_LOGITS, lambda line, _: line.write("scope", "'batch'")),
    "ignore_index": to("ignore_class", None),
    "eps": drop,
    "class_weights": to("class_weights", None),
}
_COUNTS = (
    "smp counts first, tp, fp, fn, tn = get_stats(...), and adds up images with equal weight; ours is given to "
    "`compile(metrics=[...])` and reads labels and predictions itself."
)


def _gamma(line: Line, arguments: Mapping[str, Argument]) -> None:
    if arguments["gamma"].text not in ("1", "1.0"):
        line.lost.append(
            f"`gamma={arguments['gamma'].text}` is applied after the mean over classes there; `FocalTversky` "
            "applies it to each class."
        )


def _pos_weight(line: Line, arguments: Mapping[str, Argument]) -> None:
    if arguments["pos_weight"].text != "None":
        line.ours = "{losses.Focal}"
        line.write("gamma", "0.0")
        to("pos_weight")(line, arguments["pos_weight"])


def _reduction(line: Line, argument: Argument) -> None:
    """How tp, fp, fn and tn are added up."""
    known = {
        "micro": {"per": "'dataset'", "average": "'micro'"},
        "micro-imagewise": {"per": "'image'", "average": "'micro'"},
        "macro": {"per": "'dataset'"},
        "macro-imagewise": {"per": "'image'"},
    }
    if not argument.literal or argument.value not in known:
        line.lost.append(f"`reduction={argument.text}`: known are {', '.join(known)}.")
        return
    for name, text in known[argument.value].items():
        line.write(name, text)


def _score(name: str, ours: str, more: str = "", **rules) -> Call:
    return Call(
        f"segmentation_models_pytorch.metrics.{name}",
        f"tp=None, fp=None, fn=None, tn=None{more}, reduction=None, class_weights=None, zero_division=1.0",
        ours,
        {
            **dict.fromkeys(("tp", "fp", "fn", "tn"), drop),
            "reduction": _reduction,
            "class_weights": to("class_weights", None),
            "zero_division": lost(
                1.0, "a class that is neither there nor predicted scores 1, or is left out over a data set."
            ),
            **rules,
        },
        (_COUNTS,),
    )


CALLS = (
    Call(
        "segmentation_models_pytorch.losses.DiceLoss",
        "mode, classes=None, log_loss=False, from_logits=True, smooth=0.0, ignore_index=None, eps=1e-07, class_weights=None",
        "losses.Dice",
        {**_REGION, "smooth": to("smooth", 1e-5)},
        (_LAYOUT, _ABSENT),
    ),
    Call(
        "segmentation_models_pytorch.losses.JaccardLoss",
        "mode, classes=None, log_loss=False, from_logits=True, smooth=0.0, ignore_index=None, eps=1e-07, class_weights=None",
        "losses.Jaccard",
        {**_REGION, "smooth": to("smooth", 1e-5)},
        (_LAYOUT, _ABSENT),
    ),
    Call(
        "segmentation_models_pytorch.losses.TverskyLoss",
        "mode, classes=None, log_loss=False, from_logits=True, smooth=0.0, ignore_index=None, eps=1e-07, alpha=0.5, beta=0.5, "
        "gamma=1.0, class_weights=None",
        "losses.Tversky",
        {**_REGION, "smooth": to("smooth", 1e-5), "alpha": to("alpha", 0.5), "beta": to("beta", 0.5), "gamma": drop},
        (_LAYOUT, _ABSENT),
        finish=_gamma,
    ),
    Call(
        "segmentation_models_pytorch.losses.FocalLoss",
        "mode, alpha=None, gamma=2.0, ignore_index=None, from_logits=True, eps=1e-07, reduction='mean', normalized=False, "
        "reduced_threshold=None, class_weights=None",
        "losses.Focal",
        {
            "mode": both(
                _MODE,
                sets("multiclass", multi_label=True),
                note("multiclass", "smp takes a sigmoid of each channel; such masks are one-hot here, not ids."),
            ),
            "from_logits": _LOGITS,
            "eps": drop,
            "class_weights": to("class_weights", None),
            "alpha": to("alpha", None),
            "gamma": to("gamma", 2.0),
            "ignore_index": to("ignore_class", None),
            "reduction": choice("reduction", {"mean": None, "none": "none"}),
            "normalized": lost(False, "the loss is not divided by the sum of the focal factors."),
            "reduced_threshold": lost(None, "the factor is (1 - p) ** gamma everywhere."),
        },
        (_LAYOUT,),
    ),
    Call(
        "segmentation_models_pytorch.losses.LovaszLoss",
        "mode, per_image=False, ignore_index=None, from_logits=True",
        "losses.Lovasz",
        {
            "mode": _MODE,
            "per_image": sets(False, scope="batch"),
            "ignore_index": to("ignore_class", None),
            "from_logits": _LOGITS,
        },
        (_LAYOUT,),
    ),
    Call(
        "segmentation_models_pytorch.losses.SoftBCEWithLogitsLoss",
        "weight=None, ignore_index=-100, reduction='mean', smooth_factor=None, pos_weight=None",
        "losses.CrossEntropy",
        {
            "weight": lost(None, "a weight of pixels is `sample_weight` here."),
            "ignore_index": to("ignore_class", -100),
            "reduction": both(
                choice("reduction", {"mean": None, "none": "none"}), lambda line, _: line.write("from_logits", "True")
            ),
            "smooth_factor": to("label_smoothing", None, lambda value: value and 2 * value),
            "pos_weight": drop,
        },
        (_LAYOUT, "For several channels add `multi_label=True`."),
        finish=_pos_weight,
    ),
    Call(
        "segmentation_models_pytorch.losses.SoftCrossEntropyLoss",
        "reduction='mean', smooth_factor=None, ignore_index=-100, dim=1",
        "losses.CrossEntropy",
        {
            "reduction": both(
                choice("reduction", {"mean": None, "none": "none"}), lambda line, _: line.write("from_logits", "True")
            ),
            "smooth_factor": to("label_smoothing", None),
            "ignore_index": to("ignore_class", -100),
            "dim": drop,
        },
        (_LAYOUT, "Where pixels are ignored, smp divides by all pixels, ours by those that count."),
    ),
    _score("iou_score", "metrics.IoU"),
    _score("f1_score", "metrics.DiceScore"),
    _score("fbeta_score", "metrics.DiceScore", ", beta=1.0", beta=to("beta", 1.0)),
)
