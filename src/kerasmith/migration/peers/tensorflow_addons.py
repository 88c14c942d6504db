"""Losses, metrics, schedules and callbacks of TensorFlow Addons 0.23, which is no longer developed."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.rules import both, choice, drop, lost, sets, to

_REDUCTION = {"name": drop, "reduction": drop}
_NONE = "Addons returns one value per sample unless `reduction` says otherwise, and `fit` takes the mean; ours is that mean."
_DISTANCE = choice("distance", {"L2": None, "squared-L2": "squared", "angular": "cosine"})
_COUNTED = {
    "num_classes": to(""),
    "name": drop,
    "dtype": drop,
}
_ABSENT = 'A class without samples and predictions is 0 in the mean there; so it is here with `absent="zero"`.'


def _score(line: Line, arguments: Mapping[str, Argument]) -> None:
    average, threshold = arguments["average"].text.strip("'\""), arguments["threshold"].text
    quantity = "fbeta" if arguments.get("beta") is not None and arguments["beta"].text not in ("1", "1.0") else "f1"
    line.write("report", f"('{quantity}',)")
    line.write("absent", "'zero'")
    if quantity == "fbeta":
        line.write("beta", arguments["beta"].text)
    if average in ("micro", "weighted"):
        line.write("average", repr(average))
    if average == "None":
        line.notes.append("The array of scores there is one column for each class here, `confusion_matrix_f1_0` and so on.")
    if threshold != "None":
        line.write("multi_label", "True")
        line.write("threshold", threshold)
    line.column = f"confusion_matrix_{quantity}"


def _mode(mode: str, gamma: bool = False):
    return {
        "initial_learning_rate": to("eta_min", 1e-4),
        "maximal_learning_rate": to("eta_max", 1e-3),
        "step_size": to("up"),
        "scale_mode": lambda line, _: line.write("mode", repr(mode)) if mode != "triangular" else None,
        "name": drop,
        **({"gamma": to("gamma", 1.0)} if gamma else {}),
    }


def _cyclic(name: str, mode: str, scale_mode: str, gamma: bool = False) -> Call:
    more = ", gamma=1.0" if gamma else ""
    return Call(
        f"tensorflow_addons.optimizers.{name}",
        f"initial_learning_rate, maximal_learning_rate, step_size, scale_mode='{scale_mode}'{more}, name='{name}'",
        "schedules.Cyclic",
        _mode(mode, gamma),
        ("Give it to the optimizer as `learning_rate`, or to `callbacks.ScheduleLR`.",),
    )


CALLS = (
    Call(
        "tensorflow_addons.losses.SigmoidFocalCrossEntropy",
        "from_logits=False, alpha=0.25, gamma=2.0, reduction=None, name='sigmoid_focal_crossentropy'",
        "losses.Focal",
        {**_REDUCTION, "from_logits": sets(True, from_logits=True), "alpha": to("alpha", None), "gamma": to("gamma", 2.0)},
        (
            _NONE,
            "Addons sums over the last axis: for C channels add `multi_label=True` and its value is C times this one.",
        ),
    ),
    Call(
        "tensorflow_addons.losses.ContrastiveLoss",
        "margin=1.0, reduction=None, name='contrastive_loss'",
        "losses.Contrastive",
        {**_REDUCTION, "margin": to("margin", 1.0)},
        (_NONE, "Labels are the other way round: 1 is the same there and different here. Pass 1 - y_true."),
    ),
    Call(
        "tensorflow_addons.losses.PinballLoss",
        "tau=0.5, reduction='auto', name='pinball_loss'",
        "losses.Pinball",
        {**_REDUCTION, "tau": to("quantiles", 0.5)},
    ),
    Call(
        "tensorflow_addons.losses.TripletSemiHardLoss",
        "margin=1.0, distance_metric='L2', name=None",
        "losses.Triplet",
        {"margin": to("margin", 1.0), "distance_metric": _DISTANCE, "name": drop},
        (
            (
                "Addons takes the mean over all pairs of positives, ours over anchors: equal if "
                "the classes of a batch are equally large."
            ),
        ),
    ),
    Call(
        "tensorflow_addons.losses.TripletHardLoss",
        "margin=1.0, soft=False, distance_metric='L2', name=None",
        "losses.Triplet",
        {
            "margin": to("margin", 1.0),
            "soft": both(lambda line, _: line.write("mining", "'hard'"), sets(True, margin="soft")),
            "distance_metric": _DISTANCE,
            "name": drop,
        },
        ("An anchor without a positive has distance 0 to it there; here its value is 0.",),
    ),
    Call(
        "tensorflow_addons.metrics.CohenKappa",
        "num_classes, name='cohen_kappa', weightage=None, sparse_labels=False, regression=False, dtype=None",
        "metrics.CohenKappa",
        {
            **_COUNTED,
            "weightage": to("weighting", None),
            "sparse_labels": drop,
            "regression": lost(False, "predictions are classes or their scores; round numbers first."),
        },
    ),
    Call(
        "tensorflow_addons.metrics.MatthewsCorrelationCoefficient",
        "num_classes, name='MatthewsCorrelationCoefficient', dtype=None",
        "metrics.MCC",
        _COUNTED,
    ),
    Call(
        "tensorflow_addons.metrics.F1Score",
        "num_classes, average=None, threshold=None, name='f1_score', dtype=None",
        "metrics.ConfusionMatrix",
        {**_COUNTED, "average": drop, "threshold": drop},
        (_ABSENT,),
        finish=_score,
    ),
    Call(
        "tensorflow_addons.metrics.FBetaScore",
        "num_classes, average=None, beta=1.0, threshold=None, name='fbeta_score', dtype=None",
        "metrics.ConfusionMatrix",
        {**_COUNTED, "average": drop, "beta": drop, "threshold": drop},
        (_ABSENT,),
        finish=_score,
    ),
    Call(
        "tensorflow_addons.metrics.RSquare",
        "name='r_square', dtype=None, multioutput='uniform_average', num_regressors=0",
        "keras.metrics.R2Score",
        {
            "name": drop,
            "dtype": drop,
            "multioutput": choice(
                "class_aggregation", {"uniform_average": None, "variance_weighted": "variance_weighted_average"}
            ),
            "num_regressors": to("num_regressors", 0),
        },
    ),
    _cyclic("TriangularCyclicalLearningRate", "triangular", "cycle"),
    _cyclic("Triangular2CyclicalLearningRate", "triangular2", "cycle"),
    _cyclic("ExponentialCyclicalLearningRate", "exp", "iterations", gamma=True),
    Call(
        "tensorflow_addons.callbacks.TimeStopping",
        "seconds=86400, verbose=0",
        "callbacks.TimeLimit",
        {"seconds": to(""), "verbose": drop},
        ('Ours counts from the start of the process and ends in time for the last validation: `margin`, `since="train"`.',),
    ),
    Call("tensorflow_addons.callbacks.TQDMProgressBar", "", "callbacks.LiveProgress"),
    Call(
        "tensorflow_addons.optimizers.MovingAverage",
        "optimizer, average_decay=0.99, num_updates=None, start_step=0, dynamic_decay=False, name='MovingAverage'",
        "callbacks.WeightAveraging",
        {
            "optimizer": lambda line, _: line.write("", "'ema'"),
            "average_decay": to("decay", 0.999),
            "num_updates": drop,
            "start_step": to("start", 0),
            "dynamic_decay": sets(True, warmup=True),
            "name": drop,
        },
        ("A callback beside the plain optimizer; the average is in the model during validation and after training.",),
    ),
    Call(
        "tensorflow_addons.optimizers.SWA",
        "optimizer, start_averaging=0, average_period=10, name='SWA'",
        "callbacks.WeightAveraging",
        {
            "optimizer": lambda line, _: line.write("", "'swa'"),
            "start_averaging": both(to("start", 0), lambda line, _: line.write("unit", "'step'")),
            "average_period": to("every", 1),
            "name": drop,
        },
        ("A callback beside the plain optimizer; `update_batch_norm=x` measures the statistics of the averaged weights.",),
    ),
)
