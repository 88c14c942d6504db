"""What each engine's own launcher sets in the environment of a process."""

import contextlib
import functools
import importlib.util
import json
import socket
from collections.abc import Callable
from typing import NamedTuple


class Engine(NamedTuple):
    """One engine.

    Attributes:
        backend: the backend of Keras that it trains.
        package: that must be installed.
        variables: (rank, count, port) -> the environment variables of a process.
    """

    backend: str
    package: str
    variables: Callable[[int, int, int], dict[str, str]]


def torchrun(rank: int, count: int, port: int) -> dict[str, str]:
    """The variables of torchrun."""
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "GROUP_RANK": "0",
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        # Messages of the C++ code about connections that a killed process has left.
        "TORCH_CPP_LOG_LEVEL": "FATAL",
    }


def workers(rank: int, count: int, port: int) -> dict[str, str]:
    """TF_CONFIG, with a port for each process: that to meet, and free ones."""
    hosts = [f"127.0.0.1:{one}" for one in _ports(count, port)]
    task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": rank}}
    # Messages of the C++ code.
    return {**torchrun(rank, count, port), "TF_CONFIG": json.dumps(task), "TF_CPP_MIN_LOG_LEVEL": "2"}


@functools.cache
def _ports(count, port):
    """Ports of which all processes are told."""
    with contextlib.ExitStack() as opened:
        probes = [opened.enter_context(socket.socket()) for _ in range(count - 1)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [port, *(probe.getsockname()[1] for probe in probes)]


ENGINES: dict[str, Engine] = {
    "torch": Engine("torch", "torch", torchrun),
    "jax": Engine("jax", "jax", torchrun),
    "tensorflow": Engine("tensorflow", "tensorflow", workers),
}


def engine(name: str) -> Engine:
    """An engine that is installed.

    Raises:
        ImportError: if it is not.
    """
    found = ENGINES[name]
    if importlib.util.find_spec(found.package) is None:
        raise ImportError(f"The engine {name!r} needs the package {found.package!r}. Write `pip install {found.package}`.")
    return found


def port_to_meet(asked: int | None) -> int:
    """The port asked for, if it is free; without one a free port.

    Raises:
        ValueError: if it is in use.
    """
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", asked or 0))
        except OSError as problem:
            raise ValueError(
                f"Port {asked} is in use. Leave out `--port`, and a free one is taken, or name another. ({problem})"
            ) from None
        return probe.getsockname()[1]
