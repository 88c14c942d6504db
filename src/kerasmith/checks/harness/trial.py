"""Short trainings of a compiled model that leave it as it was: its own step, from its own weights, with something changed.

No copy of the model is made, as models of the user's own classes cannot be copied by their config. A `Trial` holds values of
all variables instead, lends them to the model while it computes, and puts back what was there.
"""

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Inconclusive
from kerasmith.checks.engine.lazy_keras import backend, keras, ops
from kerasmith.checks.harness.borrowed_model import BorrowedModel, to_array

# Losses in a row that end a run.
_FEW = 6


class Trial:
    """A training of a compiled model that begins with its weights and a new optimizer of its kind.

    Args:
        model: a compiled model of any kind.
        seed: of what is drawn on the way, such as dropout on PyTorch.
        lr: a learning rate in place of the optimizer's or its schedule; None to keep that.
        loss: `(y_true, y_pred, sample_weight) -> scalar`, or what `compile` takes for one output, in place of the model's.
            Added losses and penalties stay.
        scale_x: `(x) -> x` on NumPy inputs, put before the model.
        around: `(model) -> context`; the model is changed in it, such as other activations. Give the same function for trials
            that share `shared`.
        start: {id of a variable: array}: weights to begin with in place of the model's.
        shared: a dict that the trials of one model share, so that what is compiled once is used again.

    Raises:
        Inconclusive: the optimizer cannot be made anew, or `lr` and `loss` have nothing to act on in a `train_step` of the
            user's own.
    """

    def __init__(
        self,
        model: Any,
        seed: int = 0,
        lr: float | None = None,
        loss: Any = None,
        scale_x: Callable[[Any], Any] | None = None,
        around: Callable[[Any], AbstractContextManager[Any]] | None = None,
        start: dict[int, np.ndarray] | None = None,
        shared: dict[Any, Any] | None = None,
    ) -> None:
        self.model: Any = model
        self._seed, self._rate, self._scale, self._start = seed, lr, scale_x, start or {}
        self._shared = {} if shared is None else shared
        self._loss, self._around = loss, around
        self._values = None
        self._key = ("trial", loss if isinstance(loss, (str, type(None))) else id(loss), id(around), lr is None)
        # Kept, so that no other object gets its id.
        self._shared.setdefault("kept", []).extend([loss, around])

    def step(self, x: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The loss of one step of training, before its update."""
        return self.run(1, [(x, y, sample_weight)])[0]

    def run(self, steps: int, batches: Sequence[Any], enough: float | None = None, penalties: bool = True) -> list[float]:
        """Losses of `steps` steps over `batches`, (x, y, sample_weight) in turn; goes on from where the last run ended.

        Args:
            steps: at most; a loss that is not finite ends the run.
            batches: NumPy nests.
            enough: the run ends where a few losses in a row are below it.
            penalties: whether the losses hold the penalties on weights.
        """
        tensors = [self._tensors(*batch) for batch in batches]
        losses: list[float] = []
        with self._lent(tensors[0]) as borrowed:
            step = borrowed.stepper(steps)
            for index in range(steps):
                penalty = 0.0 if penalties else borrowed.penalty()
                losses.append(step(tensors[index % len(tensors)]) - penalty)
                if not np.isfinite(losses[-1]):
                    break
                if enough is not None and len(losses) >= _FEW and max(losses[-_FEW:]) < enough:
                    break
            borrowed.finish()
        return losses

    def gradients(self, x: Any, y: Any = None, sample_weight: Any = None) -> list[tuple[Any, np.ndarray | None]]:
        """[(variable, gradient or None)] of the step's loss, for each trainable variable.

        None stands where the loss is not connected with the variable; JAX has no such notion and gives zeros.

        Raises:
            Inconclusive: a `train_step` of the user's own makes more than one update.
        """
        from kerasmith.keras_internals.step_updates import UnseenTraining

        tensors = self._tensors(x, y, sample_weight)
        with self._lent(tensors) as borrowed:
            try:
                found = borrowed.gradients(tensors)
            except UnseenTraining as error:
                raise Inconclusive(str(error)) from None
            except RuntimeError as error:
                if "does not require grad" not in str(error):
                    raise
                found = [None] * len(self.model.trainable_variables)  # what PyTorch says of a loss without any connection
            variables = list(self.model.trainable_variables)
            return [(v, None if g is None else to_array(g)) for v, g in zip(variables, found, strict=True)]

    def predict(self, x: Any, training: bool = False) -> list[np.ndarray]:
        """The outputs as a flat list, float64 or their own kind of integers; `x` is scaled as in the steps."""
        tensors = self._tensors(x, None, None)
        with self._lent(None):
            return [to_array(leaf) for leaf in keras.tree.flatten(call(self.model, tensors[0], training))]

    def weights(self) -> dict[str, np.ndarray]:
        """{path: array} of the trainable variables as they are now."""
        with self._lent(None):
            return {variable.path: to_array(variable) for variable in self.model.trainable_variables}

    def _tensors(self, x, y, sample_weight):
        x = x if self._scale is None else self._scale(x)
        return tuple(
            keras.tree.map_structure(lambda leaf: None if leaf is None else ops.convert_to_tensor(leaf), part)
            for part in (x, y, sample_weight)
        )

    @contextlib.contextmanager
    def _lent(self, batch):
        """The model with this trial's optimizer, loss and values; as it was afterwards."""
        from kerasmith.keras_internals import random_state

        random = random_state.capture()
        try:
            if self._key not in self._shared:
                self._shared[self._key] = BorrowedModel(self.model, self._loss, self._around, self._rate)
            borrowed = self._shared[self._key]
            with borrowed.opened(batch):
                if self._values is None:
                    self._values = borrowed.beginning(self._rate, self._start)
                    _seed(self._seed)
                else:
                    random_state.restore(self._random)
                borrowed.state.assign(self._values)
                yield borrowed
                self._values = borrowed.state.copy()
                self._random = random_state.capture()
        finally:
            random_state.restore(random)


def call(model: Any, x: Any, training: bool = False) -> Any:
    """The outputs of a model called once, outside of the gradient."""
    from kerasmith.keras_internals.layers import takes_training

    options = {"training": training} if takes_training(model) else {}
    if backend() == "torch":
        import torch

        with torch.no_grad():
            return model(x, **options)
    return model(x, **options)


def fresh_weights(model: Any, seed: int = 0) -> dict[int, np.ndarray]:
    """{id of a variable: array}, as `Trial(start=...)` takes it: every matrix by Glorot's rule, offsets 0, factors 1.

    Other trainable variables keep their values.
    """
    rng, found = np.random.default_rng(seed), {}
    for variable in model.trainable_variables:
        shape, name = tuple(variable.shape), variable.name
        if len(shape) >= 2:
            field = int(np.prod(shape[:-2]))
            limit = np.sqrt(6.0 / (field * (shape[-2] + shape[-1])))
            found[id(variable)] = rng.uniform(-limit, limit, shape).astype("float32")
        elif "bias" in name or "beta" in name:
            found[id(variable)] = np.zeros(shape, "float32")
        elif "gamma" in name:
            found[id(variable)] = np.ones(shape, "float32")
    return found


def _seed(seed):
    if backend() == "torch":
        import torch

        torch.manual_seed(seed)
