"""SIGKILL at random moments, some in the middle of a write or an evaluation: the rerun ends as if nothing had happened."""

import json
from pathlib import Path

import keras
import pytest

from tests.support import fresh_process

SCRIPT = f"""
import runpy, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, {str(Path(__file__).parent)!r})
runpy.run_path({str(Path(__file__).with_name("killed_runs.py"))!r}, run_name="__main__")
"""
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
    seconds=20,
    light=lambda kind: kind == "arrays" and keras.backend.backend() == "torch",
)
@pytest.mark.parametrize("kind", KINDS)
def test_killed_training_ends_bit_for_bit_like_an_uninterrupted_one(kind):
    output = fresh_process.run(SCRIPT, kind, "--kills", "5", "--seed", KINDS.index(kind), timeout=400)
    result = json.loads(output.splitlines()[-1])
    assert len(result["kills"]) >= 5
    assert result["differences"] == [], result["kills"]
