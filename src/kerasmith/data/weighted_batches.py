"""Batches of samples drawn by weight, in an order that can be computed at any place."""

import copy
import threading
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import tree

from kerasmith.base.arguments import check_integer
from kerasmith.base.keywords import KnowsKeywords
from kerasmith.data.epoch_order import EpochOrder
from kerasmith.data.weights_versions import WeightsVersions
from kerasmith.keras_internals import epoch_caller
from kerasmith.keras_internals.stale_batches import forget_stale_batches


class WeightedBatches(KnowsKeywords, keras.utils.PyDataset):
    """Batches of samples drawn by weight, with weights that may change at any time.

    Which samples are in batch i of an epoch is a pure function of (seed, epoch, i, weights): a run that goes on from any batch
    sees what an uninterrupted one would have seen, on every backend and with any number of workers.

    Without weights every sample comes once an epoch, in an order that changes from epoch to epoch. With weights sample i comes
    floor(a_i) or ceil(a_i) times, a_i = samples_per_epoch * w_i / sum(w), and a_i times on average over epochs (systematic
    resampling). `replace=False` draws no sample twice in an epoch, sample i with probability min(1, c w_i).

    `set_weights` between epochs: the next epoch reads them from its first batch on. Within an epoch, as from a callback after
    a step: they count from the next batch that is drawn, and batches are drawn ahead of the step that trains on them,
    - `workers` > 1: at most `max_queue_size` + 2, on every backend;
    - `workers=1` on PyTorch: none; on JAX: none, or one with an accelerator or an older Keras;
    - `workers=1` on TensorFlow: what tf.data's `prefetch(AUTOTUNE)` holds, one or two where steps and batches take even times,
      64 were seen where they do not, and there is no bound. Where one is needed, write `workers=2`.
    Elsewhere than in the second case it depends on timing how many they are, and with it the batch at which a second run, or
    one that `callbacks.Resume` continues, changes its weights.

    `fit(shuffle=True)`, the default of Keras, would shuffle the batches once more by Python's global generator: it is turned
    off, `shuffle` here decides. A `fit` that stops within an epoch has used this epoch up. Data for `predict` is better given
    as arrays: these batches come in the order of training.

    Args:
        x: array-like or nested dict, list, tuple of such, (N, ...); NumPy arrays stay as they are, `np.memmap` too.
        y: labels in the same forms, or None.
        batch_size: samples in a batch; the last may be smaller.
        weights: (N,) numbers >= 0, or None. Below 1e-9 of the mean they may count as 0.
        seed: whole number >= 0.
        sample_weight: weights of samples in the loss, in the same forms as y; they do not change what is drawn.
        samples_per_epoch: N by default. Without weights another number leaves some samples out, or has some once more.
        replace: whether a sample may come twice in an epoch.
        shuffle: if False, the samples of an epoch come in ascending order.
        drop_remainder: leave out a last batch that is smaller.
        transform: a function `(x, rng)`, `(x, y, rng)` or `(x, y, sample_weight, rng)` of a batch that returns the batch as a
            tuple; `rng` is a `np.random.Generator` seeded by (seed, epoch, batch). For augmentation.
        workers: threads that draw batches ahead, if above 1.
        max_queue_size: batches that they hold at most.
        use_multiprocessing: must be False: another process would keep the weights and the epoch it began with.

    Returns:
        `data[i]` is (x,), (x, y) or (x, y, sample_weight) of batch i of the present epoch, dtypes unchanged.

    Attributes:
        epoch: the number of the epoch under way, or between epochs of the next one. Counts up by itself in `fit`, and in loops
            that call `on_epoch_begin()` and `on_epoch_end()`; can be set between epochs.

    Raises:
        ValueError: for arrays of different length, bad weights, more samples per epoch than weights above 0 with
            `replace=False`, and for `fit(steps_per_epoch=...)` other than `len(data)`.

    Example:

    >>> data = WeightedBatches(np.arange(6), batch_size=3, weights=[1, 1, 1, 1, 1, 7], seed=1)
    >>> [batch[0].tolist() for batch in data]
    [[5, 2, 5], [4, 1, 5]]

    Reference: Kitagawa, "Monte Carlo filter and smoother for non-Gaussian nonlinear state space models", 1996 (systematic
    resampling); Madow, "On the theory of systematic sampling, II", 1949 (unequal probabilities without replacement).
    """

    arrays: Any
    samples: Any
    transform: Callable[..., Any] | None
    batch_size: int
    seed: int
    samples_per_epoch: int
    replace: bool
    shuffle: bool
    drop_remainder: bool

    def __init__(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        weights: Any = None,
        seed: int = 0,
        *,
        sample_weight: Any = None,
        samples_per_epoch: int | None = None,
        replace: bool = True,
        shuffle: bool = True,
        drop_remainder: bool = False,
        transform: Callable[..., Any] | None = None,
        workers: int = 1,
        max_queue_size: int = 10,
        use_multiprocessing: bool = False,
    ) -> None:
        _refuse_processes(use_multiprocessing)
        for name, value, minimum in (
            ("batch_size", batch_size, 1),
            ("seed", seed, 0),
            ("workers", workers, 1),
            ("max_queue_size", max_queue_size, 1),
        ):
            check_integer(name, value, minimum=minimum)
        super().__init__(workers=workers, use_multiprocessing=False, max_queue_size=max_queue_size)
        if y is None and sample_weight is not None:
            raise ValueError("`sample_weight` weighs the loss of labels and needs `y`. To draw by weight write weights=...")
        self.arrays = tuple(_as_arrays(part) for part in (x, y, sample_weight) if part is not None)
        self.samples = _common_length(self.arrays)
        draws = self.samples if samples_per_epoch is None else samples_per_epoch
        check_integer("samples_per_epoch", draws, minimum=1)
        if not replace and draws > self.samples:
            raise ValueError(
                f"With replace=False an epoch has at most {self.samples} samples. Received: samples_per_epoch={draws}"
            )
        if drop_remainder and draws < batch_size:
            raise ValueError(f"An epoch of {draws} samples has no whole batch. Received: batch_size={batch_size}")
        if transform is not None and not callable(transform):
            raise TypeError(f"`transform` must be a function of a batch. Received: transform={transform!r}")
        self.batch_size, self.seed, self.samples_per_epoch = int(batch_size), int(seed), int(draws)
        self.replace, self.shuffle, self.drop_remainder = bool(replace), bool(shuffle), bool(drop_remainder)
        self.transform = transform
        order = EpochOrder(self.samples, self.samples_per_epoch, self.seed, replace=self.replace, shuffle=self.shuffle)
        self._versions = WeightsVersions(order, self.batch_size, len(self), _as_array(weights))
        self._lock = threading.RLock()
        self._begun, self._asked, self._thread = False, 0, threading.get_ident()

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {**vars(self), "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.RLock(), _thread=threading.get_ident())

    def __deepcopy__(self, memo: dict[int, Any]) -> "WeightedBatches":
        # The arrays are only ever read here, and may be as large as the disk.
        memo.update((id(array), array) for array in tree.flatten(self.arrays))
        other = memo[id(self)] = type(self).__new__(type(self))
        other.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        return other

    def __len__(self) -> int:
        whole, rest = divmod(self.samples_per_epoch, self.batch_size)
        return whole + (rest > 0 and not self.drop_remainder)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        with self._lock:
            epoch, samples = self.epoch, self.indices(index)
            # A look from outside an epoch is no batch of it; workers begin with an epoch before its hook is called.
            if self._begun or threading.get_ident() != self._thread:
                self._asked = max(self._asked, index + 1)
        batch = self.take(samples)
        if self.transform is None:
            return batch
        return self.transform(*batch, np.random.default_rng((self.seed, epoch, index)))

    def indices(self, batch: Any) -> np.ndarray:
        """The samples in a batch of the present epoch, (batch_size,) integers that are not to be written to.

        Raises:
            IndexError: for a batch that the epoch does not have, or no longer: of weights that change with every step the
                last 64 are kept.
        """
        with self._lock:
            return self._versions.samples_of(batch)

    def take(self, samples: np.ndarray) -> tuple[Any, ...]:
        """The data of samples: (x,), (x, y) or (x, y, sample_weight), as in a batch without `transform`."""
        return tuple(tree.map_structure(lambda array: array[samples], part) for part in self.arrays)

    @property
    def weights(self) -> np.ndarray | None:
        """The weights set last, (N,) float64 and not to be written to, or None."""
        return self._versions.last.weights

    @weights.setter
    def weights(self, weights: Any) -> None:
        self.set_weights(weights)

    def set_weights(self, weights: Any) -> None:
        """Draws by other weights from the next batch on that is drawn, see `WeightedBatches`; None for none.

        Raises:
            ValueError: unless there is one finite number >= 0 for each sample and one above 0; the old weights then stay.
        """
        version = self._versions.checked(_as_array(weights))
        with self._lock:
            self._versions.add(version._replace(from_batch=self._asked if self._begun else 0))

    @property
    def epoch(self) -> int:
        """The number of the epoch under way, or of the next one."""
        return self._versions.epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        check_integer("epoch", epoch, minimum=0)
        with self._lock:
            self._versions.begin(int(epoch))
            self._begun, self._asked = False, 0

    @property
    def use_multiprocessing(self) -> bool:
        """False."""
        return False

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        _refuse_processes(value)

    def on_epoch_begin(self) -> None:
        """Keras calls it before each epoch; a loop of your own should, too."""
        caller = epoch_caller.find(self)
        forget_stale_batches(caller.adapter)
        if caller.trains and caller.steps_per_epoch not in (None, len(self)):
            raise ValueError(
                f"An epoch of this data has {len(self)} batches, and `fit` with another number would tear epochs apart. Write "
                f"WeightedBatches(..., samples_per_epoch={caller.steps_per_epoch * self.batch_size}) and leave out "
                f"`steps_per_epoch`. Received: steps_per_epoch={caller.steps_per_epoch}"
            )
        if caller.trains:
            self._begun = True

    def on_epoch_end(self) -> None:
        """Keras calls it after each epoch, and once before the first."""
        caller = epoch_caller.find(self)
        for reader in (caller.adapter, getattr(caller.adapter, "enqueuer", None)):
            if getattr(reader, "shuffle", False):
                reader.shuffle = False
        with self._lock:
            if caller.trains and self._begun:
                # Counted here, so that batches which workers ask for before `on_epoch_begin` are of the new epoch.
                self._versions.begin(self.epoch + 1)
                self._begun = False
            if not self._begun:
                self._asked, self._thread = 0, threading.get_ident()

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on in the present epoch, at any batch of it."""
        with self._lock:
            return {
                "fingerprint": self._fingerprint(),
                "epoch": self.epoch,
                "from_batch": [version.from_batch for version in self._versions.versions],
                "weights": [version.weights for version in self._versions.versions],
            }

    def load_state_dict(self, state: Any) -> None:
        """Goes on where the dataset was that gave `state`.

        Raises:
            ValueError: if it was made for other data or with other arguments; names what differs.
        """
        own, given = self._fingerprint(), state["fingerprint"]
        differing = [f"{name}={given.get(name)!r} then, {own[name]!r} now" for name in own if own[name] != given.get(name)]
        if differing:
            raise ValueError(
                f"The state belongs to other batches: {'; '.join(differing)}. Make the dataset as in the run to continue."
            )
        pairs = zip(state["weights"], state["from_batch"], strict=True)
        versions = [self._versions.checked(weights, int(start)) for weights, start in pairs]
        with self._lock:
            self._versions.begin(int(state["epoch"]), versions)
            self._begun, self._asked = False, versions[-1].from_batch

    def _fingerprint(self):
        names = ("samples", "batch_size", "samples_per_epoch", "seed", "replace", "shuffle", "drop_remainder")
        return {name: getattr(self, name) for name in names}


def _refuse_processes(value):
    if value:
        raise ValueError(
            "`use_multiprocessing` must be False: another process would keep the weights and the epoch it began with. "
            "Write `workers=4`: threads, which do what NumPy does side by side. Received: use_multiprocessing=True"
        )


def _as_arrays(nest):
    """Arrays in the structure of `nest`; a list of plain numbers is one array, a list of arrays is a list of arrays."""
    if isinstance(nest, (list, tuple)) and not any(hasattr(leaf, "shape") for leaf in tree.flatten(nest)):
        return np.asarray(nest)
    return tree.map_structure(_as_array, nest)


def _as_array(leaf):
    if leaf is None or isinstance(leaf, np.ndarray):
        return leaf
    return keras.ops.convert_to_numpy(leaf) if keras.ops.is_tensor(leaf) else np.asarray(leaf)


def _common_length(arrays):
    """The first dimension that all arrays have in common."""
    shapes = [array.shape for part in arrays for array in tree.flatten(part)]
    lengths = {shape[0] if shape else None for shape in shapes}
    if len(lengths) != 1 or lengths & {None, 0}:
        raise ValueError(f"All arrays must have one and the same first dimension, >= 1. Received: shapes={shapes}")
    return int(lengths.pop())
