"""The base of every loss: sees weights and masks before the reduction, and returns one value per sample."""

from typing import Any, NamedTuple

import keras
from keras import ops, tree

from kerasmith.base.algebra import Algebra
from kerasmith.base.arguments import check_choice
from kerasmith.base.configured import Configured
from kerasmith.base.names import snake_case
from kerasmith.base.reduction import REDUCTIONS, global_value, reduce_samples
from kerasmith.base.weights import sort_weights
from kerasmith.numerics.tensors import accumulation_dtype, keras_mask, static_shape


class PerSample(NamedTuple):
    """What a loss computes: (B,) values, and the (B,) mean pixel weight inside them (None for 1)."""

    values: Any
    mass: Any = None


class Part(NamedTuple):
    """One named, weighted summand of a loss."""

    name: str
    factor: float
    per_sample: PerSample


class Loss(Algebra, Configured, keras.losses.Loss):
    """Base class of losses that reduce to one value per sample, (B,), before weights of samples are applied.

    A subclass implements `per_sample` (one value) or `parts` (a weighted sum of named values). Constructor arguments and
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

    def __init__(self, *, reduction="sum_over_batch_size", name=None, dtype=None):
        check_choice("reduction", reduction, REDUCTIONS)
        super().__init__(name=name or snake_case(type(self).__name__), reduction=reduction, dtype=dtype)
        self.trackers = ()

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The reduced loss.

        Args:
            y_true: labels.
            y_pred: predictions; a Keras mask attached to them is honoured.
            sample_weight: a scalar, (B,), (B, *spatial) or (B, *spatial, 1).
        """
        terms = []
        for part, weights in self.weighted_parts(y_true, y_pred, sample_weight):
            values, mass = part.per_sample
            term = reduce_samples(values, self.reduction, weight=weights.sample, mass=mass, valid=weights.valid_sample)
            terms.append((term, part.factor))
        self._track([term for term, _ in terms], y_pred)
        return self._total(terms)

    def call(self, y_true, y_pred):
        """The unreduced loss, (B,)."""
        parts = self.weighted_parts(y_true, y_pred)
        return self._total([(part.per_sample.values, part.factor) for part, _ in parts])

    def _total(self, terms):
        """The sum of (value, factor) pairs, whatever the dtypes of the values."""
        dtype, total = accumulation_dtype(self.dtype), None
        for value, factor in terms:
            value = ops.cast(value, dtype)
            value = value if factor == 1.0 else value * factor
            total = value if total is None else total + value
        return ops.cast(total, self.dtype)

    def weighted_parts(self, y_true, y_pred, sample_weight=None):
        """Pairs of `Part` and the `Weights` that are still to be applied to its samples."""
        mask = keras_mask(y_pred)
        y_true, y_pred = _to_tensors(y_true), _to_tensors(y_pred, self.dtype)
        weights = sort_weights(sample_weight, mask, self.weight_shape(y_pred), accumulation_dtype(self.dtype))
        return [(part, weights) for part in self.parts(y_true, y_pred, weights)]

    def parts(self, y_true, y_pred, weights):
        """The summands of this loss, a list of `Part`."""
        return [Part(self.name, 1.0, self.per_sample(y_true, y_pred, weights))]

    def per_sample(self, y_true, y_pred, weights):
        """The loss of each sample as `PerSample`; `weights.pixel` and `weights.valid_pixel` belong inside."""
        raise NotImplementedError(f"{type(self).__name__} must implement `per_sample` or `parts`.")

    def weight_shape(self, y_pred):
        """Static (batch, *spatial): the shape of weights that speak of single pixels."""
        return static_shape(y_pred, "y_pred")[:-1]

    @property
    def term_names(self):
        """Names of the summands that are shown on their own; () for a loss of one term, None if only a call tells how many."""
        return ()

    def track_terms(self, prefix=""):
        """Creates and returns one `keras.metrics.Mean` per term, fed by every call from now on."""
        self.trackers = tuple(keras.metrics.Mean(name=prefix + name) for name in self.term_names or ())
        return self.trackers

    def _track(self, terms, y_pred):
        if self.trackers and self.reduction not in ("none", None):
            batch = ops.shape(tree.flatten(y_pred)[0])[0]
            for tracker, term in zip(self.trackers, terms, strict=True):
                tracker.update_state(global_value(term), sample_weight=batch)


def _to_tensors(x, dtype=None):
    """Tensors in the structure of `x`; a list of plain numbers is one tensor, a list of arrays is a list of tensors."""
    if not any(hasattr(leaf, "shape") for leaf in tree.flatten(x)):
        return ops.convert_to_tensor(x, dtype=dtype)
    return tree.map_structure(lambda leaf: ops.convert_to_tensor(leaf, dtype=dtype), x)
