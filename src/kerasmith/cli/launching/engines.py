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
        requirement: what `pip install` is given for it, if that is not the package.
        others: backends that it trains where KERAS_BACKEND says so.
        driver: a module that starts the processes, with their number, the script and its arguments; None where the launcher
            starts each.
    """

    backend: str
    package: str
    variables: Callable[[int, int, int], dict[str, str]]
    requirement: str | None = None
    others: tuple[str, ...] = ()
    driver: str | None = None


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
    "ray": Engine(
        "torch",
        "ray",
        lambda rank, count, port: {},
        requirement='"ray[train]"',
        others=("tensorflow",),
        driver="kerasmith.cli.launching.ray_driver",
    ),
}


def engine(name: str, asked: str | None) -> tuple[Engine, str]:
    """(an engine that is installed, the backend of Keras that it is to train).

    Args:
        name: of the engine.
        asked: KERAS_BACKEND, if it is set.

    Raises:
        ImportError: if it is not installed.
        ValueError: if it does not train that backend.
    """
    found = ENGINES[name]
    backend = asked or found.backend
    if backend not in (found.backend, *found.others):
        trained = " or ".join(repr(one) for one in (found.backend, *found.others))
        raise ValueError(
            f"The engine {name!r} trains models of the backend {trained}. Leave out KERAS_BACKEND, or set it to "
            f"{found.backend}. Received: KERAS_BACKEND={backend}"
        )
    for package, requirement in ((found.package, found.requirement), (backend, None)):
        # A package of that name without a file is a folder of the user's.
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise ImportError(
                f"The engine {name!r} needs the package {package!r}. Write `pip install {requirement or package}`."
            )
    return found, backend


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
