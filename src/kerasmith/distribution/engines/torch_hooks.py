"""`fit` and `evaluate` of Keras on PyTorch in several processes, which give the numbers of one."""

import contextlib
import functools
import zlib
from typing import Any

import keras

from kerasmith.distribution._alone import alone
from kerasmith.distribution._replica_error import SetupError
from kerasmith.distribution.engines import torch_batches, torch_gradients, torch_metrics
from kerasmith.distribution.engines.together import Together, fitting
from kerasmith.distribution.engines.torch_training import Phase, TorchTraining
from kerasmith.keras_internals import model_calls

_SPLIT = "_kerasmith_splits"


class TorchTogether(Together):
    """Brings the processes together."""

    def on_train_begin(self, logs: Any = None) -> None:
        compare_fits(self.training, self.model, self.params)
        self.training.counted = self.params.get("steps") is not None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.training.begin_epoch(self.model, epoch)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.training.in_batch = True

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.training.in_batch = False
        self.grant(self.training.any_of(self.asked(), Phase.STEP_END))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.grant(self.training.any_of(self.asked(), Phase.EPOCH_END))


def compare_fits(training: TorchTraining, model: keras.Model, params: dict[str, Any]) -> None:
    """Refuses a `fit` that differs between processes."""
    variables = [(tuple(one.shape), str(one.dtype), bool(one.trainable)) for one in model.variables]
    names = ("variables of the model", "optimizer", "`epochs`", "batches in an epoch")
    own = [
        zlib.crc32(repr(variables).encode()),
        zlib.crc32(type(model.optimizer).__name__.encode()),
        params.get("epochs") or 0,
        params.get("steps") or 0,
    ]
    known = training.meet(Phase.FIT, *own)
    for k, name in enumerate(names):
        for rank in range(training.count):
            if known[rank, k] != known[0, k]:
                numbers = f": {known[0, k]} in rank 0, {known[rank, k]} in rank {rank}" if k > 1 else ""
                raise SetupError(
                    f"Rank {rank} has other {name} than rank 0{numbers}. Every process must run the same script on the same "
                    "data; where each brings its own share, all need the same number of batches."
                )


def install(training: TorchTraining) -> None:
    """Puts the hooks on `keras.Model`, once for this process."""
    model = keras.Model
    around = {
        "fit": functools.partial(_reporting, "fit", _fitting),
        "evaluate": functools.partial(_reporting, "evaluate", _evaluating),
    }
    model_calls.surround(training, {**around, "predict": _predicting}, quiet=training.rank > 0)
    for name, attribute in (("make_train_function", "train_function"), ("make_test_function", "test_function")):
        setattr(model, name, _with_parts(getattr(model, name), attribute, training))
    model.get_metrics_result = _merging(model.get_metrics_result, training)


@contextlib.contextmanager
def _reporting(name, inner, training, arguments):
    try:
        # Outside of a step each process computes the whole for itself, as in Keras' first look at the shapes.
        with alone(), inner(training, arguments):
            yield
    except BaseException as problem:
        training.watch.fail(problem)
        raise
    finally:
        training.watch.at(f"after a call of `{name}`")


def _predicting(training, arguments):
    return alone()


@contextlib.contextmanager
def _fitting(training, arguments):
    before = training.mode, training.is_fitting
    training.mode, training.is_fitting, training.epoch, training.step = _mode(training, arguments), True, 0, 0
    try:
        with fitting(arguments, TorchTogether(training)):
            yield
        training.meet(Phase.FIT_END)
    finally:
        training.mode, training.is_fitting = before
        training.in_batch = False


@contextlib.contextmanager
def _evaluating(training, arguments):
    mode, step, fresh = training.mode, training.step, training.fresh
    training.mode = _mode(training, arguments)
    training.meet(Phase.EVALUATE)
    training.step, training.fresh, training.is_evaluating = 0, True, True
    try:
        yield
        training.meet(Phase.EVALUATE_END)
    finally:
        training.mode, training.step, training.fresh, training.is_evaluating = mode, step, fresh, False


def _mode(training, arguments):
    return "own" if torch_batches.brings_own_share(arguments.get("x"), training.count) else training.data


def _with_parts(own, attribute, training):
    @functools.wraps(own)
    def make(self: Any, force: bool = False) -> Any:
        made = own(self, force=force)
        torch_metrics.gather_updates(self, training.collectives)
        for optimizer in torch_gradients.optimizers_of(self):
            torch_gradients.average_in(optimizer, training.collectives)
        function = getattr(self, attribute)
        if function is not None and not any(
            getattr(one, _SPLIT, False) for one in (function, getattr(function, "inner", None))
        ):
            setattr(self, attribute, _of_parts(self, function, attribute, training))
        return made

    return make


def _of_parts(model, function, attribute, training):
    def step(data: Any) -> Any:
        # Keras draws the batches; each process computes its part of them.
        with training.split(model, data[0], attribute == "train_function") as part:
            return function([part])

    setattr(step, _SPLIT, True)
    return step


def _merging(own, training):
    @functools.wraps(own)
    def get_metrics_result(self: Any) -> Any:
        if not training.in_step and (training.in_batch or training.collectives.refused):
            # A callback repeats a step for itself.
            return own(self)
        if not training.in_step and training.is_fitting and not training.is_evaluating:
            training.meet(Phase.STEPS_END)
            training.share_statistics(self)
        with torch_metrics.merged(self, training.collectives), alone():
            return own(self)

    return get_metrics_result
