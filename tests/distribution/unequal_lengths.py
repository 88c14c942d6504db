"""Started by `kerasmith launch`, `FOLDER KIND LENGTH LENGTH ...`: each process has its own number of batches."""

import pathlib
import sys
import time

import keras
import numpy as np

from kerasmith import distribution

folder, kind, lengths = pathlib.Path(sys.argv[1]), sys.argv[2], [*map(int, sys.argv[3:])]
place = distribution.setup(data="own" if kind == "own share" else "same")
count = lengths[place.rank]
x, y = np.ones((8 * count, 3), "float32"), np.ones((8 * count, 2), "float32")


def note(kind, problem, trace):
    """When the first process has found it out."""
    file = folder / "since"
    if not file.exists():
        file.write_text(str(time.time()))
    before(kind, problem, trace)


before, sys.excepthook = sys.excepthook, note


def batches():
    for k in range(count):
        yield x[8 * k : 8 * k + 8], y[8 * k : 8 * k + 8]


class Unknown(keras.utils.PyDataset):
    """Batches that end with their last."""

    def __len__(self):
        return count

    def __getitem__(self, index):
        return x[8 * index : 8 * index + 8], y[8 * index : 8 * index + 8]


model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
model.compile("sgd", "mse")
data = {"generator": lambda: (batches(), None), "arrays": lambda: (x, y), "dataset": lambda: (Unknown(), None)}
data["own share"] = data["arrays"]
inputs, targets = data[kind]()
model.fit(inputs, targets, batch_size=8 if kind in ("arrays", "own share") else None, epochs=1, verbose=0)
print("trained")
