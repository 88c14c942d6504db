"""Run by test_distribution.py as two processes, `RANK FOLDER`: gradients of each half of a batch, steps of an objective."""

import json
import pathlib
import sys

import keras
import numpy as np
import torch
import torch.distributed as dist

from kerasmith import losses
from tests.objectives.replicated import BALANCERS, balanced_model, objective_model, three_steps

rank, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
y, p = (torch.tensor(np.load(folder / f"{name}.npy")) for name in "yp")
part = slice(0, 4) if rank == 0 else slice(4, 6)


class Averaging(keras.optimizers.SGD):
    """What DistributedDataParallel does before the step."""

    def apply(self, grads, trainable_variables=None):
        for gradient in grads:
            dist.all_reduce(gradient)
            gradient /= 2
        super().apply(grads, trainable_variables)


results = three_steps(objective_model(Averaging(0.2)), y.numpy(), p.numpy(), part)
results["balanced"] = {
    name: three_steps(balanced_model(name, Averaging(0.1)), y.numpy(), p.numpy(), part) for name in BALANCERS
}
for config in json.loads((folder / "configs.json").read_text()):
    mine = p[part].clone().requires_grad_(True)
    # What the engine does: the mean over replicas of the gradients.
    (losses.Dice(**config)(y[part], mine) / 2).backward()
    results[str(config)] = mine.grad.numpy().tolist()
(folder / f"{rank}.json").write_text(json.dumps(results))
dist.barrier()
dist.destroy_process_group()
