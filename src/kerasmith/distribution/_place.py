"""Where a process stands among those that train together, as its launcher tells it in environment variables."""

import json
import re
import sys
from collections.abc import Mapping
from typing import NamedTuple

from kerasmith.distribution._replica_error import SetupError

# {engine: the backend of Keras that it trains}
ENGINES: dict[str, str] = {"torch": "torch", "jax": "jax", "tensorflow": "tensorflow"}


class Place(NamedTuple):
    """One process among several (since 0.2).

    Attributes:
        engine: "torch", "jax" or "tensorflow".
        rank: its number, from 0.
        count: how many there are.
        local_rank: its number on this machine.
        address: "host:port" at which they meet.
        launcher: who started it, in words.
    """

    engine: str
    rank: int
    count: int
    local_rank: int
    address: str
    launcher: str


def find_place(environment: Mapping[str, str], backend: str) -> Place | None:
    """The place of this process; None where it trains alone.

    Looks for `kerasmith launch`, then for torchrun, whose variables (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT) Ray's
    TorchTrainer and others set too, then for SLURM, then for TF_CONFIG, of TensorFlow and of Ray's TensorflowTrainer.

    Args:
        environment: the environment variables.
        backend: of Keras.

    Raises:
        SetupError: where the variables are no numbers, contradict each other, or belong to another backend.

    Example:

    >>> find_place({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "29500"}, "torch").rank
    1
    """
    engine = environment.get("KERASMITH_ENGINE")
    launcher = "kerasmith launch" if engine else "Ray" if in_ray() else "torchrun"
    if engine is None and {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= set(environment):
        engine = "torch"
    if engine is None and int(environment.get("SLURM_NTASKS") or 1) > 1 and "SLURM_PROCID" in environment:
        engine, launcher = backend, "SLURM"
        environment = {**_of_slurm(environment), **environment}
    if engine is None and backend == "tensorflow" and environment.get("TF_CONFIG"):
        environment = {**environment, **_of_workers(environment["TF_CONFIG"])}
        if int(environment["WORLD_SIZE"]) > 1:
            engine, launcher = "tensorflow", "Ray" if in_ray() else "TF_CONFIG"
    if engine is None:
        if (workers := in_ray()) > 1:
            raise SetupError(
                f"Ray started this process as one of {workers}, and not so that models of the backend {backend!r} train "
                "together. Use ray.train.torch.TorchTrainer with KERAS_BACKEND=torch, or "
                "ray.train.tensorflow.TensorflowTrainer with KERAS_BACKEND=tensorflow."
            )
        return None
    if engine not in ENGINES:
        raise SetupError(f"kerasmith knows the engines {', '.join(ENGINES)} so far. Received: engine={engine!r}")
    rank, count = _number(environment, "RANK"), _number(environment, "WORLD_SIZE")
    if not 0 <= rank < count:
        raise SetupError(f"RANK must be from 0 to below WORLD_SIZE. Received: RANK={rank}, WORLD_SIZE={count}")
    if ENGINES[engine] != backend:
        raise SetupError(
            f"{launcher} started this process, rank {rank}, for the engine {engine!r}, which trains models of the backend "
            f"{ENGINES[engine]!r}. Set KERAS_BACKEND={ENGINES[engine]} in every process before Keras is imported. "
            f"Received: backend {backend!r}"
        )
    address = f"{environment.get('MASTER_ADDR', '127.0.0.1')}:{_number(environment, 'MASTER_PORT', 29500)}"
    return Place(engine, rank, count, _number(environment, "LOCAL_RANK", rank), address, launcher)


def in_ray() -> int:
    """How many workers Ray Train has started, of which this process is one; 0 where it is none."""
    # A worker has imported it.
    train = sys.modules.get("ray.train")
    try:
        return int(train.get_context().get_world_size()) if train is not None else 0
    except Exception:
        # In the process that starts a training, and in a trial of Ray Tune, there is no context.
        return 0


def _number(environment, name, default=None):
    text = environment.get(name)
    if text is None and default is not None:
        return default
    try:
        return int(text)
    except (TypeError, ValueError):
        raise SetupError(f"The variable {name} must be a whole number. Received: {name}={text!r}") from None


def _of_slurm(environment):
    """The variables of torchrun, from those that `srun` sets."""
    return {
        "RANK": environment["SLURM_PROCID"],
        "WORLD_SIZE": environment["SLURM_NTASKS"],
        "LOCAL_RANK": environment.get("SLURM_LOCALID", "0"),
        "MASTER_ADDR": first_host(environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_NODELIST") or "127.0.0.1"),
        # Two jobs on one machine must not meet.
        "MASTER_PORT": str(20000 + int(environment.get("SLURM_JOB_ID") or 0) % 10000),
    }


def _of_workers(text):
    """The variables of torchrun, from TF_CONFIG."""
    try:
        known = json.loads(text)
        workers, task = known["cluster"]["worker"], known["task"]
        others = sorted({*known["cluster"]} - {"worker"})
        index = int(task["index"])
        host, _, port = workers[0].rpartition(":")
        port = str(int(port))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise SetupError(
            'TF_CONFIG must be JSON such as {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", '
            f'"index": 0}}}}. Received: TF_CONFIG={text!r}'
        ) from None
    if others or task.get("type") != "worker":
        raise SetupError(f"All tasks in TF_CONFIG must be of the type 'worker'. Received: TF_CONFIG={text!r}")
    return {"RANK": str(index), "WORLD_SIZE": str(len(workers)), "LOCAL_RANK": "0", "MASTER_ADDR": host, "MASTER_PORT": port}


def first_host(nodes: str) -> str:
    """The first machine of a list of SLURM.

    >>> first_host("gpu[03-05,9],login1"), first_host("a1,a2")
    ('gpu03', 'a1')
    """
    name, bracket, numbers = re.match(r"([^,\[]*)(\[?)([^\]]*)", nodes).groups()
    return name + re.split("[-,]", numbers)[0] if bracket else name
