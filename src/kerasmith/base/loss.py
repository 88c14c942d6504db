"""The base of every loss: sees weights and masks before the reduction, and returns one value per sample."""

from typing import Any, ClassVar, NamedTuple, Self

import keras
import numpy as np
from keras import ops, tree

from kerasmith import _moved
from kerasmith._types import DType, Reduction, Tensor
from kerasmith.base.algebra import Algebra
from kerasmith.base.arguments import check_choice
from kerasmith.base.configured import Configured, snake_case
from kerasmith.base.label_message import tell_of_wrong_labels
from kerasmith.base.loss_node import LossNode, has_placeholders
from kerasmith.base.reduction import REDUCTIONS, reduce_samples
from kerasmith.base.weights import Weights, split_sample_weight
from kerasmith.distribution import display_global_value, global_value, replica_count
from kerasmith.keras_internals.layers import is_in_layer_call
from kerasmith.keras_internals.shape_inference import clean_retry
from kerasmith.keras_internals.surviving_variables import variables_put_back
from kerasmith.keras_internals.tensors import keras_mask
from kerasmith.keras_internals.traced_batch import computed_now, traced_labels
from kerasmith.labels.label_watch import watch_labels
from kerasmith.numerics.inputs import as_tensor
from kerasmith.numerics.tensors import accumulation_dtype, static_shape


class _PerSample(NamedTuple):
    values: Any
    weight_mean: Any = None


class PerSample(_PerSample):
    """What a loss computes: (B,) values, and the (B,) mean pixel weight inside them (None for 1)."""

    __slots__ = ()

    def __new__(cls, values: Tensor, weight_mean: Tensor | None = None, *, mass: Tensor | None = None) -> Self:
        if mass is not None:
            _moved.warn("PerSample(mass=...)", "PerSample(weight_mean=...)")
            weight_mean = mass
        return super().__new__(cls, values, weight_mean)


class LossTerm(NamedTuple):
    """One named, weighted summand of a loss."""

    name: str
    factor: float
    per_sample: PerSample


