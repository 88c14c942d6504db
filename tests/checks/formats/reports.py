"""Reports made by hand: with findings on one and on two backends, without a fault, and one that could not be checked."""

import dataclasses

from kerasmith.checks.engine.finding import Finding, Record
from kerasmith.checks.engine.report import Report

CODE = """import keras, numpy as np
loss = keras.losses.Dice()
print(loss(np.ones((2, 2)), np.zeros((2, 2)), sample_weight=[1, 0]))"""

WEIGHTS = Finding(
    id="L101",
    severity="error",
    title="Sample weights do not multiply each sample's loss",
    expected="[0.25, 0.5] for weights [1, 0]",
    actual="0.375 \x1b[31mred\x1b[0m & <b>0.5</b>",
    reproducer=CODE,
    fix="Return one value per sample.",
    file="losses.py",
    line=12,
)
HALF = dataclasses.replace(
    WEIGHTS, id="L113", severity="warning", title="Fails in half precision", actual="nan", file="/elsewhere/my losses.py"
)
TASTE = dataclasses.replace(WEIGHTS, id="L122", severity="note", title="Is below 0", actual="-1", file=None, line=None)


def faulty(**changed):
    """A loss with an error on both backends, a warning and a note on one; every outcome occurs."""
    records = {
        "tensorflow": [
            Record("L000", "pass"),
            Record("L101", "fail", finding=WEIGHTS),
            Record("L102", "blocked", "blocked by L101"),
            Record("L113", "inconclusive", "all values are 0"),
            Record("L118", "pass"),
            Record("L120", "timeout", "not finished after 15 s"),
            Record("L122", "pass"),
        ],
        "torch": [
            Record("L000", "pass"),
            Record("L101", "fail", finding=WEIGHTS),
            Record("L102", "blocked", "blocked by L101"),
            Record("L113", "fail", finding=HALF),
            Record("L118", "not applicable", "only TensorFlow traces without a batch size"),
            Record("L120", "pass"),
            Record("L122", "fail", finding=TASTE),
        ],
    }
    given = {
        "subject": "BatchDice",
        "kind": "loss",
        "target": "losses.py:BatchDice",
        "file": "losses.py",
        "line": 10,
        "inputs": "y_true=float32[4,8,8,1]{0,1} y_pred=float32[4,8,8,1](0,1)",
        "inferred": True,
        "contract": ["per_sample=False"],
        "records": records,
        "seconds": 12.34,
    }
    return Report(**{**given, **changed})


def right(**changed):
    """A metric in which nothing was found."""
    given = {"subject": "Close", "kind": "metric", "target": "losses.py:Close", "file": "losses.py", "line": 40}
    records = {"torch": [Record("M000", "pass"), Record("M101", "pass")]}
    return Report(**{**given, "inputs": "y_true=float32[8]", "records": records, "seconds": 1.0, **changed})


def unchecked():
    """A metric that could not be built."""
    return Report(
        subject="PerClass", kind="metric", target="losses.py:PerClass", problem="PerClass needs num_classes to be built."
    )
