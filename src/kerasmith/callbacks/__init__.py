"""Callbacks that work on every backend."""

from kerasmith.callbacks.loss_terms import LossTerms
from kerasmith.callbacks.schedule_lr import ScheduleLR
