"""Run as one of two processes, or alone, `FOLDER`: every kind of data and callback, and what came out."""

import json
import pathlib
import sys

import keras
import numpy as np
import torch
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset, WeightedRandomSampler

from kerasmith import callbacks, distribution, losses
from kerasmith.data import WeightedBatches

place = distribution.setup()
folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(0)
x = rng.random((14, 4), "float32")
y = x.sum(1, keepdims=True) * np.float32(0.5)
tensors = TensorDataset(torch.tensor(x), torch.tensor(y))


def model_of(loss="mse", optimizer=None):
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)])
    model.compile(optimizer or keras.optimizers.Adam(0.01), loss, metrics=["mae"])
    return model


def outcome(model, history):
    weights = np.concatenate([array.ravel() for array in model.get_weights()])
    return {"weights": weights.tolist(), "history": history}


def trained(data, *watchers, model=None, **arguments):
    model = model or model_of()
    history = model.fit(*data, epochs=3, verbose=0, callbacks=list(watchers), **arguments).history
    return outcome(model, {name: history[name] for name in ("loss", "mae", "val_loss") if name in history})


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return x[index * 4 : index * 4 + 4], y[index * 4 : index * 4 + 4]


def own_share():
    """Each process brings the samples that the sampler gives it; alone, one brings those of both."""
    if place.count > 1:
        sampler = DistributedSampler(tensors, place.count, place.rank, shuffle=False)
        return DataLoader(tensors, batch_size=2, sampler=sampler)
    order = [index for start in range(0, 14, 4) for turn in (0, 1) for index in range(start + turn, min(start + 4, 14), 2)]
    return DataLoader(TensorDataset(*tensors[order]), batch_size=4)


def on_batches():
    model = model_of(losses.Charbonnier())
    shown = [model.train_on_batch(x[:5], y[:5], return_dict=True) for _ in range(3)]
    tested = model.test_on_batch(x, y, return_dict=True)
    return outcome(model, {name: [one[name] for one in (*shown, tested)] for name in ("loss", "mae")})


def half_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return trained((x, y), model=model_of(losses.Charbonnier()), batch_size=4)
    finally:
        keras.config.set_dtype_policy("float32")


def with_callbacks():
    weighted = WeightedBatches(x, y, 4, weights=np.arange(1, 15), seed=3)
    runs = folder / "runs"
    runs.mkdir(exist_ok=True)
    watchers = [
        callbacks.HardExampleMining(weighted, every=1),
        callbacks.RunReport(runs / "report"),
        callbacks.TopKCheckpoints(runs / "best"),
        callbacks.WeightAveraging(),
        callbacks.GradientHealth(every=2, verbose=0),
        callbacks.ReduceOnPlateau(patience=1),
        keras.callbacks.ModelCheckpoint(runs / "model.keras"),
        keras.callbacks.CSVLogger(runs / "log.csv"),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=1, restore_best_weights=True),
    ]
    return trained((weighted,), *watchers, validation_data=(x, y))


CASES = {
    "arrays": lambda: trained((x, y), batch_size=5, validation_split=0.3),
    "batch": lambda: trained((x, y), batch_size=5, shuffle="batch", steps_per_epoch=2),
    "class weights": lambda: trained((x, (y > 1).astype("int32")), batch_size=4, class_weight={0: 0.2, 1: 3.0}),
    "PyDataset": lambda: trained((Batches(),)),
    "DataLoader": lambda: trained((DataLoader(tensors, batch_size=4, shuffle=True),)),
    "its sampler": lambda: trained(
        (DataLoader(tensors, batch_size=4, sampler=WeightedRandomSampler(torch.arange(14.0), 14)),)
    ),
    "own share": lambda: trained((own_share(),)),
    "on batches": on_batches,
    "half precision": half_precision,
    "callbacks": with_callbacks,
}
results = {name: run() for name, run in CASES.items()}
(folder / f"{place.rank}.json").write_text(json.dumps(results, default=float))
