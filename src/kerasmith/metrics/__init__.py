"""Metrics that are exact under any batch split and any number of replicas."""

from kerasmith.metrics.auc import AUC
from kerasmith.metrics.average_precision import AveragePrecision
from kerasmith.metrics.bootstrap import Bootstrap
from kerasmith.metrics.brier import Brier
from kerasmith.metrics.calibration_error import CalibrationError
from kerasmith.metrics.cohen_kappa import CohenKappa
from kerasmith.metrics.confusion_matrix import ConfusionMatrix
from kerasmith.metrics.dice_score import DiceScore
from kerasmith.metrics.froc import FROC
from kerasmith.metrics.iou import IoU
from kerasmith.metrics.lesion_detection import LesionDetection
from kerasmith.metrics.lpips import LPIPS
from kerasmith.metrics.map import MAP
from kerasmith.metrics.mcc import MCC
from kerasmith.metrics.mrr import MRR
from kerasmith.metrics.ndcg import NDCG
from kerasmith.metrics.panoptic_quality import PanopticQuality
from kerasmith.metrics.psnr import PSNR
from kerasmith.metrics.query_precision import QueryPrecision
from kerasmith.metrics.query_recall import QueryRecall
from kerasmith.metrics.r_precision import RPrecision
from kerasmith.metrics.retrieval_recall import RetrievalRecall
from kerasmith.metrics.shared import Shared
from kerasmith.metrics.ssim import SSIM
from kerasmith.metrics.surface_distance import SurfaceDistance
from kerasmith.metrics.true_positives import TruePositives

__all__ = [
    "AUC",
    "AveragePrecision",
    "Bootstrap",
    "Brier",
    "CalibrationError",
    "CohenKappa",
    "ConfusionMatrix",
    "DiceScore",
    "FROC",
    "IoU",
    "LPIPS",
    "LesionDetection",
    "MAP",
    "MCC",
    "MRR",
    "NDCG",
    "PSNR",
    "PanopticQuality",
    "QueryPrecision",
    "QueryRecall",
    "RPrecision",
    "RetrievalRecall",
    "SSIM",
    "Shared",
    "SurfaceDistance",
    "TruePositives",
]


def __dir__() -> list[str]:
    return __all__
