"""`kerasmith.check` says what is wrong with a loss, metric, callback or layer. Imports Keras late."""

from kerasmith.checks.engine.checker import check
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import CannotCheck, Finding
from kerasmith.checks.engine.report import Report

__all__ = ["CannotCheck", "Contract", "Finding", "Report", "check"]


def __dir__() -> list[str]:
    return __all__
