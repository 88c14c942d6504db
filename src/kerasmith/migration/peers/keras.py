"""Losses and metrics of Keras 3 that ours can stand in for."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.rules import both, drop, lost, note, sets, to

_COMMON = {"name": drop, "dtype": to("dtype", None), "reduction": to("reduction", "sum_over_batch_size")}
_TAIL = "reduction='sum_over_batch_size', name=None, dtype=None"
_LOGITS = sets(True, from_logits=True)
_AXIS = to("axis", -1)
_PIXELS = (
    "Keras' mean is over all pixels of the batch, ours over those of each image: the same unless some are ignored or masked."
)
_WHOLE = "Keras makes one ratio of all channels: equal for one channel; with several ours is the mean over classes."
_BINARY = "For several channels add `multi_label=True`."


def _region_axis(line: Line, argument: Argument) -> None:
    if argument.text == "None":
        line.write("scope", "'batch'")
    else:
        line.notes.append('`axis` there is what is summed over; here an image is a sample unless `scope="batch"`.')


_REGION = {**_COMMON, "axis": _region_axis}
_SIZE = {"name": drop, "dtype": drop, "num_classes": to("num_classes")}
_IOU = {
    **_SIZE,
    "ignore_class": to("ignore_class", None),
    "sparse_y_true": drop,
    "sparse_y_pred": sets(True, predictions="ids"),
    "axis": _AXIS,
}
_PER_DATASET = {"num_classes": both(to("num_classes"), lambda line, _: line.write("per", "'dataset'"))}
_CLASSES = lost(None, "every class has a column, `average=None`.")


def _f1(line: Line, arguments: Mapping[str, Argument]) -> None:
    line.write("per", "'dataset'")
    average = arguments["average"]
    line.write("average", average.text)
    if average.text == "None":
        line.notes.append("The array of scores there is one column for each class here, `dice_score_0` and so on.")
    if arguments["threshold"].text != "None":
        line.write("threshold", arguments["threshold"].text)
        line.notes.append("For several channels with a threshold each add `multi_label=True`.")


def _binary(quantity: str) -> Call:
    name = quantity.capitalize()
    return Call(
        f"keras.metrics.{name}",
        "thresholds=None, top_k=None, class_id=None, name=None, dtype=None",
        "metrics.ConfusionMatrix",
        {
            "thresholds": both(
                lambda line, _: line.write("", "2"),
                lambda line, _: line.write("report", f"('{quantity}',)"),
                to("threshold", None),
            ),
            "top_k": to("top_k", None),
            "class_id": lost(None, "write the number of classes for the 2; each class has a column."),
            "name": drop,
            "dtype": drop,
        },
        ('One channel. Keras gives 0 for 0 / 0, ours NaN unless `absent="zero"`.',),
        column=f"confusion_matrix_{quantity}_1",
    )


def _auc(line: Line, arguments: Mapping[str, Argument]) -> None:
    if arguments["curve"].text.strip("'\"") == "PR":
        line.ours = "{metrics.AveragePrecision}"
        line.notes.append("Keras interpolates the curve of precision and recall; average precision does not.")


CALLS = (
    Call(
        "keras.losses.Dice",
        "reduction='sum_over_batch_size', name='dice', axis=None, dtype=None",
        "losses.Dice",
        {**_REGION, "name": lambda line, _: line.write("smooth", "0.0")},
        (_WHOLE, "An empty mask that is predicted empty costs 1 there and 0 here."),
    ),
    Call(
        "keras.losses.Tversky",
        "alpha=0.5, beta=0.5, reduction='sum_over_batch_size', name='tversky', axis=None, dtype=None",
        "losses.Tversky",
        {
            **_REGION,
            "name": lambda line, _: line.write("smooth", "0.0"),
            "alpha": to("alpha", 0.5),
            "beta": to("beta", 0.5),
        },
        (_WHOLE, "`alpha` weighs false positives, as Keras' documentation says; up to Keras 3.15 its code has both swapped."),
    ),
    Call(
        "keras.losses.BinaryCrossentropy",
        f"from_logits=False, label_smoothing=0.0, axis=-1, {_TAIL}",
        "losses.CrossEntropy",
        {**_COMMON, "from_logits": _LOGITS, "label_smoothing": to("label_smoothing", 0.0), "axis": _AXIS},
        (_PIXELS, _BINARY),
    ),
    Call(
        "keras.losses.CategoricalCrossentropy",
        f"from_logits=False, label_smoothing=0.0, axis=-1, {_TAIL}",
        "losses.CrossEntropy",
        {**_COMMON, "from_logits": _LOGITS, "label_smoothing": to("label_smoothing", 0.0), "axis": _AXIS},
        (_PIXELS,),
    ),
    Call(
        "keras.losses.SparseCategoricalCrossentropy",
        "from_logits=False, ignore_class=None, reduction='sum_over_batch_size', axis=-1, name=None, dtype=None",
        "losses.CrossEntropy",
        {**_COMMON, "from_logits": _LOGITS, "ignore_class": to("ignore_class", None), "axis": _AXIS},
        (_PIXELS, "With `ignore_class` Keras divides by all pixels, ours by those that count."),
    ),
    Call(
        "keras.losses.BinaryFocalCrossentropy",
        f"apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1, {_TAIL}",
        "losses.Focal",
        {
            **_COMMON,
            "apply_class_balancing": drop,
            "alpha": drop,
            "gamma": to("gamma", 2.0),
            "from_logits": _LOGITS,
            "label_smoothing": to("label_smoothing", 0.0),
            "axis": _AXIS,
        },
        (_PIXELS, _BINARY),
        finish=lambda line, arguments: (
            line.write("alpha", arguments["alpha"].text) if arguments["apply_class_balancing"].text == "True" else None
        ),
    ),
    Call(
        "keras.losses.CategoricalFocalCrossentropy",
        f"alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1, {_TAIL}",
        "losses.Focal",
        {
            **_COMMON,
            "alpha": to("alpha", None),
            "gamma": to("gamma", 2.0),
            "from_logits": _LOGITS,
            "label_smoothing": to("label_smoothing", 0.0),
            "axis": _AXIS,
        },
        (_PIXELS,),
    ),
    Call(
        "keras.metrics.MeanIoU",
        "num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1",
        "metrics.IoU",
        {**_IOU, **_PER_DATASET},
    ),
    Call(
        "keras.metrics.OneHotMeanIoU",
        "num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1",
        "metrics.IoU",
        {**_IOU, **_PER_DATASET},
    ),
    Call(
        "keras.metrics.BinaryIoU",
        "target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None",
        "metrics.ConfusionMatrix",
        {
            "target_class_ids": both(
                lambda line, _: line.write("", "2"),
                lambda line, _: line.write("report", "('iou',)"),
                lambda line, argument: setattr(
                    line,
                    "column",
                    {"(1,)": "confusion_matrix_iou_1", "[1]": "confusion_matrix_iou_1"}.get(argument.text, line.column),
                ),
                note((0,), "The column of class 0 is `confusion_matrix_iou_0`."),
            ),
            "threshold": to("threshold", 0.5),
            "name": drop,
            "dtype": drop,
        },
        column="confusion_matrix_iou",
    ),
    Call(
        "keras.metrics.AUC",
        "num_thresholds=200, curve='ROC', summation_method='interpolation', name=None, dtype=None, thresholds=None, "
        "multi_label=False, num_labels=None, label_weights=None, from_logits=False",
        "metrics.AUC",
        {
            **dict.fromkeys(
                ("num_thresholds", "curve", "summation_method", "name", "dtype", "thresholds", "num_labels"), drop
            ),
            "multi_label": sets(True, multi_label=True),
            "label_weights": lost(None, '`average="weighted"` weighs classes by their positives.'),
            "from_logits": _LOGITS,
        },
        (
            (
                "Keras' is that of `num_thresholds` even thresholds, which saturated scores fall "
                "between; ours is exact up to `error_bound`."
            ),
        ),
        finish=_auc,
    ),
    Call(
        "keras.metrics.F1Score",
        "average=None, threshold=None, name='f1_score', dtype=None",
        "metrics.DiceScore",
        {"average": drop, "threshold": drop, "name": drop, "dtype": drop},
        ("A class neither there nor predicted is 0 in Keras' mean and is left out of ours.",),
        finish=_f1,
    ),
    Call(
        "keras.metrics.FBetaScore",
        "average=None, beta=1.0, threshold=None, name='fbeta_score', dtype=None",
        "metrics.DiceScore",
        {"average": drop, "beta": to("beta", 1.0), "threshold": drop, "name": drop, "dtype": drop},
        ("A class neither there nor predicted is 0 in Keras' mean and is left out of ours.",),
        finish=_f1,
    ),
    _binary("precision"),
    _binary("recall"),
)
