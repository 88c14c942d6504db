"""Counts epochs over several calls of `fit`."""


class EpochCounter:
    """Numbers the epochs of one `fit` after the other, for callbacks that keep a history.

    A `fit` that counts from the beginning again continues; one with `initial_epoch` counts on by itself.

    Attributes:
        last: number of the latest epoch that has ended, from 1; 0 before the first. The whole state between epochs.

    Example:

    >>> counter = EpochCounter()
    >>> counter.end(0), counter.end(1)
    (1, 2)
    >>> counter.begin_fit()
    >>> counter.end(0), counter.last
    (3, 3)
    """

    def __init__(self) -> None:
        self.last: int = 0
        self._offset = None

    def begin_fit(self) -> None:
        """To be called when training begins."""
        self._offset = None

    def offset(self, epoch: int | None = None) -> int:
        """How many epochs came before those that this `fit` counts.

        Args:
            epoch: Keras' number of the epoch that runs, from 0; without it the answer is that of the latest epoch, or 0.
        """
        if self._offset is None and epoch is not None:
            self._offset = max(self.last - epoch, 0)
        return self._offset or 0

    def end(self, epoch: int) -> int:
        """The number, from 1, of an epoch that has ended; `epoch` is Keras' number, from 0."""
        self.last = epoch + 1 + self.offset(epoch)
        return self.last

    def load(self, last: int) -> None:
        """Goes on after epoch `last`."""
        self.last, self._offset = int(last), None
