"""Averages of the weights over the steps or the epochs of a training."""

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from kerasmith._types import Contract, Logs
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.callbacks import batch_norm_refresh
from kerasmith.callbacks.copies import Copyable, no_model
from kerasmith.callbacks.driven_optimizers import check_can_train
from kerasmith.callbacks.running_average import assign, copies
from kerasmith.callbacks.variable_averages import VariableAverages
from kerasmith.checkpoints.variables import named_variables
from kerasmith.files.messages import say
from kerasmith.keras_internals.optimizers import training_optimizers
from kerasmith.keras_internals.training_state import weights_now


class WeightAveraging(Copyable, keras.callbacks.Callback):
    """Averages the trainable weights while training goes on, validates with the average and ends with it.

    "ema", after the t-th step (t = 0, 1, ... averages so far): a <- d a + (1 - d) w, with d = decay, or with `warmup`
    d = min(decay, (1 + t)/(10 + t)); a begins as w. "swa", after epochs: a <- a + (w - a)/(t + 1), the equal average.

    Averages are float32 at least. Training itself is not changed, not by a bit: the averaged weights are in the model during
    the validation of `fit` and after its end. Callbacks that save at the end of an epoch save the trained weights
    (`TopKCheckpoints` with a `val_` monitor: the averaged ones); write `with averaging.averaged(): model.save(...)` for the
    average at any time. Those that act at the end of training come after this one in the list to find the averaged weights.

    A second `fit` goes on averaging, also after layers were frozen or unfrozen: each average belongs to its weight. Weights
    that are trained for the first time begin an average of their own, those that are not trained any more keep their value; a
    line says so. Variables that are not trained are not averaged, and statistics of batch normalisation
    fit the averaged weights only if they are measured again: pass data as `update_batch_norm`.

    Args:
        method: "ema" (exponential moving average) or "swa" (stochastic weight averaging).
        decay: d, for "ema".
        every: average after each such step ("swa": epoch), counted from `start`. An average is one dispatch that nothing waits
            for; where it is a good part of a very small step, every=10 with decay**10 costs a tenth.
        start: how many steps ("swa": epochs) pass before.
        unit: "step" or "epoch" for `every` and `start`; by default "step" for "ema" and "epoch" for "swa". A step is one call
            of the compiled training step: of `steps_per_execution` batches, and one of those that accumulate gradients.
        warmup: whether d rises, so that the first weights are forgotten sooner.
        update_batch_norm: inputs to measure moving statistics on, before each validation with averaged weights and at the end:
            an array, a dict of arrays, a list of batches, a PyDataset or a tf.data.Dataset.
        batch_size: for arrays in `update_batch_norm`.
        validate: whether validation in `fit` uses the averaged weights.
        at_end: "average" leaves the averaged weights in the model, "keep" the trained ones.

    Raises:
        ValueError: for arguments outside their range, or when training begins with an optimizer that averages itself.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> model.compile(keras.optimizers.SGD(0.25), "mae")
    >>> x, y = keras.ops.ones((1, 2)), keras.ops.zeros((1, 1))
    >>> _ = model.fit(x, y, epochs=3, verbose=0, callbacks=[WeightAveraging("swa", start=1)])  # 0.75, then 0.5 and 0.25
    >>> model.get_weights()[0].ravel().tolist()
    [0.375, 0.375]

    Reference: Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018; Polyak and Juditsky,
    "Acceleration of stochastic approximation by averaging", 1992.
    """

    of_one_fit = {
        **dict.fromkeys(("_for", "_trained"), no_model),
        "_positions": tuple,
        "_average": VariableAverages,
        "_training": bool,
        "_stepped": bool,
    }
    shared = ("update_batch_norm",)

    method: str
    decay: float
    every: int
    start: int
    unit: Any
    warmup: bool
    update_batch_norm: Any
    batch_size: int
    validate: bool
    at_end: str
    count: Any

    kerasmith_contract: Contract = {"observer": False, "continues": True}

    def __init__(
        self,
        method: str = "ema",
        decay: float = 0.999,
        *,
        every: int = 1,
        start: int = 0,
        unit: str | None = None,
        warmup: bool = False,
        update_batch_norm: Any = None,
        batch_size: int = 32,
        validate: bool = True,
        at_end: str = "average",
    ) -> None:
        check_choice("method", method, ("ema", "swa"))
        check_number("decay", decay, minimum=0, below=1)
        check_integer("every", every, minimum=1)
        check_integer("start", start, minimum=0)
        check_choice("unit", unit, (None, "step", "epoch"))
        check_integer("batch_size", batch_size, minimum=1)
        check_choice("at_end", at_end, ("average", "keep"))
        batch_norm_refresh.check_data(update_batch_norm)
        super().__init__()
        self.method = method
        self.decay = decay
        self.every = every
        self.start = start
        self.unit = unit or ("step" if method == "ema" else "epoch")
        self.warmup = bool(warmup)
        self.update_batch_norm = update_batch_norm
        self.batch_size = batch_size
        self.validate = bool(validate)
        self.at_end = at_end
        self._average = VariableAverages()
        self._for = None
        self._forget()

    def _forget(self):
        self.count = 0  # averages so far
        self._passed = 0  # steps or epochs
        self._average = VariableAverages()
        self._loaded = None  # averages that no model has been found for yet, as `state_dict` gives them
        self._positions = ()
        self._trained = None
        self._training = self._stepped = self._closed = False

    @property
    def validates(self) -> bool:
        """Whether the next validation in `fit` uses averaged weights."""
        return self.validate and self.count > 0

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """A context in which the model has the averaged weights (those it has, before the first average)."""
        swaps = self.count > 0 and self._trained is None
        if swaps:
            self._put_average()
        try:
            yield self.model
        finally:
            if swaps:
                self._put_trained()

    # What Keras calls.

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        if self._for is None or self._for() is not model:
            self._forget()
            self._for = weakref.ref(model)

    def on_train_begin(self, logs: Logs = None) -> None:
        check_can_train(self.model, "WeightAveraging")
        if any(getattr(one, "use_ema", False) for one in training_optimizers(self.model).values()):
            raise ValueError(
                "The optimizer averages weights itself (use_ema=True) and puts its average into the model at the end. Compile "
                "with use_ema=False, or train without WeightAveraging."
            )
        self._positions = ()
        if self.model.built:
            self._list_variables()
        self._training, self._stepped, self._trained = True, False, None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._stepped = self._closed = False

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        if batch == 0 and self._positions:
            self._list_variables()  # a callback may have frozen layers between epochs
        # Not in `on_train_batch_end`: this is the thread of `fit`, and on JAX the state of the last step is still there.
        self._after_step()
        self._stepped = True

    def on_test_begin(self, logs: Logs = None) -> None:
        if self._training:
            self._after_last_step()
            if self.validates:
                self._put_average()

    def on_test_end(self, logs: Logs = None) -> None:
        if self._training:
            self._put_trained()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._after_last_step()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.at_end == "average" and self.count:
            self._put_average()
        self._trained, self._training = None, False

    # State for a run that is resumed in another process.

    def state_dict(self) -> dict[str, Any]:
        """The averages and how much went into them."""
        self._after_step()
        averages = self._loaded
        if averages is None:
            # Between two steps of JAX the variables hold nothing until `self.model` brings them back.
            names = {id(variable): name for name, variable in named_variables(self.model).items()} if self.count else {}
            averages = self._average.state(names)
        return {"passed": self._passed, "count": self.count, **averages}

    def load_state_dict(self, state: Any) -> None:
        """Goes on from what `state_dict` returned.

        Raises:
            ValueError: if the averages are those of another model.
        """
        self._passed, self.count = int(state["passed"]), int(state["count"])
        self._loaded = {name: state.get(name) for name in ("averages", "names", "since")}
        self._stepped = False
        if self._positions:
            self._list_variables()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_loaded": None if self._model is None else self.state_dict()}

    # Parts.

    def _list_variables(self):
        """Finds the weights that are trained now: a layer may have been frozen, thawed or replaced."""
        trained = self._model.trainable_variables
        self._positions = [i for i, v in enumerate(trained) if "float" in keras.backend.standardize_dtype(v.dtype)]
        variables = [trained[i] for i in self._positions]
        if self._loaded is not None:
            loaded, self._loaded = self._loaded, None
            self._average.load(*self._of_this_model(loaded, variables))
        elif [*map(id, variables)] == [*map(id, self._average.variables)]:
            return
        before = bool(self._average.variables)
        new, gone = self._average.follow(variables, self.count)
        if before and (new or gone):
            lines = [f"the average of {', '.join(v.path for v in new)} begins now at its value"] if new else []
            lines += [f"{', '.join(v.path for v in gone)} is not trained any more and keeps its value"] if gone else []
            say(f"WeightAveraging: other weights are trained than before; {'; '.join(lines)}.")

    def _of_this_model(self, loaded, variables):
        """(arrays, variables, since) of what was loaded."""
        arrays, names = loaded["averages"] or [], loaded["names"]
        if names is None:  # a checkpoint of 0.1: by their order
            names, named = [str(i) for i in range(len(arrays))], {str(i): v for i, v in enumerate(variables)}
        else:
            named = named_variables(self._model)
        there = {name: tuple(array.shape) for name, array in zip(names, arrays, strict=True)}
        wrong = {name: shape for name, shape in there.items() if name not in named or tuple(named[name].shape) != shape}
        if wrong or (loaded["names"] is None and arrays and len(arrays) != len(variables)):
            here = [tuple(v.shape) for v in variables]
            of = f", of {', '.join(list(wrong)[:6])}" if loaded["names"] else ""
            raise ValueError(
                f"The averages belong to other weights. The model has the shapes {here[:6]}, the averages "
                f"{list(there.values())[:6]}{of}. Load them into the model that they are of, or begin anew with a new object."
            )
        return arrays, [named[name] for name in names], loaded["since"] or [0] * len(arrays)

    def _after_step(self):
        if self._stepped:
            self._stepped = False
            if self.unit == "step":
                self._pass()

    def _after_last_step(self):
        """The steps of an epoch are over; its validation, or the end of the epoch, tells first."""
        self._after_step()
        if not self._closed:
            self._closed = True
            if self.unit == "epoch":
                self._pass()

    def _pass(self):
        self._passed += 1
        beyond = self._passed - self.start
        if beyond > 0 and beyond % self.every == 0:
            self._average.blend(self._weights(), self._share, self.count)
            self.count += 1

    def _share(self, count):
        if self.method == "swa":
            return 1.0 / (count + 1)
        return 1.0 - (min(self.decay, (1 + count) / (10 + count)) if self.warmup else self.decay)

    def _weights(self):
        """The weights as they are now. Between two steps of JAX they are not in the variables."""
        if not self._positions:
            self._list_variables()  # TensorFlow builds some models in the first step
        return weights_now(self._model, self._positions) or [variable.value for variable in self._average.variables]

    def _put_average(self):
        model = self.model
        if not self._positions:
            self._list_variables()
        pairs = self._average.pairs()
        averaged, averages = [variable for variable, _ in pairs], [value for _, value in pairs]
        variables = averaged
        if self.update_batch_norm is not None:
            variables = [*variables, *batch_norm_refresh.statistics(model)]
        self._trained = (variables, copies([ops.convert_to_tensor(variable.value) for variable in variables]))
        assign(averaged, averages)
        if self.update_batch_norm is not None:
            batch_norm_refresh.refresh(model, self.update_batch_norm, self.batch_size)

    def _put_trained(self):
        if self._trained is not None:
            variables, values = self._trained
            self._trained = None
            assign(variables, values)
