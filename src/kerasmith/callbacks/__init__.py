"""Callbacks that work on every backend."""

from kerasmith.callbacks.check_setup import CheckSetup
from kerasmith.callbacks.evaluation_pictures import EvaluationPictures
from kerasmith.callbacks.field_pictures import FieldPictures
from kerasmith.callbacks.find_lr import FindLR
from kerasmith.callbacks.gradient_health import GradientHealth
from kerasmith.callbacks.hard_example_mining import HardExampleMining
from kerasmith.callbacks.live_progress import LiveProgress
from kerasmith.callbacks.loss_terms import LossTerms
from kerasmith.callbacks.numerics_guard import NumericsGuard
from kerasmith.callbacks.prediction_snapshots import PredictionSnapshots
from kerasmith.callbacks.reduce_on_plateau import ReduceOnPlateau
from kerasmith.callbacks.refine_points import RefinePoints
from kerasmith.callbacks.resume import Resume
from kerasmith.callbacks.run_report import HistoryCSV, ReportPage, RunReport, SummaryFile
from kerasmith.callbacks.schedule_lr import ScheduleLR
from kerasmith.callbacks.tensorboard import TensorBoard
from kerasmith.callbacks.time_limit import TimeLimit
from kerasmith.callbacks.top_k_checkpoints import TopKCheckpoints
from kerasmith.callbacks.tracking import Tracking
from kerasmith.callbacks.weight_averaging import WeightAveraging

__all__ = [
    "CheckSetup",
    "EvaluationPictures",
    "FieldPictures",
    "FindLR",
    "GradientHealth",
    "HardExampleMining",
    "HistoryCSV",
    "LiveProgress",
    "LossTerms",
    "NumericsGuard",
    "PredictionSnapshots",
    "ReduceOnPlateau",
    "RefinePoints",
    "ReportPage",
    "Resume",
    "RunReport",
    "ScheduleLR",
    "SummaryFile",
    "TensorBoard",
    "TimeLimit",
    "TopKCheckpoints",
    "Tracking",
    "WeightAveraging",
]


def __dir__() -> list[str]:
    # The public names only: the modules beside them are not what a reader of `dir` looks for.
    return __all__
