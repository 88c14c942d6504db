"""Every callback of kerasmith."""

import numpy as np

from kerasmith import callbacks
from kerasmith.data import WeightedBatches
from kerasmith.metrics import ConfusionMatrix
from kerasmith.schedules import CosineRestarts, Cyclic, OneCycle, Warmup
from tests.zoo.entries import Right

_X = np.linspace(-1, 1, 32, dtype="float32").reshape(8, 4)
_Y = (_X[:, :1] > 0).astype("float32")
_IMAGES = np.linspace(0, 1, 128, dtype="float32").reshape(2, 8, 8)

RIGHT = [
    Right(
        callbacks.EvaluationPictures,
        init={"x": _X, "y": _Y, "metrics": ConfusionMatrix(2, from_logits=False), "directory": "pictures"},
    ),
    Right(callbacks.FieldPictures, init={"field": _X, "reference": _Y[:, 0], "directory": "pictures"}),
    Right(callbacks.FindLR, init={"steps": 8}, note="measures when training begins and puts everything back"),
    Right(callbacks.GradientHealth, init={"every": 3}),
    Right(
        callbacks.HardExampleMining,
        init={"data": WeightedBatches(_X, _Y, 2, seed=2), "every": 1},
        note="draws other samples on purpose",
    ),
    Right(callbacks.HistoryCSV, init={"path": "history.csv"}),
    Right(callbacks.LiveProgress),
    Right(callbacks.LossTerms),
    Right(callbacks.NumericsGuard, init={"directory": "guard", "every": 3}),
    Right(callbacks.PredictionSnapshots, init={"x": _X[:2], "y": _Y[:2], "images": _IMAGES, "directory": "pictures"}),
    Right(callbacks.ReduceOnPlateau, init={"patience": 1}),
    Right(callbacks.ReportPage, init={"path": "report.html"}),
    Right(callbacks.Resume, init={"directory": "checkpoints", "every": 3}),
    Right(callbacks.RunReport, init={"directory": "run", "keep": True}),
    Right(callbacks.ScheduleLR, init={"schedule": CosineRestarts(T_0=2, eta_max=0.1, steps_per_epoch=4)}),
    Right(callbacks.ScheduleLR, init={"schedule": OneCycle(12, eta_max=0.1)}),
    Right(callbacks.ScheduleLR, init={"schedule": Cyclic(0.001, 0.1, up=4)}),
    Right(callbacks.ScheduleLR, init={"schedule": Warmup(0.1, 4)}),
    Right(callbacks.SummaryFile, init={"path": "summary.json"}),
    Right(callbacks.TensorBoard, init={"log_dir": "events", "histograms": 1}),
    Right(callbacks.TimeLimit, init={"limit": "99:00:00"}),
    Right(callbacks.TopKCheckpoints, init={"directory": "best", "k": 2}),
    Right(callbacks.WeightAveraging, init={"decay": 0.8}, note="trained weights make place for averaged ones"),
]
