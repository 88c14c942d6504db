"""The last callback of each `fit` in several processes: what an engine does between steps and epochs."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras

from kerasmith.distribution.engines import first_process

_FOR_NOW = 2


class Together(keras.callbacks.Callback):
    """Runs in every process and keeps nothing.

    Args:
        training: what the hooks of the engine share.

    Attributes:
        others: the callbacks of the `fit` in this process.
    """

    processes: str = "every"

    def __init__(self, training: Any) -> None:
        super().__init__()
        self.training: Any = training
        self.others: list[Any] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> "Together":
        return self

    def state_dict(self) -> None:
        """Nothing is kept."""

    def load_state_dict(self, state: Any) -> None:
        """Nothing was kept."""

    def asked(self) -> int:
        """Whether this process wants to stop, and whether only for now, as bits."""
        return int(bool(self.model.stop_training)) | _FOR_NOW * any(getattr(one, "pausing", False) for one in self.others)

    def grant(self, bits: int) -> None:
        """Does what any process wants."""
        self.model.stop_training = bool(bits & 1)
        self.training.pausing = bool(bits & _FOR_NOW)


class SameEnd(Together):
    """Notes each step for the launcher, and ends `fit` in all processes where one wants to stop."""

    def __init__(self, training: Any) -> None:
        super().__init__(training)
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self.training.notes.at(epoch, 0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # Before the callbacks of the next step, in which a process may end.
        self.training.notes.at(self._epoch, batch + 1)
        self._stop()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._stop()

    def _stop(self) -> None:
        self.grant(self.training.any_of(self.asked()))


@contextlib.contextmanager
def fitting(arguments: dict[str, Any], together: Together) -> Iterator[None]:
    """A context for `fit(**arguments)`, which gets the callbacks that this process runs, and `together` behind them.

    Raises:
        SetupError: for a callback that would be wrong in several processes.
    """
    training, callbacks = together.training, arguments.get("callbacks")
    is_list = isinstance(callbacks, keras.callbacks.CallbackList)
    given = callbacks.callbacks if is_list else keras.tree.flatten(callbacks) if callbacks else []
    ours = together.others = first_process.callbacks_of(list(given), training.rank)
    training.pausing = False
    if is_list:
        together.set_model(arguments["self"])
        together.set_params(getattr(callbacks, "params", {}))
        callbacks.callbacks = [*ours, together]
    else:
        arguments["callbacks"] = [*ours, together]
    with first_process.first_alone(ours, training.only_first):
        yield
