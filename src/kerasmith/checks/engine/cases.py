"""The case of each kind."""

from kerasmith.checks.rules.callbacks.case import CallbackCase
from kerasmith.checks.rules.layers.case import LayerCase
from kerasmith.checks.rules.losses.case import LossCase
from kerasmith.checks.rules.metrics.case import MetricCase
from kerasmith.checks.rules.source.case import SourceCase

_CASES = {case.kind: case for case in (LossCase, MetricCase, CallbackCase, LayerCase, SourceCase)}


def case_of(subject, contract, seed):
    """The `Case` of a subject's kind."""
    return _CASES[subject.kind](subject, contract, seed)
