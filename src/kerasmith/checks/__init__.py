"""The bench: `kerasmith.check` says what is wrong with a loss, metric, callback or layer. Imports Keras late."""

from kerasmith.checks.bench import check
from kerasmith.checks.contract import Contract
from kerasmith.checks.finding import CannotCheck, Finding
from kerasmith.checks.report import Report
