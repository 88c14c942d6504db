"""A training set-up and what its model says to one batch; never trained, and left as it was."""

import contextlib
import functools
from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import CannotCheck, Inconclusive
from kerasmith.checks.engine.lazy_keras import keras, ops, to_arrays
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.checks.engine.training_setup import FitArguments, Place
from kerasmith.checks.harness.eager import as_tensors, without_gradients
from kerasmith.checks.harness.fit_data import Batch, FitData, as_arrays, is_sparse, leaves_of, map_leaves
from kerasmith.checks.harness.loss_probes import per_sample, with_respect_to_outputs
from kerasmith.checks.rules.setups.outputs import SetupOutput, outputs_of

# A batch with more numbers than this is cut to so many samples: no question needs more.
_MOST_NUMBERS, _SAMPLES = 2_000_000, 64

# Questions about the head, and those about what `compile` is given.
_OF_LAYER = ("T101", "T122", "T123", "T124")
_OF_COMPILE = ("T10", "T110", "T122", "T123", "T124", "T125", "T127", "T135", "T137", "T140", "T141", "T142", "T146", "T148")


class Drawn(NamedTuple):
    """dtype and shape of an array, written `float32[32,10]`."""

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


class SetupCase(Case):
    """See `Case`.

    A check with `needs_inputs=False` and `requires=()` is also asked where there are no data, as of `path.py:model`; all
    others have the first batch. What a check does with the model, its metrics, optimizer and data is put back after the last
    one; what it changes for the checks behind it, it puts back itself: `with case.restored():`.

    Attributes:
        model: the compiled model.
        fit: the arguments of `fit` besides the data.
    """

    kind: str | None = "setup"

    def __init__(self, subject: Subject | SourceSubject, contract: Contract, seed: int = 7) -> None:
        super().__init__(subject, contract, seed)
        self.setup: Any = subject.setup
        self.model: Any = self.setup.model
        self.fit: FitArguments = self.setup.fit
        self._data: FitData | None = None
        self._validation: FitData | None = None

    # What the engine asks.

    def around(self) -> AbstractContextManager[Any]:
        """The context of all checks: model, optimizer, metrics, generators and data are as before behind it."""
        return self.restored()

    def restored(self) -> AbstractContextManager[Any]:
        """A context that puts back whatever is done with the set-up inside."""
        from kerasmith.keras_internals.untouched import untouched

        setup = self.setup
        datasets = [data for data in (setup.x, setup.validation_data) if hasattr(data, "__dict__")]
        return untouched(self.model, *datasets)

    def preferred(self) -> Iterable[Any]:
        """The first batch, in place of archetypes.

        Raises:
            CannotCheck: without data.
        """
        return [SimpleNamespace(name=None, specs=self._described())]

    def try_inputs(self, specs: dict[str, Any]) -> None:
        """Nothing: check T000 runs the model."""

    def _described(self) -> dict[str, Any]:
        named = dict(zip(("x", "y", "sample_weight"), self._batch))
        return {name: map_leaves(_describe, part) for name, part in named.items() if part is not None}

    def describe(self) -> str:
        """The first batch as text, where it comes from, and how much was drawn of what cannot be wound back."""
        text = super().describe()
        for name, data in (("", self._data), ("validation ", self._validation)):
            if data is not None and data.kind != "arrays" and (not name or data.lost):
                text += f" ({name}from a {data.kind}{'; ' if data.lost else ''}{data.lost})"
        return text

    def lines(self, *body: str, inputs: bool = True, draw: int = 0) -> str:
        """The lines of a reproducer, to be put before `fit`."""
        return "\n".join([*self.subject.setup_lines(), *body])

    # The data.

    @property
    def data(self) -> FitData:
        """What draws the batches.

        Raises:
            CannotCheck: without data.
        """
        if self._data is None:
            self._data, self._validation = self._split_data()
        return self._data

    def _split_data(self) -> tuple[FitData, FitData | None]:
        setup, fit = self.setup, self.fit
        if setup.x is None:
            raise CannotCheck(
                f"There are no data: give those of `fit`, as kerasmith.check({setup.model.name}, x, y), or ask the script "
                "that trains, as `kerasmith check train.py`."
            )
        x, y, sample_weight = setup.x, setup.y, setup.sample_weight
        batch, validation = fit.batch_size, setup.validation_data
        if fit.validation_split and validation is None:
            (x, y, sample_weight), validation = _split(x, y, sample_weight, fit.validation_split)
        data = FitData(x, y, sample_weight, batch, fit.shuffle, fit.class_weight)
        if validation is None:
            return data, None
        of_validation = validation if isinstance(validation, (tuple, list)) else (validation,)
        return data, FitData(*of_validation[:3], batch_size=fit.validation_batch_size or batch)

    @functools.cached_property
    def _batch(self) -> Batch:
        batch = self.data.first()
        leaves = [leaf for leaf in leaves_of(batch[0]) if isinstance(leaf, np.ndarray)]
        if sum(leaf.size for leaf in leaves) > _MOST_NUMBERS and len(leaves[0]) > _SAMPLES:
            return map_leaves(lambda leaf: leaf[:_SAMPLES], batch)
        return batch

    @property
    def x(self) -> Any:
        """The inputs of the first batch, as arrays."""
        return self._batch[0]

    @property
    def y(self) -> Any:
        """The labels of the first batch, as arrays; None without."""
        return self._batch[1]

    @property
    def sample_weight(self) -> Any:
        """The weights of the first batch, those of `class_weight` included; None without."""
        return self._batch[2]

    @property
    def arrays(self) -> Batch | None:
        """(x, y, sample_weight) whole, without the part for validation, where arrays were given; else None."""
        return self.data.arrays

    def more_batches(self, count: int) -> list[Batch]:
        """Up to `count` batches behind the first one."""
        return self.data.batches(count + 1)[1:]

    @property
    def validation(self) -> Batch | None:
        """The first batch of the validation data, None without."""
        found = [] if self.data is None or self._validation is None else self._validation.batches(1)
        return found[0] if found else None

    @property
    def validation_arrays(self) -> Batch | None:
        """(x, y, sample_weight) of the validation data where they are arrays, else None."""
        return None if self.data is None or self._validation is None else self._validation.arrays

    # The model.

    @property
    def is_objective(self) -> bool:
        """Whether it trains on an objective of terms, which Keras' losses and metrics know nothing of."""
        return hasattr(getattr(self.model, "objective", None), "quantities")

    @functools.cached_property
    def has_own_step(self) -> bool:
        """Whether the model has a `train_step` of its own, which may use neither `call` nor the compiled loss."""
        from kerasmith.keras_internals.optimizers import has_own_step

        return has_own_step(self.model)

    @functools.cached_property
    def has_own_loss(self) -> bool:
        """Whether the model computes its loss by a `compute_loss` of the user's own."""
        return type(self.model).compute_loss.__module__.partition(".")[0] not in ("keras", "kerasmith")

    @functools.cached_property
    def compiled(self) -> dict[str, Any]:
        """{"loss", "loss_weights", "metrics", "weighted_metrics"}: as `compile` was given them."""
        from kerasmith.keras_internals.compiled_outputs import given

        return given(self.model)

    def tensors_of(self, data: Any) -> Any:
        """Arrays as the tensors that the model gets."""
        return as_tensors(data)

    def call(self, x: Any, training: bool = False) -> Any:
        """What the model says to arrays, as tensors in its own structure; with `training`, its state is put back.

        Raises:
            Inconclusive: where it raises, as a model with a `train_step` of its own may.
        """
        try:
            with self.restored() if training else contextlib.nullcontext(), without_gradients():
                return self.model(as_tensors(x), training=training)
        except Exception as error:
            raise Inconclusive(f"the model cannot be called on the first batch: {describe_error(error)}") from error

    def predictions(self, training: bool = False) -> list[np.ndarray]:
        """The outputs for the first batch, in the order of `outputs`."""
        key = f"predictions {training}"
        if key not in self.cache:
            self.cache[key] = [_as_floats(leaf) for leaf in keras.tree.flatten(self.call(self.x, training))]
        return self.cache[key]

    @functools.cached_property
    def outputs(self) -> list[SetupOutput]:
        """The outputs with their losses, metrics and labels.

        Raises:
            Inconclusive: where the model cannot be called.
        """
        return outputs_of(self)

    def loss_values(self, output: SetupOutput, y_true: Any, y_pred: Any) -> np.ndarray:
        """The loss of each sample in float64; one that a loss does not tell apart is the same for all. NaN stays.

        Raises:
            Inconclusive: without a loss, or where it raises.
        """
        return self._probed(per_sample, output, y_true, y_pred)

    def loss_gradient(self, output: SetupOutput, y_true: Any, y_pred: Any) -> np.ndarray:
        """The gradient of the loss with respect to `y_pred`; 0 where nothing connects them.

        Raises:
            Inconclusive: without a loss, or where it raises.
        """
        return self._probed(with_respect_to_outputs, output, y_true, y_pred)

    def _probed(self, function: Any, output: SetupOutput, y_true: Any, y_pred: Any) -> np.ndarray:
        if output.loss is None:
            raise Inconclusive(f"{output.name!r} has no loss of its own")
        try:
            return function(output.loss, y_true, y_pred)
        except Exception as error:
            raise Inconclusive(f"the loss of {output.name!r} cannot be computed: {describe_error(error)}") from error

    def place_of(self, id: str) -> Place | None:
        """Where a finding that names no place stands: by its theme the last layer, `compile`, or `fit`."""
        if id in _OF_LAYER and "outputs" in vars(self):
            layers = [self.place(output.layer) for output in self.outputs if output.layer is not None]
            if layers and layers[0] is not None:
                return layers[0]
        return self.place("compile") if id.startswith(_OF_COMPILE) else None

    def place(self, of: Any) -> Place | None:
        """Where something stands in the user's script, None if that is unknown.

        Args:
            of: "compile", "fit", or a layer, metric, loss or optimizer.
        """
        return self.setup.places.get(of if isinstance(of, str) else id(of))


