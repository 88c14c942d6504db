"""Callbacks that work on every backend."""

from kerasmith.callbacks.live_progress import LiveProgress
from kerasmith.callbacks.loss_terms import LossTerms
from kerasmith.callbacks.run_report import RunReport
from kerasmith.callbacks.schedule_lr import ScheduleLR
from kerasmith.callbacks.tensorboard import TensorBoard
