"""One call that makes `fit` right where a script runs in several processes."""

import importlib
import os
import sys

import keras

from kerasmith.distribution._launch_notes import LaunchNotes
from kerasmith.distribution._place import Place, find_place
from kerasmith.distribution._replica_error import ReplicaError, SetupError
from kerasmith.files import messages

_ALONE = Place("none", 0, 1, 0, "", "nobody")
_DONE: list[Place] = []


def setup(*, timeout: float = 60.0, data: str = "same") -> Place:
    """Lets this process train as one of several, if it was started as one (since 0.2).

    Written before the model is made, in a script that `kerasmith launch`, torchrun or SLURM starts several times. From then on
    `model.fit` and `model.evaluate` give the numbers that one device gives: each process computes its part of every batch,
    gradients, losses and metrics are those of the whole batch, and the first process alone writes files and prints. Where one
    process was started, it does nothing.

    Args:
        timeout: seconds to wait for the other processes.
        data: "same": every process iterates over the same batches, of `batch_size` samples in all, and trains its part of
            each. "own": the batches of each process are its share, and a step trains on those of all. A PyTorch `DataLoader`
            with a `DistributedSampler` brings its own share in any case.

    Returns:
        A `Place`: `rank` from 0, `count`, `engine` ("none" where one process trains alone).

    Raises:
        SetupError: where the processes cannot train together: they run different code, versions or backends, one of them is
            missing, a port is in use.

    Example:

    >>> place = setup()
    >>> place.rank, place.count
    (0, 1)
    """
    if data not in ("same", "own"):
        raise ValueError(f'`data` must be "same" or "own". Received: data={data!r}')
    if _DONE:
        return _DONE[0]
    place = None
    try:
        place = find_place(os.environ, keras.backend.backend())
        if place is not None:
            notes = LaunchNotes(place.rank)
            notes.called()
            if place.count > 1:
                engine = importlib.import_module(f"kerasmith.distribution.engines.{place.engine}_engine")
                engine.start(place, timeout=timeout, data=data)
    except (SetupError, ReplicaError) as problem:
        rank = os.environ.get("RANK", "0")
        notes = LaunchNotes(rank)
        notes.cause("input", str(problem))
        if "KERASMITH_ENGINE" in os.environ:
            # The launcher shows the error once, for all processes.
            notes.ends()
            sys.exit(2)
        raise
    if place is not None and place.rank > 0:
        messages.mute()
    _DONE.append(place or _ALONE)
    return _DONE[0]
