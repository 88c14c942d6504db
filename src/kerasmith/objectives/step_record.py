"""What one training step leaves for the objective on its way through the model."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from kerasmith._types import Tensor

# Replicas of TensorFlow's MirroredStrategy are threads that take turns within a step.
_of_this_thread = threading.local()


class StepRecord:
    """Tensors of one step of one replica; no state of the model.

    Attributes:
        seen: {name of a Tap: [what flowed through it]}; None once it was taken.
        shifts: {name of a Tap: a tensor to add there}.
        differentiable: whether the forward pass of the step can be derived by its inputs, on the backends where it can at all.
        tape: TensorFlow's persistent tape around the step, or None.
        terms, tensors: the stacked weighted terms and the tensors at the taps of a balancer; JAX.
    """

    def __init__(self, shifts: dict[str, Tensor] | None = None, tape: Any = None) -> None:
        self.seen: dict[str, list[Tensor]] | None = {}
        self.shifts: dict[str, Tensor] = shifts or {}
        self.tape: Any = tape
        self.differentiable: bool = False
        self.terms: Tensor = None
        self.tensors: list[Tensor] | None = None


@contextlib.contextmanager
def recording(shifts: dict[str, Tensor] | None = None, tape: Any = None) -> Iterator[StepRecord]:
    """Gives a `StepRecord`, the current one of this thread until the end of the context."""
    before = current()
    _of_this_thread.record = record = StepRecord(shifts, tape)
    try:
        yield record
    finally:
        _of_this_thread.record = before


def current() -> StepRecord | None:
    """The `StepRecord` of the step that runs in this thread, or None."""
    return getattr(_of_this_thread, "record", None)


def take_features(known: Callable[[], list[str]]) -> "Features":
    """`Features` of the forward pass; what flows later, in a second pass, is not recorded.

    Args:
        known: () -> names of the model's taps; asked where one is missing, not in every step.
    """
    record, seen = current(), {}
    if record is not None:
        seen, record.seen = record.seen or {}, None
    return Features({name: found[0] if len(found) == 1 else found for name, found in seen.items()}, known)


class Features(dict[str, Any]):
    """{name of a Tap: its tensor, or a list if it was passed more than once}; an unknown name says which ones there are."""

    def __init__(self, tensors: dict[str, Any], known: Callable[[], list[str]]) -> None:
        super().__init__(tensors)
        self.known = known

    def __missing__(self, name: str) -> Any:
        if name in self.known():
            raise ValueError(
                f"Nothing was recorded at the Tap {name!r}. The forward pass left it out, or a `train_step` of your own made "
                "it where taps do not listen: let `super().train_step(...)` do the step, and override `compute_loss`."
            )
        known = ", ".join(map(repr, self)) or "none"
        raise ValueError(
            f"No tensor flowed through a Tap named {name!r}. This model's taps: {known}. "
            f"Put one into the graph, `x = kerasmith.Tap({name!r})(x)`."
        )
