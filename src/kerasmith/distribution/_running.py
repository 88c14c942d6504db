"""What `setup` has started in this process."""

from typing import Any


class Running:
    """The one training of several processes that this process is in.

    Attributes:
        collectives: the exchanges of PyTorch's engine, or None.
        store: what the first process keeps for the others beside a group that it has not begun, or None; it ends with the last
            reference.
        processes: the `exchange.Processes` of any engine, or None.
        rows_of_all: on TensorFlow, where every worker computes the loss of the whole batch: tensors of this one's part ->
            those of all, with the gradient of its part; else None.
        merged: {id of a metric's variable: its sum over all processes}, as of the last step.
    """

    collectives: Any = None
    store: Any = None
    processes: Any = None
    rows_of_all: Any = None
    merged: dict[int, Any] = {}


RUNNING: Running = Running()
