"""What each engine's own launcher sets in the environment of a process."""

import importlib.util
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


ENGINES: dict[str, Engine] = {"torch": Engine("torch", "torch", torchrun), "jax": Engine("jax", "jax", torchrun)}


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
