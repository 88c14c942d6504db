"""Run as one of two processes, or alone, `FOLDER`: trainings in which a number is not finite, under a guard."""

import json
import pathlib
import sys

import keras
import numpy as np
import torch
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from kerasmith import callbacks, distribution

place = distribution.setup()
folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(0)
x = rng.random((28, 4), "float32")
y = x.sum(1, keepdims=True)
bad = x.copy()
bad[17] = np.nan  # the second sample of the fifth batch


def trained(guard, data, loss="mse", **arguments):
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, "tanh", name="inner"), keras.layers.Dense(1, name="outer")]
    )
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["mae"])
    model.fit(*data, epochs=2, shuffle=False, verbose=0, callbacks=[guard], **arguments)
    weights = np.concatenate([array.ravel() for array in model.get_weights()])
    findings = [[one.kind, one.where, one.batch, one.detail, one.samples, one.action] for one in guard.findings]
    return {"weights": weights.tolist(), "findings": findings}


def breaks(y_true, y_pred):
    """Finite, with a gradient that is not where a label is 0."""
    return keras.ops.mean(keras.ops.square(y_true - y_pred) + 0.01 * keras.ops.sqrt(y_true * y_pred**2), axis=-1)


zero = y.copy()
zero[17] = 0
results = {
    "stops": trained(callbacks.NumericsGuard(folder / "found", every=3), (bad, y), batch_size=4),
    "rolls back": trained(callbacks.NumericsGuard(rollback=True, every=6), (bad, y), batch_size=4),
    "a gradient": trained(callbacks.NumericsGuard(rollback=True, max_rollbacks=9), (x, zero), breaks, batch_size=4),
}
if place.count > 1:
    tensors = TensorDataset(torch.tensor(bad), torch.tensor(y))
    sampler = DistributedSampler(tensors, place.count, place.rank, shuffle=False)
    # Sample 17 is the ninth of the second process.
    loader = DataLoader(tensors, batch_size=2, sampler=sampler)
    results["own share"] = trained(callbacks.NumericsGuard(every=5), (loader,))
    results["own share"]["batches"] = len(loader)
(folder / f"{place.rank}.json").write_text(json.dumps(results, default=float))
