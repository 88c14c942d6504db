"""Metrics that are exact under any batch split and any number of replicas."""

from kerasmith.metrics.cohen_kappa import CohenKappa
from kerasmith.metrics.confusion_matrix import ConfusionMatrix
from kerasmith.metrics.dice_score import DiceScore
from kerasmith.metrics.iou import IoU
from kerasmith.metrics.lesion_detection import LesionDetection
from kerasmith.metrics.mcc import MCC
from kerasmith.metrics.true_positives import TruePositives
