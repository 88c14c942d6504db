"""SIGKILL at random moments, some in the middle of a write or an evaluation: the rerun ends as if nothing had happened."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

KINDS = (
    "arrays", "weighted", "weighted_workers", "own_dataset", "endless", "half_precision", "objective", "callback_list",
    "own_step",
)  # fmt: skip


def turn(kind):
    """JAX asks every other kind, TensorFlow those between."""
    return [kind] * (KINDS.index(kind) % 2 == (keras.backend.backend() == "jax"))


@pytest.mark.thinned("each kind is killed on one of the two that compile", by=turn)
@pytest.mark.heavy(
    "trains in six processes, five of which are killed",
    seconds=45,
    light=lambda kind: kind == "arrays" and keras.backend.backend() == "torch",
)
@pytest.mark.parametrize("kind", KINDS)
def test_killed_training_ends_bit_for_bit_like_an_uninterrupted_one(kind):
    script = Path(__file__).with_name("killed_runs.py")
    environment = {**os.environ, "KERAS_BACKEND": keras.backend.backend(), "PYTHONPATH": "src"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, kind, "--kills", "5", "--seed", str(KINDS.index(kind))],
        capture_output=True, text=True, timeout=400, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert len(result["kills"]) >= 5
    assert result["differences"] == [], result["kills"]
