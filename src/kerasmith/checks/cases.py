"""The case of each kind."""

from kerasmith.checks.callbacks.case import CallbackCase
from kerasmith.checks.layers.case import LayerCase
from kerasmith.checks.losses.case import LossCase
from kerasmith.checks.metrics.case import MetricCase
from kerasmith.checks.source.case import SourceCase

_CASES = {case.kind: case for case in (LossCase, MetricCase, CallbackCase, LayerCase, SourceCase)}


def case_of(subject, contract, seed):
    """The `Case` of a subject's kind."""
    return _CASES[subject.kind](subject, contract, seed)