class Loss(Algebra, Configured, keras.losses.Loss):
    """Base class of losses that reduce to one value per sample, (B,), before weights of samples are applied.

    A subclass implements `per_sample` (one value) or `terms` (a weighted sum of named values). A family that reads labels and
    predictions in one way implements `read`, whose results both get in place of y_true and y_pred. Constructor arguments and
    `dtype` survive `get_config` by themselves; see `Configured`. Losses add up: `0.3 * a + b`, see `WeightedSum`.

    Args:
        reduction: "sum_over_batch_size" (or "mean"): sum(w * l) / B; "sum"; "mean_with_sample_weight":
            sum(w * l) / sum(w); "none" or None: w * l, shape (B,).
        name: name of the loss.
        dtype: dtype of inputs and result. Sums are taken in float32 at least.

    Example:

    >>> class Absolute(Loss):
    ...     def per_sample(self, y_true, y_pred, weights):
    ...         return PerSample(ops.mean(ops.abs(y_true - y_pred), axis=-1))
    >>> float(Absolute()([[0.0, 2.0]], [[1.0, 1.0]]))
    1.0
    """

    # Whether labels and predictions are one array each; a loss of the user's may read several.
    _reads_one_array: ClassVar[bool] = False
    _old_hooks: ClassVar[dict[str, str]] = {"parts": "terms"}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _moved.keep_old_methods(cls, cls._old_hooks)

    def __init__(self, *, reduction: Reduction = "sum_over_batch_size", name: str | None = None, dtype: DType = None) -> None:
        check_choice("reduction", reduction, REDUCTIONS)
        super().__init__(name=name or snake_case(type(self).__name__), reduction=reduction, dtype=dtype)
        self.trackers: tuple[keras.metrics.Mean, ...] = ()

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """The reduced loss.

        Args:
            y_true: labels.
            y_pred: predictions; a Keras mask attached to them is honoured. Where labels or predictions are placeholders
                (`KerasTensor`s), the loss becomes a node of the functional model.
            sample_weight: a scalar, (B,), (B, *spatial) or (B, *spatial, 1); where a loss has several targets, also one
                weight for each of them.
        """
        if has_placeholders(y_true, y_pred, sample_weight):
            return LossNode(self)(y_true, y_pred, sample_weight)
        self._check_place()
        with clean_retry():
            return self._reduced(y_true, y_pred, sample_weight)

    def _check_place(self):
        """Refuses what Keras would add up wrongly."""
        if self.reduction in ("none", None) or keras.backend.backend() != "tensorflow":
            return
        if is_in_layer_call() and replica_count() > 1:
            # A sum over replicas lets another replica's thread run, which empties and fills the same list of added losses.
            raise ValueError(
                f"{type(self).__name__} is called inside of a layer under a tf.distribute strategy, where Keras mixes up what "
                'the replicas give to `add_loss`. Make the loss with reduction="none" and write '
                "`self.add_loss(ops.mean(loss(y_true, y_pred)))`, which is the mean over replicas; or train on an `Objective` "
                "with a `Tap`, which is exact."
            )

    def _reduced(self, y_true, y_pred, sample_weight):
        reduced = []
        for term, weights in self.weighted_terms(y_true, y_pred, sample_weight):
            values, weight_mean = term.per_sample
            sample, valid = weights.sample, weights.valid_sample
            value = reduce_samples(values, self.reduction, weight=sample, weight_mean=weight_mean, valid=valid)
            reduced.append((value, term.factor))
        self._track([value for value, _ in reduced], y_pred)
        total = self._total(reduced)
        # A replica's share of the sum over all samples: Keras shows a mean over replicas, weighted by their samples.
        return total if self.reduction in ("none", None) else display_global_value(total)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The unreduced loss, (B,)."""
        return self._total([(term.per_sample.values, term.factor) for term, _ in self.weighted_terms(y_true, y_pred)])

    def _total(self, pairs):
        """The sum of (value, factor) pairs, whatever the dtypes of the values."""
        dtype, total = accumulation_dtype(self.dtype), None
        for value, factor in pairs:
            value = ops.cast(value, dtype)
            value = value if factor == 1.0 else value * factor
            total = value if total is None else total + value
        return ops.cast(total, self.dtype)

    def weighted_terms(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> list[tuple[LossTerm, Weights]]:
        """Pairs of `LossTerm` and the `Weights` that are still to be applied to its samples."""
        y_true, y_pred, weights = self._sorted(y_true, y_pred, sample_weight)
        with watch_labels(owner=self, sample=weights.effective_sample) as watch:
            terms = self.terms(*self.read(y_true, y_pred, weights), weights)
        if watch.doubts:
            self._check_traced_batch(y_true, y_pred)
            zero = tell_of_wrong_labels(self, watch)
            terms = [term._replace(per_sample=_poisoned(term.per_sample, watch, zero)) for term in terms]
        return [(term, weights) for term in terms]

    def _sorted(self, y_true, y_pred, sample_weight):
        """Labels and predictions as tensors, and their `Weights`."""
        mask = keras_mask(y_pred)
        convert = as_tensor if self._reads_one_array else _to_tensors
        y_true, y_pred = convert(y_true, "y_true"), convert(y_pred, "y_pred", self.dtype)
        shape, dtype, targets = self.weight_shape(y_pred), accumulation_dtype(self.dtype), self.target_shape(y_pred)
        weights = split_sample_weight(sample_weight, mask, shape, dtype, axis=getattr(self, "axis", -1), targets=targets)
        return y_true, y_pred, self.without_missing(y_true, y_pred, weights)

    def _check_traced_batch(self, y_true, y_pred):
        """Raises the error of labels in the first batch, which JAX has while it traces the step."""
        if keras.backend.backend() != "jax" or tree.is_nested(y_true) or tree.is_nested(y_pred):
            return
        batch = traced_labels(y_true)
        if batch is not None:
            with variables_put_back(), computed_now():
                prediction = np.zeros(y_pred.shape, keras.backend.standardize_dtype(y_pred.dtype))
                self._check_labels(batch[0], prediction, batch[1])

    def _check_labels(self, y_true, y_pred, sample_weight):
        """Raises the error of wrong labels, whose values can be read."""
        self.weighted_terms(y_true, y_pred, sample_weight)

    def without_missing(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> Weights:
        """`Weights` in which targets that are missing do not count; here none can be."""
        return weights

    def read(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> tuple[Any, ...]:
        """What `terms` and `per_sample` get in front of the weights, a tuple: here labels and predictions as they are."""
        return y_true, y_pred

    def terms(self, *inputs: Any) -> list[LossTerm]:
        """The summands of this loss, a list of `LossTerm`, from (*what `read` returns, weights)."""
        return [LossTerm(self.name, 1.0, self.per_sample(*inputs))]

    def per_sample(self, *inputs: Any) -> PerSample:
        """The loss of each sample as `PerSample`; takes what `terms` takes.

        `weights.pixel` and `weights.valid_pixel` belong inside, the base applies the weights of whole samples.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `per_sample` or `terms`.")

    def weight_shape(self, y_pred: Tensor) -> tuple[int | None, ...]:
        """Static (batch, *spatial): the shape of weights that speak of single pixels."""
        return static_shape(y_pred, "y_pred")[:-1]

    def target_shape(self, y_pred: Tensor) -> tuple[int | None, ...] | None:
        """Static shape of weights that speak of single targets, of which a sample or pixel has several; None if none may."""
        return None

    @property
    def term_names(self) -> tuple[str, ...] | None:
        """Names of the summands that are shown on their own; () for a loss of one term, None if only a call tells how many."""
        return ()

    def track_terms(self, prefix: str = "") -> tuple[keras.metrics.Mean, ...]:
        """Creates and returns one `keras.metrics.Mean` per term, fed by every call from now on."""
        self.trackers = tuple(keras.metrics.Mean(name=prefix + name) for name in self.term_names or ())
        return self.trackers

    def _track(self, terms, y_pred):
        if self.trackers and self.reduction not in ("none", None):
            batch = ops.shape(tree.flatten(y_pred)[0])[0]
            for tracker, term in zip(self.trackers, terms, strict=True):
                tracker.update_state(global_value(term), sample_weight=batch)


def _to_tensors(x, what, dtype=None):
    """Tensors in the structure of `x`; a list of plain numbers is one tensor, a list of arrays is a list of tensors."""
    if not tree.is_nested(x) or not any(hasattr(leaf, "shape") for leaf in tree.flatten(x)):
        return as_tensor(x, what, dtype)
    return tree.map_structure(lambda leaf: as_tensor(leaf, what, dtype), x)


def _poisoned(per_sample, watch, zero):
    """`PerSample` with NaN where labels are outside of their domain and no error could say so."""
    return per_sample._replace(values=watch.poison(per_sample.values, zero))
