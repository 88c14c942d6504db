"""Right callbacks of unusual form."""

import time

import keras
import numpy as np

from tests.zoo.entries import Right


class TellAtTheEnd(keras.callbacks.Callback):
    """Acts only when training ends."""

    def __init__(self, tell=print):
        super().__init__()
        self.tell = tell

    def on_train_end(self, logs=None):
        self.tell(f"trained {self.model.count_params()} parameters for {self.params.get('epochs')} epochs")


class AnyArguments(keras.callbacks.Callback):
    """Hooks with `*args` and `**kwargs` take whatever Keras gives them."""

    def on_epoch_end(self, *args, **kwargs):
        print("epoch", args[0] if args else kwargs.get("epoch"))

    def on_train_batch_end(self, batch, **kwargs):
        if batch == 0:
            print("first batch:", kwargs.get("logs"))


class RateFromSchedule(keras.callbacks.Callback):
    """Sets the learning rate of each epoch from a schedule, a function of the epoch alone: nothing to save."""

    def __init__(self, schedule=None):
        super().__init__()
        self.schedule = schedule or keras.optimizers.schedules.CosineDecay(0.1, decay_steps=10)

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = float(self.schedule(epoch))


class CountsTestBatches(keras.callbacks.Callback):
    """Counts the batches of each `evaluate` (also of the validation in `fit`)."""

    def on_test_begin(self, logs=None):
        self.batches = 0

    def on_test_batch_end(self, batch, logs=None):
        self.batches += 1

    def on_test_end(self, logs=None):
        print(f"evaluated {self.batches} batches")


class OnEvent(keras.callbacks.Callback):
    """Takes functions and makes them its hooks, as `LambdaCallback` does: the hooks are attributes of the instance."""

    def __init__(self, on_epoch_end=None, on_train_end=None):
        super().__init__()
        if on_epoch_end is not None:
            self.on_epoch_end = on_epoch_end
        if on_train_end is not None:
            self.on_train_end = on_train_end


class RateInLogs(keras.callbacks.Callback):
    """Adds an entry to the shared logs and leaves the others alone: History and CSVLogger then show it."""

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class OwnCopyOfLogs(keras.callbacks.Callback):
    """Removes entries from its own copy of the logs."""

    def on_epoch_end(self, epoch, logs=None):
        logs = dict(logs or {})
        loss = logs.pop("loss", None)
        print(f"loss {loss}, others {logs}")


class OldAliases(keras.callbacks.Callback):
    """`on_batch_begin` and `on_batch_end` are still called in training."""

    def on_batch_begin(self, batch, logs=None):
        self.started = time.perf_counter()

    def on_batch_end(self, batch, logs=None):
        if batch == 0:
            print(f"first batch took {time.perf_counter() - self.started:.3f} s")


class SampledNorm(keras.callbacks.Callback):
    """Looks at the model at the first step of each epoch only, not at each step."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            norms = [float(np.linalg.norm(weight)) for weight in self.model.get_weights()]
            print(f"norms: {norms}")


class Plateau(keras.callbacks.Callback):
    """Has an event of its own, `on_plateau`, for subclasses: it looks like a misspelt hook, but is called here."""

    def on_train_begin(self, logs=None):
        self.last = None

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None and self.last is not None and abs(loss - self.last) < 1e-4:
            self.on_plateau(epoch, loss)
        self.last = loss

    def on_plateau(self, epoch, loss):
        print(f"epoch {epoch + 1}: the loss stands at {loss:.4f}")

    def state_dict(self):
        return {"last": self.last}

    def load_state_dict(self, state):
        self.last = state["last"]


class Both(keras.callbacks.Callback):
    """Holds two callbacks and passes everything on."""

    def __init__(self):
        super().__init__()
        self.inner = keras.callbacks.CallbackList([keras.callbacks.TerminateOnNaN(), RateInLogs()])

    def set_params(self, params):
        super().set_params(params)
        self.inner.set_params(params)

    def set_model(self, model):
        super().set_model(model)
        self.inner.set_model(model)

    def on_epoch_end(self, epoch, logs=None):
        for callback in self.inner.callbacks:
            callback.on_epoch_end(epoch, logs)


class PredictsEachEpoch(keras.callbacks.Callback):
    """`predict` at the end of an epoch changes nothing that training uses."""

    def __init__(self, x):
        super().__init__()
        self.x = x

    def on_epoch_end(self, epoch, logs=None):
        print("mean prediction:", float(np.mean(self.model.predict(self.x, verbose=0))))


class EvaluatesEachEpoch(keras.callbacks.Callback):
    """`evaluate` at the end of an epoch resets metrics whose values are already in the logs."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def on_epoch_end(self, epoch, logs=None):
        values = self.model.evaluate(self.x, self.y, verbose=0, return_dict=True)
        if logs is not None:
            logs.update({f"extra_{name}": value for name, value in values.items()})


class ClipKernels(keras.callbacks.Callback):
    """Clips the weights after each epoch: acts on the model on purpose."""

    def __init__(self, limit=1.0):
        super().__init__()
        self.limit = limit

    def on_epoch_end(self, epoch, logs=None):
        for variable in self.model.trainable_variables:
            variable.assign(keras.ops.clip(variable, -self.limit, self.limit))


_X = np.linspace(-1, 1, 32, dtype="float32").reshape(8, 4)
_Y = np.linspace(0, 1, 8, dtype="float32").reshape(8, 1)

RIGHT = [
    Right(TellAtTheEnd, note="no hook runs before the end"),
    Right(AnyArguments, note="signature without names"),
    Right(RateFromSchedule, note="the rate is a function of the epoch: no state"),
    Right(CountsTestBatches, note="an attribute that first exists in `evaluate`"),
    Right(OnEvent, init={"on_epoch_end": print, "on_train_end": print}, note="hooks are functions without self"),
    Right(RateInLogs, note="adds to logs, changes nothing that is there"),
    Right(OwnCopyOfLogs, note="pops from a copy"),
    Right(OldAliases, note="hooks with the names of Keras 2 that still work"),
    Right(SampledNorm, note="a batch hook that touches the model once per epoch"),
    Right(Plateau, note="an `on_...` method that is no hook, called by itself"),
    Right(Both, note="a callback that holds callbacks"),
    Right(PredictsEachEpoch, init={"x": _X}, note="predict inside fit"),
    Right(EvaluatesEachEpoch, init={"x": _X, "y": _Y}, note="evaluate inside fit, between epochs"),
    Right(ClipKernels, contract={"observer": False}, note="changes weights"),
]
