"""A loss and its (y_true, y_pred): how the checks call it, reduced and unreduced, and its gradient."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras, ops, to_tensors
from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.checks.harness.archetypes import Archetype
from kerasmith.checks.harness.attributes import reached_from
from kerasmith.checks.harness.gradients import value_and_gradients
from kerasmith.checks.rules.losses import inputs as archetypes


class LossCase(Case):
    """See `Case`. A plain function is called through Keras' own wrapper, as `compile` would.

    Values and gradients on `inputs` are computed once: most checks compare with them.
    """

    kind: str | None = "loss"
    archetypes: tuple[Any, ...] = archetypes.ALL

    def __init__(self, subject: Subject | SourceSubject, contract: Contract, seed: int = 7) -> None:
        super().__init__(subject, contract, seed)
        self._strict = True
        self._dull = []

    def loss(self, component: Any = None, **changed: Any) -> Any:
        """A callable `(y_true, y_pred, sample_weight=None) -> tensor`: the component, or Keras' wrapper around a function.

        Args:
            component: a loss or function; by default a fresh one, made from the same random seed each time. **changed:
            constructor arguments, such as `reduction="none"`; the wrapper of a function takes `reduction` and `dtype`.
        """
        if component is None:
            keras.utils.set_random_seed(self.seed)
            component = self.make(**({} if self.subject.is_function else changed))
        if isinstance(component, keras.losses.Loss):
            return component
        from kerasmith.keras_internals.compiled import loss_wrapper

        return loss_wrapper()(component, **changed)

    def summing(self) -> Any:
        """A fresh loss that adds up its weighted values, whatever its own reduction is."""
        return _reducing(self.loss(), "sum")

    def free(self) -> Any:
        """A fresh loss that does not reduce."""
        return _reducing(self.loss(), "none")

    def unreduced(self, loss: Any, y_true: Any, y_pred: Any) -> np.ndarray:
        """One value per sample, or finer, as an array: the loss without its reduction.

        Asked of the whole call, so that what a loss does before `call` is seen; one that always reduces is asked for `call`.
        """
        true, pred = to_tensors([y_true, y_pred])
        before = getattr(loss, "reduction", None)
        values = np.array(self.number(_reducing(loss, "none")(true, pred)))
        _reducing(loss, before)
        if values.ndim == 0 and type(loss).__call__ is not keras.losses.Loss.__call__:
            cast = lambda x: ops.convert_to_tensor(x, dtype=loss.dtype)  # noqa: E731
            values = np.array(self.number(loss.call(*keras.tree.map_structure(cast, [true, pred]))))
        return values

    def samples(self, values: np.ndarray) -> np.ndarray:
        """(B,) means of values that may be finer."""
        return values.reshape(len(values), -1).mean(1)

    @functools.cached_property
    def values(self) -> np.ndarray:
        """The unreduced loss of `inputs`."""
        return self.values_of(self.inputs)

    def values_of(self, inputs: dict[str, Any]) -> np.ndarray:
        """The unreduced loss of {"y_true", "y_pred"}, by a fresh component."""
        return self.unreduced(self.loss(), inputs["y_true"], inputs["y_pred"])

    def value(self, loss: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss of arrays as a float (or an array under `reduction="none"`)."""
        weight = None if sample_weight is None else ops.convert_to_tensor(sample_weight)
        value = self.number(loss(*to_tensors([y_true, y_pred]), sample_weight=weight))
        return float(value) if value.ndim == 0 else np.array(value)

    def gradient(self, loss: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[float, Any]:
        """(value, gradient by `y_pred`) of the sum of the loss, in the structure of `y_pred`; None where it is cut."""
        true = to_tensors(y_true)
        weight = None if sample_weight is None else ops.convert_to_tensor(sample_weight)

        def total(*leaves):
            pred = keras.tree.pack_sequence_as(y_pred, list(leaves))
            # What a loss assigns to its variables stays inside: under JAX it is a tracer.
            with keras.StatelessScope() if backend() == "jax" else contextlib.nullcontext():
                return ops.sum(loss(true, pred, sample_weight=weight))

        value, gradients = value_and_gradients(total, keras.tree.flatten(y_pred))
        return value, keras.tree.pack_sequence_as(y_pred, gradients)

    @functools.cached_property
    def slope(self) -> tuple[float, Any]:
        """(value, gradient) of the sum over `inputs`."""
        inputs = self.inputs
        return self.gradient(self.free(), inputs["y_true"], inputs["y_pred"])

    def require_arrays(self) -> None:
        """Ends a check that speaks of one array of labels and one of predictions.

        Raises:
            NotApplicable: for lists and dicts of them.
        """
        if any(isinstance(specs, (dict, list)) for specs in self.specs.values()):
            raise NotApplicable("the inputs are several arrays")

    def require_call(self, text: str = "only a class or instance has one") -> None:
        """Ends a check that does not concern plain functions."""
        if self.subject.is_function:
            raise NotApplicable(text)

    def outputs(self, component: Any) -> list[np.ndarray]:
        return [np.atleast_1d(self.unreduced(self.loss(component), self.inputs["y_true"], self.inputs["y_pred"]))]

    def preferred(self) -> Iterator[Archetype]:
        """First those on which the value depends on both arguments, then, if there are none, those that ran at all."""
        self._strict, self._dull = True, []
        for archetype in archetypes.ordered(self.subject):
            self._now = archetype
            yield archetype
        self._strict = False
        yield from list(self._dull)

    def try_inputs(self, specs: Any) -> None:
        inputs, other = self.inputs, self.draw(1)
        values = self.unreduced(self.loss(), inputs["y_true"], inputs["y_pred"])
        if not np.all(np.isfinite(values)):
            raise ValueError("the value is not finite")
        if self._strict:
            depends = [
                not np.array_equal(values, self.unreduced(self.loss(), **{**inputs, name: other[name]}))
                for name, used in (("y_true", self.contract.uses_y_true), ("y_pred", self.contract.uses_y_pred))
                if used
            ]
            if not all(depends):
                self._dull.append(self._now)
                raise ValueError("the value does not depend on both arguments")


def _reducing(loss, reduction):
    loss.reduction = reduction
    return loss


def owned(loss: Any) -> tuple[list[Any], list[Any]]:
    """([variable], [layer]) that are reachable from the attributes of a loss, or from what a function holds.

    Metrics and their variables are left out: they show a loss, they do not make it.
    """
    places = reached_from(loss, "loss", enter=(keras.losses.Loss, keras.random.SeedGenerator))
    values = [place.value for place in places]
    return [v for v in values if isinstance(v, keras.Variable)], [v for v in values if isinstance(v, keras.layers.Layer)]


def each(function: Callable[..., Any], structure: Any, *others: Any) -> Any:
    """`function` of every array of a structure that may be one array, a list or a dict."""
    return keras.tree.map_structure(function, structure, *others)


def leaves(structure: Any) -> list[Any]:
    """[array] of a structure."""
    return keras.tree.flatten(structure)
