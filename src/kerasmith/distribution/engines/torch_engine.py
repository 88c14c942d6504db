"""Several processes of PyTorch: they meet, compare what they run, and train as one."""

import atexit
import datetime
import json
import os
import sys
from typing import Any

import keras
import torch
import torch.distributed as dist

from kerasmith.distribution._place import Place
from kerasmith.distribution._replica_error import ReplicaError, SetupError
from kerasmith.distribution._running import RUNNING
from kerasmith.distribution.engines import torch_hooks, torch_losses
from kerasmith.distribution.engines.identity import compare, identity
from kerasmith.distribution.engines.torch_collectives import Collectives
from kerasmith.distribution.engines.torch_training import TorchTraining
from kerasmith.distribution.engines.watch import Watch
from kerasmith.files.messages import say_error
from kerasmith.keras_internals.summed_metrics import trainer_sums

# Of the engine itself: what fails is found by `Watch` long before.
_ENGINE_TIMEOUT = datetime.timedelta(hours=2)


def start(place: Place, *, timeout: float, data: str) -> None:
    """Meets the other processes and lets `fit` and `evaluate` train with them.

    Args:
        place: of this process.
        timeout: seconds to wait for the others.
        data: "same" or "own", see `setup`.
    """
    if trainer_sums():
        raise SetupError(
            f"Keras {keras.__version__} has a distributed `fit` of its own on PyTorch, which hangs where processes have "
            "unequal numbers of batches and adds up every metric. `setup()` does not work with it yet: install Keras 3.12 to "
            "3.15."
        )
    uses_gpu = torch.cuda.is_available() and torch.cuda.device_count() > place.local_rank
    if uses_gpu:
        torch.cuda.set_device(place.local_rank)
    if dist.is_initialized():
        # Ray, or the script, has begun it.
        _refuse_other_group(place)
        address, store = _store_beside(place, timeout)
        RUNNING.store = store
        uses_gpu = "nccl" in dist.get_backend()
        compare(_named(store, "identity", place, timeout))
    else:
        store, address = _meet(place, timeout), place.address
        compare(_named(store, "identity", place, timeout))
        dist.init_process_group(
            "nccl" if uses_gpu else "gloo", store=store, rank=place.rank, world_size=place.count, timeout=_ENGINE_TIMEOUT
        )
    watch = Watch(_own_connection(address, timeout), place.rank, place.count)
    watch.start()
    collectives = Collectives(watch, "cuda" if uses_gpu else "cpu")
    collectives.gather_numbers(place.rank)
    RUNNING.collectives = collectives
    torch_losses.install()
    RUNNING.processes = TorchTraining(collectives, data)
    torch_hooks.install(RUNNING.processes)
    _tell_of_errors(watch)
    atexit.register(_end, watch)


def _meet(place, timeout):
    """The store in which processes leave values for each other."""
    host, _, port = place.address.rpartition(":")
    os.environ |= {
        "MASTER_ADDR": host,
        "MASTER_PORT": port,
        "RANK": str(place.rank),
        "WORLD_SIZE": str(place.count),
    }
    patience = datetime.timedelta(seconds=timeout)
    try:
        store, _, _ = next(iter(dist.rendezvous("env://", place.rank, place.count, timeout=patience)))
    except Exception as problem:
        first = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        if "EADDRINUSE" in str(problem) or "in use" in str(problem):
            raise SetupError(
                f"Port {port} of {host}, at which the processes meet, is in use by another program. Start with another "
                f"MASTER_PORT, or without one under `kerasmith launch`, which finds a free port. ({first[:200]})"
            ) from None
        raise SetupError(
            f"Rank {place.rank} has met no other process at {place.address} within {timeout:.0f} s. Was each started, with "
            f"the same MASTER_ADDR and MASTER_PORT, and does it call `setup()`? ({first[:200]})"
        ) from None
    return store


def _refuse_other_group(place):
    if (dist.get_rank(), dist.get_world_size()) != (place.rank, place.count):
        raise SetupError(
            f"The group of torch.distributed has rank {dist.get_rank()} of {dist.get_world_size()} here, and {place.launcher} "
            f"says rank {place.rank} of {place.count}. Leave out `init_process_group`: `setup()` calls it."
        )


def _store_beside(place, timeout):
    """(address, store) of rank 0, beside a group that others have made, whose store is not told."""
    patience, shared = datetime.timedelta(seconds=timeout), [None]
    if place.rank == 0:
        host = place.address.rpartition(":")[0]
        store = dist.TCPStore(host, 0, None, True, patience, wait_for_workers=False)
        shared = [f"{host}:{store.port}"]
    dist.broadcast_object_list(shared)
    host, _, port = shared[0].rpartition(":")
    if place.rank:
        store = dist.TCPStore(host, int(port), None, False, patience)
    return shared[0], store


def _own_connection(address, timeout):
    host, _, port = address.rpartition(":")
    store = dist.TCPStore(host, int(port), None, False, datetime.timedelta(seconds=timeout))
    # A launcher that starts all processes again keeps its store.
    return dist.PrefixStore(f"kerasmith/{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", store)


def _named(store, name, place, timeout):
    """What each process says it is, in the order of ranks."""
    round_ = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    store.set(f"{name}/{round_}/{place.rank}", json.dumps(identity()))
    found, missing = [], []
    for rank in range(place.count):
        key = f"{name}/{round_}/{rank}"
        try:
            store.wait([key], datetime.timedelta(seconds=timeout if not missing else 0.1))
            found.append(json.loads(store.get(key)))
        except Exception:
            missing.append(rank)
    if missing:
        raise SetupError(
            f"Of {place.count} processes those of rank {', '.join(map(str, missing))} have not called `setup()` within "
            f"{timeout:.0f} s. Start all of them, or wait longer: `setup(timeout=600)`."
        )
    return found


def _tell_of_errors(watch):
    """An error of the script reaches the other processes, and the launcher, which shows it once."""
    before = sys.excepthook

    def tell(kind: Any, problem: Any, trace: Any) -> None:
        watch.fail(problem)
        watch.notes.ends()
        if not isinstance(problem, SetupError | ReplicaError):
            before(kind, problem, trace)
        elif "KERASMITH_ENGINE" not in os.environ:  # whose launcher shows it
            say_error(f"error: rank {watch.rank}: {problem}")

    sys.excepthook = tell


def _end(watch):
    watch.stop()
    if dist.is_initialized():
        dist.destroy_process_group()
