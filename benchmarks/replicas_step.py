"""Run by `python -m benchmarks replicas`, `HOW ROWS OUT`: what a step costs each of two processes of PyTorch.

`HOW` is "kerasmith", with `setup()`, or "gradients": plain `fit` on half of each batch, whose gradients alone are averaged,
all in one exchange, as `DistributedDataParallel` averages those of a model of this size. The second is the floor: its losses
and metrics are those of its own half.
"""

import json
import os
import pathlib
import sys
import time

import keras
import numpy as np
import torch
import torch.distributed as dist
from keras import ops

from kerasmith import losses

STEPS, ROUNDS = 10, 5


def root(y_true, y_pred):
    """One number for a batch."""
    return ops.sqrt(ops.mean(ops.square(y_true - y_pred)))


LOSSES = {
    "mse": lambda: "mse",
    "Dice": losses.Dice,
    'Dice(scope="batch")': lambda: losses.Dice(scope="batch"),
    "a function of the batch": lambda: root,
}
METRICS = {"no metric": list, "mae": lambda: ["mae"], "AUC": lambda: [keras.metrics.AUC()]}


def model_of(loss, metric, optimizer):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((32, 32, 1))
    x = inputs
    for _ in range(3):
        x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    model = keras.Model(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid")(x))
    model.compile(optimizer(1e-3), LOSSES[loss](), metrics=METRICS[metric]())
    return model


class Averaging(keras.optimizers.SGD):
    """Averages the gradients of all processes in one exchange."""

    def apply(self, grads, trainable_variables=None):
        flat = torch.cat([one.reshape(-1) for one in grads])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        parts = torch.split(flat, [one.numel() for one in grads])
        return super().apply([part.view(one.shape) for part, one in zip(parts, grads)], trainable_variables)


def main(how, rows, out):
    rank, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    sent = None
    if how == "kerasmith":
        from kerasmith import distribution
        from kerasmith.distribution._running import RUNNING

        distribution.setup()
        sent = RUNNING.collectives.sent
    else:
        dist.init_process_group("gloo")
    rng = np.random.default_rng(0)
    x, y = rng.random((STEPS * 16, 32, 32, 1), "float32"), rng.integers(0, 2, (STEPS * 16, 32, 32, 1)).astype("float32")
    if how != "kerasmith":
        x, y = x[rank::count], y[rank::count]
    fit = {"batch_size": 16 if how == "kerasmith" else 16 // count, "shuffle": False, "verbose": 0}
    optimizer = keras.optimizers.SGD if how == "kerasmith" else Averaging
    found = [measured(model_of(*row, optimizer), lambda model: model.fit(x, y, **fit), sent) for row in json.loads(rows)]
    pathlib.Path(out, f"{rank}.json").write_text(json.dumps(found))


def measured(model, epoch, sent):
    """{"seconds" of processor time, "exchanges", "bytes" of a step, "gradients": bytes of all gradients}."""
    epoch(model)
    seconds, before = [], dict(sent or {})
    for _ in range(ROUNDS):
        start = time.process_time()
        epoch(model)
        seconds.append((time.process_time() - start) / STEPS)
    gradients = 4 * sum(int(np.prod(one.shape)) for one in model.trainable_variables)
    per_step = {name: (value - before[name]) / ROUNDS / STEPS for name, value in (sent or {}).items()}
    return {"seconds": seconds, "gradients": gradients, **(per_step or {"exchanges": 1.0, "bytes": float(gradients)})}


if __name__ == "__main__":
    main(*sys.argv[1:4])
