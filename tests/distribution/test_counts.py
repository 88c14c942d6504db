"""Two processes of PyTorch count each sample once, whether Keras sums the variables of metrics itself (since 3.16) or not."""

import json
import pathlib
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from kerasmith import metrics
from tests.support import fresh_process

HERE = pathlib.Path(__file__).parent


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="torch.distributed is PyTorch's")
def test_counts_on_two_processes(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.random((12, 3)).astype("float32"), rng.integers(3, size=(12, 1))
    y[:8, 0] = x[:8].argmax(-1)
    y[8:, 0] = (x[8:].argmax(-1) + 1) % 3
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    code = (HERE / "counts_torch.py").read_text()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda rank: fresh_process.run(code, rank, tmp_path, timeout=300), range(2)))
    alone = metrics.IoU(3)
    alone.update_state(y, x)
    for rank in range(2):
        got = json.loads((tmp_path / f"{rank}.json").read_text())
        assert (got["fit"], got["evaluate"], got["result"]) == (8, 8, 8)
        assert got["scores"]["iou"] == pytest.approx(float(alone.result()), rel=1e-6)
