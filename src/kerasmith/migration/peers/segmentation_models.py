"""Losses and metrics of segmentation_models 1.0.1, for Keras 2."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.rules import both, drop, lost, scales, sets, to

_WEIGHTS = both(to("class_weights", None), scales(mean_of=True))


def _weighted_region(line: Line, argument: Argument) -> None:
    """1 - mean(w score) = mean(w (1 - score)) + 1 - mean(w)."""
    before = line.ours
    _WEIGHTS(line, argument)
    if line.ours != before:
        line.notes.append(
            "The loss there is 1 - mean(class_weights * score), so it is 1 - mean(class_weights) more than this one: another "
            "number, the same gradients."
        )


_INDEXES = lost(None, "all classes count; `class_weights` of 0 leave some out.")
_REGION = {"class_weights": _weighted_region, "class_indexes": _INDEXES, "per_image": sets(False, scope="batch")}
_CHANNELS = "segmentation_models takes the mean over the C channels too: its categorical terms are these / C."
_BINARY = "The channels are independent: for several add `multi_label=True`."
_HARD = (
    "Without `threshold` the score there is a soft one, of probabilities; ours decides first. It "
    "averages over batches, ours is "
    "the same for any batch size."
)


def _f_beta(line: Line, arguments: Mapping[str, Argument]) -> None:
    """((1 + b^2) TP + s) / ((1 + b^2) TP + b^2 FN + FP + s), divided by 1 + b^2."""
    beta, smooth = arguments["beta"], arguments["smooth"]
    if not (beta.literal and smooth.literal):
        line.lost.append("`beta` and `smooth` must be numbers.")
        return
    total = 1 + beta.value**2
    to("smooth", 1e-5, lambda value: value / total)(line, smooth)
    if beta.value != 1:
        line.ours = line.ours.replace("losses.Dice}", "losses.Tversky}")
        line.write("alpha", repr(float(f"{1 / total:.12g}")))
        line.write("beta", repr(float(f"{beta.value**2 / total:.12g}")))


def _soft(line: Line, arguments: Mapping[str, Argument]) -> None:
    if arguments["threshold"].text == "None":
        line.lost.append("`threshold=None`: the soft score of probabilities is 1 - `losses.Dice` (or `Jaccard`).")


_SCORE = {
    "class_weights": lost(None, "the mean over classes is a plain one."),
    "class_indexes": _INDEXES,
    "threshold": to("threshold", 0.5),
    "per_image": sets(False, per="dataset"),
    "smooth": drop,
    "name": drop,
}
_SCORE_PARAMETERS = "class_weights=None, class_indexes=None, threshold=None, per_image=False, smooth=1e-05, name=None"


def _ready(name: str, first: str, second: str, notes: tuple[str, ...]) -> Call:
    def finish(line: Line, _: Mapping[str, Argument]) -> None:
        for part in (first, second):
            if part in ("Dice", "Jaccard"):
                line.write(f"{part}.scope", "'batch'")
            if part == "Dice":
                line.write("Dice.smooth", "5e-06")
        if "Focal" in (first, second) and name.startswith("binary"):
            line.write("Focal.alpha", "0.25")

    parts = [f"{{losses.{part}}}" for part in (first, second) if part]
    if name.startswith("categorical_focal"):
        parts[0] = f"0.25 * {parts[0]}"
    return Call(f"segmentation_models.losses.{name}", "", " + ".join(parts), notes=notes, finish=finish)


_B, _C = (_BINARY,), (_CHANNELS,)

CALLS = (
    Call(
        "segmentation_models.losses.JaccardLoss",
        "class_weights=None, class_indexes=None, per_image=False, smooth=1e-05",
        "losses.Jaccard",
        {**_REGION, "smooth": to("smooth", 1e-5)},
    ),
    Call(
        "segmentation_models.losses.DiceLoss",
        "beta=1, class_weights=None, class_indexes=None, per_image=False, smooth=1e-05",
        "losses.Dice",
        {**_REGION, "beta": drop, "smooth": drop},
        finish=_f_beta,
    ),
    Call("segmentation_models.losses.BinaryCELoss", "", "losses.CrossEntropy", notes=_B),
    Call(
        "segmentation_models.losses.CategoricalCELoss",
        "class_weights=None, class_indexes=None",
        "losses.CrossEntropy",
        {"class_weights": lost(None, "`class_weights` here divide by their sum."), "class_indexes": _INDEXES},
        _C,
    ),
    Call(
        "segmentation_models.losses.BinaryFocalLoss",
        "alpha=0.25, gamma=2.0",
        "losses.Focal",
        {"alpha": to("alpha", None), "gamma": to("gamma", 2.0)},
        _B,
    ),
    Call(
        "segmentation_models.losses.CategoricalFocalLoss",
        "alpha=0.25, gamma=2.0, class_indexes=None",
        "losses.Focal",
        {"alpha": to("alpha", None), "gamma": to("gamma", 2.0), "class_indexes": _INDEXES},
        _C,
    ),
    _ready("jaccard_loss", "Jaccard", "", ()),
    _ready("dice_loss", "Dice", "", ()),
    _ready("binary_crossentropy", "CrossEntropy", "", _B),
    _ready("categorical_crossentropy", "CrossEntropy", "", _C),
    _ready("binary_focal_loss", "Focal", "", _B),
    _ready("categorical_focal_loss", "Focal", "", _C),
    _ready("bce_dice_loss", "CrossEntropy", "Dice", _B),
    _ready("bce_jaccard_loss", "CrossEntropy", "Jaccard", _B),
    _ready("cce_dice_loss", "CrossEntropy", "Dice", _C),
    _ready("cce_jaccard_loss", "CrossEntropy", "Jaccard", _C),
    _ready("binary_focal_dice_loss", "Focal", "Dice", _B),
    _ready("binary_focal_jaccard_loss", "Focal", "Jaccard", _B),
    _ready("categorical_focal_dice_loss", "Focal", "Dice", _C),
    _ready("categorical_focal_jaccard_loss", "Focal", "Jaccard", _C),
    Call("segmentation_models.metrics.IOUScore", _SCORE_PARAMETERS, "metrics.IoU", _SCORE, (_HARD,), finish=_soft),
    Call(
        "segmentation_models.metrics.FScore",
        f"beta=1, {_SCORE_PARAMETERS}",
        "metrics.DiceScore",
        {**_SCORE, "beta": to("beta", 1.0)},
        (_HARD,),
        finish=_soft,
    ),
    *(
        Call(
            f"segmentation_models.metrics.{name}",
            _SCORE_PARAMETERS,
            "metrics.ConfusionMatrix",
            {
                "class_weights": lost(None, "the mean over classes is a plain one."),
                "class_indexes": _INDEXES,
                "threshold": both(lambda line, _: line.write("", "2"), to("threshold", 0.5)),
                "per_image": lost(False, "the quantity is that of all data."),
                "smooth": lambda line, _, quantity=name: line.write("report", f"('{quantity.lower()}',)"),
                "name": drop,
            },
            (_HARD, "For C classes write C for the 2; the mean over them is `confusion_matrix_" + name.lower() + "`."),
            column=f"confusion_matrix_{name.lower()}_1",
            finish=_soft,
        )
        for name in ("Precision", "Recall")
    ),
)
