"""Metrics that are exact under any batch split and any number of replicas."""

from kerasmith.metrics.dice_score import DiceScore
from kerasmith.metrics.iou import IoU
from kerasmith.metrics.lesion_detection import LesionDetection
