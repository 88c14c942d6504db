"""Goes on where a killed training stopped, bit for bit."""

import os
from pathlib import Path
from typing import Any

import keras

from kerasmith._types import Logs
from kerasmith.base.arguments import check_config
from kerasmith.callbacks import newest_checkpoint, training_data
from kerasmith.callbacks.copies import Copyable, CopyNumber, no_model
from kerasmith.callbacks.driven_optimizers import check_can_train
from kerasmith.callbacks.resume_checks import check_callback_list, warn_of_the_order, warn_of_the_version
from kerasmith.callbacks.resume_messages import refuse_short_data, say_where
from kerasmith.callbacks.training_settings import settings, warn_of_other_settings
from kerasmith.callbacks.training_snapshot import TrainingSnapshot
from kerasmith.callbacks.unseen_optimizers import UnseenOptimizers
from kerasmith.checkpoints.directory import CheckpointDirectory
from kerasmith.checkpoints.state_of_processes import joined
from kerasmith.checkpoints.training_lock import TrainingLock
from kerasmith.checkpoints.writer import CheckpointWriter
from kerasmith.distribution.exchange import all_must_succeed, first_decides, processes
from kerasmith.files.plain_data import plain
from kerasmith.keras_internals import fit_call, random_state
from kerasmith.keras_internals.data_epoch import go_to_epoch
from kerasmith.keras_internals.replay import Replay, advance
from kerasmith.keras_internals.stale_batches import forget_stale_batches
from kerasmith.keras_internals.training_state import before_final_weights, begin_at, own_final_weights


