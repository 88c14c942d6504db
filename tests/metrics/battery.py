"""One row per metric: how it is made, and data it is fed with. `test_every_metric.py` asks the same of all of them."""

import dataclasses
from collections.abc import Callable

import numpy as np

from kerasmith import metrics
from tests.support.blobs import fields

N = 12


def binary(rng):
    y = (rng.random((N, 1)) < 0.5).astype("float32")
    return y, (1 / (1 + np.exp(-rng.normal(2 * y - 1, 2)))).astype("float32")


def masks(rng):
    y = (rng.random((N, 4, 5, 1)) < 0.5).astype("float32")
    return y, (1 / (1 + np.exp(-rng.normal(2 * y - 1, 2)))).astype("float32")


def classes(rng):
    logits = rng.normal(0, 2, (N, 3)).astype("float32")
    return rng.integers(0, 3, N).astype("int32"), np.asarray(np.exp(logits) / np.exp(logits).sum(-1, keepdims=True), "float32")


def pixels(rng):
    y = rng.integers(0, 3, (N, 4, 5)).astype("int32")
    logits = rng.normal(0, 1, (*y.shape, 3)) + np.eye(3)[y]
    return y, (np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)).astype("float32")


def objects(rng):
    truth, logits = fields(int(rng.integers(1000)), (N, 24, 24))
    truth[1] = False
    probability = 1 / (1 + np.exp(-logits))
    probability[2] = 0
    return truth[..., None].astype("float32"), probability[..., None].astype("float32")


def embeddings(rng):
    y = rng.integers(0, 3, N).astype("int32")
    return y, (rng.normal(0, 1, (N, 6)) + y[:, None]).astype("float32")


def ranked_lists(rng):
    y = rng.choice([-1.0, 0.0, 0.0, 1.0, 2.0], (N, 6)).astype("float32")
    y[:, 0], y[1] = 1.0, 0.0
    return y, rng.choice(5, (N, 6)).astype("float32")


def images(rng):
    y = rng.random((N, 12, 13, 2)).astype("float32")
    x = np.clip(y + rng.normal(0, 0.1, y.shape), 0, 1).astype("float32")
    x[3] = y[3]
    return y, x


def photographs(rng):
    y = rng.random((N, 31, 32, 3)).astype("float32")
    return y, np.clip(y + rng.normal(0, 0.1, y.shape), 0, 1).astype("float32")


def panoptic_maps(rng):
    category = np.repeat(np.repeat(rng.integers(0, 3, (N, 3, 4)), 4, 1), 4, 2)
    guess = np.where(rng.random(category.shape) < 0.1, 1, category)
    return tuple(np.stack([kind, np.zeros_like(kind)], -1).astype("int32") for kind in (category, guess))


@dataclasses.dataclass(frozen=True)
class Row:
    """A metric in the battery.

    Attributes:
        make: makes it.
        data: random generator -> (y_true, y_pred), N samples.
        repeats: a weight of k repeats a sample; not in retrieval, where a copy would be a perfect neighbour.
        shows_nan: a NaN in the predictions makes the result NaN; decisions have no NaN.
        counts: its first result is a count, 0 without data.
    """

    make: Callable
    data: Callable
    repeats: bool = True
    shows_nan: bool = True
    counts: bool = False


def decided(make, data, **more):
    return Row(make, data, shows_nan=False, **more)


ROWS = {
    "dice_score": decided(lambda: metrics.DiceScore(report_cases=True), masks),
    "dice_score_weighted": decided(lambda: metrics.DiceScore(3, average="weighted", absent="skip_both", beta=2.0), pixels),
    "iou": decided(lambda: metrics.IoU(3, average="weighted", per="dataset"), pixels),
    "shared": decided(lambda: metrics.Shared([metrics.IoU(3), metrics.ConfusionMatrix(3), metrics.MCC(3)]), pixels),
    "confusion_matrix": decided(lambda: metrics.ConfusionMatrix(3, average="weighted", beta=2.0, top_k=2), pixels),
    "confusion_matrix_labels": decided(lambda: metrics.ConfusionMatrix(1, multi_label=True, average="micro"), masks),
    "cohen_kappa": decided(lambda: metrics.CohenKappa(3, "linear"), classes),
    "mcc": decided(lambda: metrics.MCC(2), binary),
    "true_positives": decided(lambda: metrics.TruePositives(3), pixels, counts=True),
    "lesion_detection": decided(lambda: metrics.LesionDetection(min_size=2, size_groups=(20, 40)), objects),
    "panoptic_quality": decided(lambda: metrics.PanopticQuality(), objects),
    "panoptic_quality_maps": decided(
        lambda: metrics.PanopticQuality(inputs="panoptic", things=[1, 2], stuffs=[0], per_class=True), panoptic_maps
    ),
    "froc": decided(lambda: metrics.FROC(bins=64), objects),
    "surface_distance": decided(lambda: metrics.SurfaceDistance((1.0, 0.5)), objects),
    "bootstrap": decided(lambda: metrics.Bootstrap(metrics.MCC(3), n=50, capacity=99), pixels, repeats=False),
    "auc": Row(lambda: metrics.AUC(bins=512), binary),
    "auc_masks": Row(lambda: metrics.AUC(bins=512), masks),
    "auc_classes": Row(lambda: metrics.AUC(bins=512, class_names=["a", "b", "c"], average="micro", name="area"), classes),
    "average_precision": Row(lambda: metrics.AveragePrecision(bins=512), binary),
    "average_precision_classes": Row(lambda: metrics.AveragePrecision(bins=512, per_class=False, average="weighted"), classes),
    "calibration_error": Row(lambda: metrics.CalibrationError(), binary),
    "calibration_error_classes": Row(lambda: metrics.CalibrationError(bins=7), classes),
    "calibration_error_masks": Row(lambda: metrics.CalibrationError(confidence="winner"), masks),
    "brier": Row(lambda: metrics.Brier(), binary),
    "brier_classes": Row(lambda: metrics.Brier(scale_by_half=True), classes),
    "psnr": Row(lambda: metrics.PSNR(), images),
    "psnr_uncapped": Row(lambda: metrics.PSNR(cap=None), images),
    "ssim": Row(lambda: metrics.SSIM(window=[7, 5]), images),
    "lpips": Row(lambda: metrics.LPIPS(value_range=[0, 1]), photographs),
    "retrieval_recall": Row(lambda: metrics.RetrievalRecall(k=[1, 3], capacity=N + 1), embeddings, repeats=False),
    "mrr": Row(lambda: metrics.MRR(), ranked_lists),
    "map": Row(lambda: metrics.MAP(3), ranked_lists),
    "ndcg": Row(lambda: metrics.NDCG(absent="zero", gain="exponential"), ranked_lists),
    "query_recall": Row(lambda: metrics.QueryRecall(2, definition="any"), ranked_lists),
    "query_precision": Row(lambda: metrics.QueryPrecision(3), ranked_lists),
    "r_precision": Row(
        lambda: metrics.RPrecision(max_relevant=N - 1, capacity=N, similarity="euclidean"), embeddings, repeats=False
    ),
}
