"""Run by test_counts.py as two processes, `RANK FOLDER`: counts of a metric whose samples are split over both."""

import json
import pathlib
import sys

import keras
import numpy as np
import torch.distributed as dist

from kerasmith import metrics

rank, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
x, y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
x, y = x[rank::2], y[rank::2]

model = keras.Sequential(
    [keras.Input((3,)), keras.layers.Dense(3, activation="softmax", use_bias=False, kernel_initializer="identity")]
)
hits = metrics.TruePositives(3, name="hits")
scores = metrics.Bootstrap(metrics.IoU(3), n=20, capacity=8, seed=1, name="scores")
model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy", metrics=[hits, scores])
fitted = model.fit(x, y, batch_size=2, verbose=0).history
evaluated = model.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)
own = metrics.TruePositives(3)
own.update_state(y, x)
counted = {
    "fit": fitted["hits"][0],
    "evaluate": float(evaluated["hits"]),
    "result": float(own.result()),
    "scores": {name: float(value) for name, value in evaluated.items() if name.startswith("iou")},
}
(folder / f"{rank}.json").write_text(json.dumps(counted))
dist.barrier()
dist.destroy_process_group()