class Resume(Copyable, keras.callbacks.Callback):
    """Lets the same script, run again after it was killed, end as if it had never been killed.

    A checkpoint holds all variables of the model, its metrics and its optimizers, wherever it keeps them, also what is not
    Keras' there (`torch.optim`, `tf.Variable`, numbers and arrays that training changes), the random generators, the history,
    the place in the data and the state of the other callbacks and of the data. `fit` then begins in
    the epoch and at the step of the newest checkpoint: weights, losses, learning rates and history come out bit for bit as
    without the interruption.

    A checkpoint is a file that is written whole or not at all and carries a checksum; the previous one is kept. A damaged one
    is reported and the previous one used. Files are written by a thread while training goes on; a full disk warns and leaves
    the last good checkpoint as it is. A training that has come to its end is not trained again; with more `epochs` it goes on.

    One training at a time has the directory: a second one is refused while the first is alive, as are data with other samples
    (another fold). Another loss, learning rate or other option of the optimizer than the training began with is told, with
    which of them counts.

    The place in the list of callbacks does not matter. Other callbacks: those of Keras and of kerasmith are known; one of your
    own that has state needs `state_dict()`, which returns numbers, text, NumPy arrays, lists and dicts of them, and
    `load_state_dict(state)`; the same holds for a `keras.utils.PyDataset` whose batches change over time.

    Data must come in the same order again: arrays (on TensorFlow after `keras.utils.set_random_seed`),
    `data.WeightedBatches`, any PyDataset whose batches are a function of their index and its state, or a `tf.data.Dataset`
    without a `shuffle` of its own; others are warned of. The batches of steps that are done in the interrupted epoch are
    drawn once more and thrown away; where `fit` has `steps_per_epoch`, those of all steps that are done.

    Of several processes (since 0.2, see `kerasmith.distribution.setup`) the first alone reads and writes the directory, which
    the others need not see; it sends them what it goes on from. Where all iterate over the same data, another number of
    processes may go on, with the same samples in the same order.

    Args:
        directory: for the checkpoints of one `fit`; created and checked at once.
        every: "epoch", or a number of training steps.
        keep: how many checkpoints stay, at least 2.
        config: {name: value} that must be the same when the training goes on: seed, learning rate, what was trained on.
        verbose: 1 prints one line when it goes on, 0 does not. Problems are always told.

    Raises:
        ValueError: if the directory cannot be written; when `fit` begins, if another training is writing there, if all
            checkpoints are damaged, or the newest is of another backend, model, data, batch size or `config`, or of a copy of
            this object.

    Example:

    >>> import tempfile
    >>> def train(directory, epochs):
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile("adam", "mse")
    ...     x, y = keras.ops.ones((8, 2)), keras.ops.ones((8, 1))
    ...     return model.fit(x, y, epochs=epochs, verbose=0, shuffle=False, callbacks=[Resume(directory, verbose=0)])
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     first = train(directory, epochs=2).history["loss"]
    ...     len(first), train(directory, epochs=3).history["loss"][:2] == first
    (2, True)
    """

    of_one_fit = {
        **dict.fromkeys(("_fit", "_pending", "_replay", "_training", "_last", "_source", "_random_at_epoch"), no_model),
        **dict.fromkeys(("_random_at_first_step", "_saved_step", "_data", "_settings", "_unseen"), no_model),
        "_others": list,
    }

    every: int | str
    config: Any
    verbose: int
    processes: str = "every"

    def __init__(
        self,
        directory: str | os.PathLike[str],
        every: int | str = "epoch",
        keep: int = 2,
        *,
        config: dict[str, Any] | None = None,
        verbose: int = 1,
    ) -> None:
        super().__init__()
        if every != "epoch" and (isinstance(every, bool) or not isinstance(every, int) or every < 1):
            raise ValueError(f'`every` must be "epoch" or a number of training steps, such as 500. Received: every={every!r}')
        if isinstance(keep, bool) or not isinstance(keep, int) or keep < 2:
            raise ValueError(f"`keep` must be at least 2, as a damaged file needs a previous one. Received: keep={keep!r}")
        check_config(config)
        self.every = every
        self.config = plain(config or {})
        self.verbose = verbose
        self._checkpoints = CheckpointDirectory(directory, keep)
        self._writer = CheckpointWriter(self._checkpoints)
        self._copy = CopyNumber()
        self._lock = TrainingLock(self.directory)

    @property
    def directory(self) -> Path:
        """Where the checkpoints are, a `pathlib.Path`."""
        return self._checkpoints.path

    def wait(self) -> None:
        """Returns when the checkpoint that is being written is on the disk."""
        self._writer.wait()

    # What Keras calls.

    def on_train_begin(self, logs: Logs = None) -> None:
        fit = self._fit = fit_call.find()
        if fit is None:
            raise RuntimeError("Resume works within `Model.fit` only: it needs the data and the callbacks given there.")
        check_can_train(self.model, "Resume")
        check_callback_list(self, fit.callbacks.callbacks)
        first_decides(lambda: self._lock.take(fit.callbacks))
        # First in the list: a checkpoint holds what the others have done in their `end` hooks and not in their next `begin`.
        # The list that Keras goes over just now gets one more, as others may still give the model variables.
        self._others = [one for one in fit.callbacks.callbacks if one is not self]
        fit.callbacks.callbacks.append(keras.callbacks.LambdaCallback(on_train_begin=lambda logs: self._begin()))
        fit.callbacks.callbacks = [self, *self._others]
        self._epoch = self._steps_before = self._batch = 0
        self._saved_step, self._last, self._paused = None, None, False
        self._replay, self._random_at_epoch, self._random_at_first_step = None, None, None
        self._persistent = fit.steps_per_epoch is not None
        forget_stale_batches(fit.epoch_iterator.data_adapter)
        if processes().rank == 0:
            warn_of_the_version()
            warn_of_the_order(fit)
            training_data.warn_of_changing_order(fit.x)
        self._data, self._settings = training_data.fingerprint(fit), None
        self._training = None
        self._pending, self._source, self._data = newest_checkpoint.read(
            self._checkpoints, self._copy, fit, self.config, self._data
        )
        training_data.remember(fit.x)
        self._watch_the_end()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch, self._batch = epoch, 0
        self._random_at_first_step = None
        if self._pending is None:
            if not self._training.has_begun:
                self._training.watch()
            self._random_at_epoch = random_state.capture()
            self._save_if_due(self._steps_before)
            return
        begin_at(self.model, None)
        state = self._pending
        self._steps_before = state["step"] - state["batch"]
        self._training.load_data(state)
        self._training.load_callbacks(state)
        # A checkpoint of Keras before 3.16 has none, and is not resumed on a Keras that shuffles by it.
        go_to_epoch(self._fit.epoch_iterator.data_adapter, state.get("epoch of data"))
        self._random_at_epoch = state["random at epoch begin"]
        if state["batch"] == 0:
            self._training.load_model(state)
            self._training.load_own(state)
            self.model.reset_metrics()
            self._pending, self._saved_step = None, state["step"]
        if self._persistent and self._steps_before:
            advance(self._fit, self._steps_before)
            self._random_at_first_step = self._random_at_epoch
        random_state.restore(self._random_at_epoch)
        if state["batch"]:
            self._replay = Replay(self.model, self._fit, state["batch"], listener=self)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch = batch
        if self._replay is not None:
            if batch >= self._replay.steps:
                self._end_replay(batch, logs)
            return
        if self._random_at_first_step is not None:
            random_state.restore(self._random_at_first_step)
            self._random_at_first_step = None
        if batch > 0:
            self._save_if_due(self._steps_before + batch)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self._replay is not None:
            refuse_short_data(self._replay.steps, epoch)
        self._data = training_data.after_epoch(self._data, self._fit)
        known = self._fit.epoch_iterator.num_batches
        self._steps_before += known or self._batch + self._fit.epoch_iterator.steps_per_execution
        self._epoch, self._batch = epoch + 1, 0

    def on_train_end(self, logs: Logs = None) -> None:
        model = self.model
        finalize = self._stop_watching()
        if self._pending is not None:
            # Nothing was left to train.
            begin_at(model, None)
            self._training.load_data(self._pending)
            self._training.load_callbacks(self._pending)
            self._training.load_model(self._pending)
            finalize(model.trainable_weights)
            random_state.restore(self._pending["random at epoch begin"])
            self._pending = None
        elif not self._paused and self._training.has_begun:  # not with `epochs=0`
            self._write({**(self._last or self._state()), "stopped": model.stop_training and not self._is_pausing()})
        self._last = None
        self.wait()
        self._lock.release()

    # Reading.

    def _begin(self):
        """What can be done when all other callbacks have begun."""
        state, epochs = self._pending, self._fit.epochs
        self._first_step = 0 if state is None else state["step"]
        self._settings = settings(self.model, self._fit)
        self._training = TrainingSnapshot(self, self._fit, self._others)
        self._unseen = UnseenOptimizers(self.model, "Resume", "a training that goes on begins with a new one")
        if state is None:
            return
        all_must_succeed(lambda: self._training.accept(state, self._source))
        is_over = state["stopped"] or state["epoch"] >= epochs
        begin_at(self.model, epochs if is_over else state["epoch"])
        if processes().rank == 0:
            warn_of_other_settings(state.get("settings", {}), self._settings, is_over)
        self._settings = state.get("settings", self._settings)
        if self.verbose:
            say_where(state, epochs, is_over, self._source, self.directory)

    def _end_replay(self, batch, logs):
        state = self._pending
        self._replay.finish()
        self._pending = self._replay = self._random_at_first_step = None
        self._saved_step = state["step"]
        self._training.load_model(state)
        self._training.load_own(state)
        self._training.load_callbacks(state)
        random_state.restore(state["random"])
        for other in self._others:
            other.on_train_batch_begin(batch, logs)

    # Writing.

    def _save_if_due(self, step):
        if self.every == "epoch":
            is_due = self._batch == 0
        else:
            is_due = self._saved_step is None or step - self._saved_step >= self.every
        # A callback that ends this run for now stops it right after this step.
        self._paused = self._is_pausing()
        if is_due or self._paused:
            self._write(self._state())

    def _is_pausing(self):
        here = processes()
        return here.pausing if here.count > 1 else any(getattr(other, "pausing", False) for other in self._others)

    def _state(self):
        return {
            **self._training.take(),
            "config": self.config,
            "writer": str(self._copy),
            "samples": self._data,
            "settings": self._settings,
            "epoch": self._epoch,
            "batch": self._batch,
            "step": self._steps_before + self._batch,
            "stopped": False,
            "random at epoch begin": self._random_at_epoch if self._batch else random_state.capture(),
        }

    def _write(self, state):
        if state["step"] > self._first_step:
            self._unseen.tell()
        here = processes()
        state = joined(state, here)
        if here.rank == 0:
            self._writer.write(state["step"], state)
        self._saved_step = state["step"]

    # The rest.

    def _watch_the_end(self):
        """Keeps the state that training ends with, before Keras puts averaged weights in the place of the trained ones."""

        def keep_state():
            if self._pending is None and not self._paused and self._training is not None and self._training.has_begun:
                self._last = self._state()

        if getattr(self.model, "optimizer", None) is not None:
            before_final_weights(self.model.optimizer, keep_state)

    def _stop_watching(self):
        """Keras' own method; an earlier `fit` may have ended with an exception."""
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is None:
            return lambda var_list: None
        return own_final_weights(optimizer)
