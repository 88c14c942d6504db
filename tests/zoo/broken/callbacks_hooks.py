"""Callbacks whose hooks, constructor or class are wrong."""

import time

import keras

from tests.zoo.entries import Broken


class LossPrinter(keras.callbacks.Callback):
    """`on_epoch_ends` is no hook: it never fires. Asked for: "debugging: callback that never fires"."""

    def on_epoch_ends(self, epoch, logs=None):
        logs = logs or {}
        print(f"epoch {epoch + 1}: " + ", ".join(f"{name}={value:.4f}" for name, value in logs.items()))


class ValidationReport(keras.callbacks.Callback):
    """Waits for `on_evaluate_end`, which Keras calls `on_test_end`. Source: keras-team/keras 5128 (the hook was proposed,
    never merged)."""

    def on_evaluate_end(self, logs=None):
        for name, value in (logs or {}).items():
            print(f"validation {name}: {value:.4f}")


class StepPrinter(keras.callbacks.Callback):
    """`on_train_batch_finish` is no hook. Asked for: "debugging: callback that never fires"."""

    def __init__(self, every=10):
        super().__init__()
        self.every = every

    def on_train_batch_finish(self, batch, logs=None):
        if batch % self.every == 0:
            print(batch, (logs or {}).get("loss"))


class PatientStopping(keras.callbacks.EarlyStopping):
    """`super().__init__` is never called: `monitor`, `mode`, ... are missing at the first hook. Source: keras-team/keras 836
    (comment of 2018-06-20), where the base is skipped in the same way."""

    def __init__(self, patience=3):
        self.patience = patience


class WeightReport(keras.callbacks.Callback):
    """No `super().__init__()`: `params` and `model` do not exist before `fit` sets them. Source: keras-team/keras 17376."""

    def __init__(self, title="weights"):
        self.title = title

    def describe(self):
        return f"{self.title}: {self.model.count_params() if self.model is not None else 'no model yet'}"

    def on_train_end(self, logs=None):
        print(self.describe())


class EpochLine(keras.callbacks.Callback):
    """`on_epoch_end` takes no `logs`: TypeError at the end of the first epoch. Source: kubeflow/trainer 1198."""

    def on_epoch_end(self, epoch):
        print(f"epoch {epoch + 1} done")


class BatchLoss(keras.callbacks.Callback):
    """The second argument of a batch hook is given by name (`logs=`): `values` does not match. Source: keras CallbackList, as
    in kubeflow/trainer 1198."""

    def on_train_batch_end(self, batch, values=None):
        if values and values.get("loss", 0.0) > 1e3:
            print(f"loss of {values['loss']:.1f} in batch {batch}")


class ValidationTimer(keras.callbacks.Callback):
    """Crashes in `evaluate` and `predict`: `started` is set when training begins only. Source: keras-team/keras 5128
    (evaluation has its own hooks), keras-team/keras 17376."""

    def on_train_begin(self, logs=None):
        self.started = time.perf_counter()

    def on_test_end(self, logs=None):
        print(f"validated after {time.perf_counter() - self.started:.1f} s")


class Options(keras.callbacks.Callback):
    """Swallows every unknown argument: a misspelt `tresholds=` changes nothing. Asked for: "MSE": a reloaded
    closure accepts any other parameter; the same in a constructor."""

    def __init__(self, threshold=0.5, **kwargs):
        super().__init__()
        self.threshold = threshold

    def on_epoch_end(self, epoch, logs=None):
        if (logs or {}).get("loss", float("inf")) < self.threshold:
            self.model.stop_training = True


class LossList(keras.callbacks.Callback):
    """`losses` belongs to the class: two callbacks in two runs write to one list. Source: alan-turing-institute/autoemulate
    940."""

    losses = []

    def on_train_begin(self, logs=None):
        self.losses.clear()

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append((logs or {}).get("loss"))

    def state_dict(self):
        return {"losses": list(self.losses)}

    def load_state_dict(self, state):
        self.losses[:] = state["losses"]


class ScoreOfValidationData(keras.callbacks.Callback):
    """Reads `self.validation_data`, which Keras has not set for years: every epoch end fails; keras-team/keras 10472."""

    def on_epoch_end(self, epoch, logs=None):
        x, y = self.validation_data[0], self.validation_data[1]
        print(((self.model.predict(x, verbose=0) > 0.5) == y).mean())


BROKEN = [
    Broken(ScoreOfValidationData, check="C000"),
    Broken(LossPrinter, check="C101"),
    Broken(ValidationReport, check="C101"),
    Broken(StepPrinter, check="C101"),
    Broken(PatientStopping, check="C102", note="crashes in the first hook"),
    Broken(WeightReport, check="C102", note="works inside `fit` in Keras 3: at most a warning"),
    Broken(EpochLine, check="C103"),
    Broken(BatchLoss, check="C103", note="only batch hooks get `logs` by name"),
    Broken(ValidationTimer, check="C114"),
    Broken(Options, check="X101"),
    Broken(LossList, check="X110"),
]
