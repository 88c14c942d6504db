"""What callbacks that act ask of the other processes of their training; in one process, of nobody."""

from collections.abc import Callable
from typing import Any, Protocol

from kerasmith.distribution._replica_error import ReplicaError
from kerasmith.distribution._running import RUNNING


class Processes(Protocol):
    """The processes of one training, as one of them sees them.

    Attributes:
        rank, count: of this process, and how many there are.
        brings_own_share: whether each process has other data in the `fit` under way.
        pausing: whether a callback of any process ends the run for now; agreed upon after each step and epoch.
    """

    rank: int
    count: int
    brings_own_share: bool
    pausing: bool

    def of_all(self, value: Any) -> list[Any]:
        """What each process gives, of any size; all must ask at the same place."""
        ...

    def of_first(self, value: Any) -> Any:
        """What the first process gives; all must ask at the same place."""
        ...

    def own_state(self) -> dict[str, Any]:
        """What a step leaves in this process beside variables and random generators, as plain data."""
        ...

    def load_own_state(self, state: dict[str, Any], step: int | None) -> None:
        """Goes on from what `own_state` gave, {} with another number of processes; at a step of the epoch, None for this."""
        ...

    def parts(self, model: Any) -> tuple[list[Any], list[Any]]:
        """(variables of which each process holds a summand, variables of which each holds its own mean)."""
        ...


class OneProcess:
    """A training that nobody takes part in but this process."""

    rank: int = 0
    count: int = 1
    brings_own_share: bool = False
    pausing: bool = False

    def of_all(self, value: Any) -> list[Any]:
        """Its own."""
        return [value]

    def of_first(self, value: Any) -> Any:
        """Its own."""
        return value

    def own_state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_own_state(self, state: dict[str, Any], step: int | None) -> None:
        """Nothing to go on from."""

    def parts(self, model: Any) -> tuple[list[Any], list[Any]]:
        """None."""
        return [], []


_ALONE = OneProcess()


def processes() -> Processes:
    """Those that `setup` has met, or this one alone."""
    return RUNNING.processes or _ALONE


def rows_of_all(tensors: Any) -> Any:
    """What layers gave for this process's part of a batch, as the loss sees it: of all where it is computed of the whole."""
    return tensors if RUNNING.rows_of_all is None else RUNNING.rows_of_all(tensors)


def first_decides(function: Callable[[], Any]) -> Any:
    """What a function gives in the first process, for every process; where it raises there, all raise.

    Raises:
        ValueError: where it raised one.
        ReplicaError: in the other processes, for any other error of the first.
    """
    here, result, problem = processes(), None, None
    if here.rank == 0:
        try:
            result = function()
        except Exception as error:
            problem = error
    result, failure = here.of_first((result, _as_plain(problem)))
    if problem is not None:
        raise problem
    if failure is not None:
        _raise(failure, 0)
    return result


def all_must_succeed(function: Callable[[], None]) -> None:
    """Calls a function in every process; where it raises in one, all raise.

    Raises:
        ValueError: where it raised one in any process, the lowest rank counts.
        ReplicaError: for any other error of another process.
    """
    here, problem = processes(), None
    try:
        function()
    except Exception as error:
        problem = error
    known = here.of_all(_as_plain(problem))
    if problem is not None:
        raise problem
    for rank, failure in enumerate(known):
        if failure is not None:
            _raise(failure, rank)


def _as_plain(problem):
    return None if problem is None else (isinstance(problem, ValueError), type(problem).__name__, str(problem))


def _raise(failure, rank):
    is_value, kind, text = failure
    if is_value:
        raise ValueError(text if rank == 0 else f"Rank {rank}: {text}")
    raise ReplicaError(f"Rank {rank} failed: {kind}: {text}")