def _split(x: Any, y: Any, sample_weight: Any, share: float) -> tuple[Batch, Batch]:
    """The part for training and the tail for validation, as `fit` splits arrays."""
    parts = tuple(as_arrays(part) for part in (x, y, sample_weight))
    leaves = leaves_of(parts)
    if not all(isinstance(leaf, np.ndarray) or is_sparse(leaf) for leaf in leaves):
        raise CannotCheck(f"`validation_split` is for arrays. Received: x={type(x).__name__}, validation_split={share}")
    at = int(np.floor(leaves[0].shape[0] * (1.0 - share)))
    return tuple(map_leaves(lambda leaf: leaf[:at], parts)), tuple(map_leaves(lambda leaf: leaf[at:], parts))


def _describe(leaf: Any) -> Any:
    shape = tuple(getattr(leaf, "shape", ()))
    dtype = str(getattr(leaf, "dtype", type(leaf).__name__))
    return Drawn("text" if dtype.startswith(("object", "<U", "|S", "<S")) else dtype.rpartition(".")[2], shape)


def _as_floats(tensor: Any) -> np.ndarray:
    (array,) = to_arrays([tensor]) if ops.is_tensor(tensor) else [np.asarray(tensor)]
    return array.astype("float32") if array.dtype.kind not in "biufc" or array.dtype == "float16" else array
