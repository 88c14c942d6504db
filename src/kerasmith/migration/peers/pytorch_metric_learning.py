"""Losses and miners of pytorch-metric-learning 2.9."""

import math
from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.rules import becomes, drop, lost, to

_COMMON = "distance=None, reducer=None, embedding_regularizer=None"
_RULES = {
    "distance": lost(None, "the distance is an argument of the loss here, where there is a choice."),
    "reducer": lost(
        None, 'ours is the mean over anchors; `reduction="mean_with_sample_weight"` leaves out those without pairs.'
    ),
    "embedding_regularizer": lost(None, "add it as a term of `kerasmith.Objective`."),
}
_MEAN = (
    "There the mean is over pairs or triplets of the batch, here over anchors: equal if "
    "the classes of a batch are equally large."
)
_CALL = "It is called as loss(embeddings, labels); ours as loss(y_true, y_pred)."


def _triplet(line: Line, arguments: Mapping[str, Argument]) -> None:
    if arguments["smooth_loss"].text == "True":
        line.write("margin", "'soft'")
        line.write("mining", "'all'")
        line.lost.append(
            "`margin` under `smooth_loss=True`: the soft margin here is log(1 + exp(d(a, p) - d(a, n))), with margin 0."
        )
    else:
        line.write("mining", "'active'")
        to("margin", 1.0)(line, arguments["margin"])
    line.write("normalize", "True")


def _miner(line: Line, arguments: Mapping[str, Argument]) -> None:
    kinds = {"all": "'active'", "semihard": "'semi_hard'"}
    kind = arguments["type_of_triplets"].text.strip("'\"")
    if kind not in kinds:
        line.lost.append(f"`type_of_triplets={kind}`: known are {', '.join(kinds)}.")
    line.write("mining", kinds.get(kind, "'active'"))
    line.write("normalize", "True")


CALLS = (
    Call(
        "pytorch_metric_learning.losses.ContrastiveLoss",
        f"pos_margin=0, neg_margin=1, {_COMMON}",
        "losses.Contrastive",
        {**_RULES, "pos_margin": to("pos_margin", 0.0, float), "neg_margin": to("margin", 1.0, float)},
        (
            "Ours takes pairs, y_true 1 = different, and their distances; the library makes all pairs of a batch.",
            "The hinges are not squared there, and the means of positive and of negative pairs that are above 0 are added.",
        ),
    ),
    Call(
        "pytorch_metric_learning.losses.TripletMarginLoss",
        f"margin=0.05, swap=False, smooth_loss=False, triplets_per_anchor='all', {_COMMON}",
        "losses.Triplet",
        {
            **_RULES,
            "margin": drop,
            "swap": lost(False, "the distance from positive to negative is not looked at."),
            "smooth_loss": drop,
            "triplets_per_anchor": lost("all", "`mining` chooses triplets."),
        },
        (_CALL, "There the mean is over the triplets above 0 of the batch, here over those of an anchor, then over anchors."),
        finish=_triplet,
    ),
    Call(
        "pytorch_metric_learning.losses.NTXentLoss",
        f"temperature=0.07, {_COMMON}",
        "losses.NTXent",
        {**_RULES, "temperature": to("temperature", 0.07)},
        (_CALL, _MEAN),
    ),
    Call(
        "pytorch_metric_learning.losses.SupConLoss",
        f"temperature=0.1, {_COMMON}",
        "losses.SupCon",
        {**_RULES, "temperature": to("temperature", 0.1)},
        (_CALL, _MEAN),
    ),
    Call(
        "pytorch_metric_learning.losses.ArcFaceLoss",
        f"num_classes, embedding_size, margin=28.6, scale=64, {_COMMON}",
        "losses.ArcFace",
        {
            **_RULES,
            "num_classes": lambda line, argument: line.notes.append(
                "The directions of the classes are a layer: end the model with "
                f"`kerasmith.layers.ArcFaceLogits({argument.text})`."
            ),
            "embedding_size": drop,
            "margin": to("margin", None, lambda degrees: math.radians(degrees)),
            "scale": to("scale", 64.0, float),
        },
        ("The margin is in degrees there, in radians here.",),
    ),
    Call(
        "pytorch_metric_learning.losses.MultiSimilarityLoss",
        f"alpha=2, beta=50, base=0.5, {_COMMON}",
        "losses.MultiSimilarity",
        {
            **_RULES,
            "alpha": to("alpha", 2.0, float),
            "beta": to("beta", 50.0, float),
            "base": to("base", 0.5),
            "distance": lambda line, _: line.write("epsilon", "None"),
        },
        (_CALL, "Its miner is an argument here: `epsilon=0.1`, the default, is `MultiSimilarityMiner(0.1)`."),
    ),
    Call(
        "pytorch_metric_learning.losses.CircleLoss",
        f"m=0.4, gamma=80, {_COMMON}",
        "keras.losses.Circle",
        {**_RULES, "m": to("margin", 0.4), "gamma": to("gamma", 80.0, float)},
        (_CALL, "Keras has it; give it embeddings of length 1."),
    ),
    Call(
        "pytorch_metric_learning.losses.SelfSupervisedLoss",
        "loss, symmetric=True",
        "",
        {"loss": becomes, "symmetric": lost(True, "both views are anchors.")},
        ("Stack both views, y_pred = concatenate([a, b]), and give y_true = [0..N-1, 0..N-1].",),
    ),
    Call(
        "pytorch_metric_learning.miners.MultiSimilarityMiner",
        "epsilon=0.1, distance=None",
        "losses.MultiSimilarity",
        {"epsilon": to("epsilon", 0.1), "distance": _RULES["distance"]},
        ("Mining is part of the loss.",),
    ),
    Call(
        "pytorch_metric_learning.miners.BatchHardMiner",
        "distance=None",
        "losses.Triplet",
        {"distance": lambda line, _: (line.write("mining", "'hard'"), line.write("normalize", "True"))},
        ("Mining is an argument of the loss; `margin` is 1.0 here by default and .05 there.",),
    ),
    Call(
        "pytorch_metric_learning.miners.TripletMarginMiner",
        "margin=0.2, type_of_triplets='all', distance=None",
        "losses.Triplet",
        {"margin": to("margin", 1.0), "type_of_triplets": drop, "distance": _RULES["distance"]},
        ("Mining is an argument of the loss, whose margin is that of the mining.",),
        finish=_miner,
    ),
)
