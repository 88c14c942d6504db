"""What an output can reach: by its last activation, by its values on the batch, and by its values on inputs far from it."""

import dataclasses
from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Inconclusive
from kerasmith.checks.engine.lazy_keras import keras, ops

_INFINITE = float("inf")
BOUNDS = {
    "softmax": (0.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "sparse_sigmoid": (0.0, 1.0),
    "sparsemax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "soft_sign": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, _INFINITE),
    "relu6": (0.0, 6.0),
    "softplus": (0.0, _INFINITE),
    "exponential": (0.0, _INFINITE),
    "linear": (-_INFINITE, _INFINITE),
}
# Of these the values far from the batch are asked too: what they are given may itself be limited.
_UNSURE = ("linear", "exponential", "softplus")
# How far the inputs are taken to see what an output of unknown make does.
_FAR = (8.0, -8.0, 64.0)
_CLOSE = 1e-4


@dataclasses.dataclass(frozen=True)
class Head:
    """The range of one output.

    Attributes:
        activation: its last activation, None if unknown.
        low, high: what it can reach; infinite where nothing bounds it, NaN where that is not known.
        seen: (lowest, highest) of its predictions on the batch.
        rows: the axis along which its predictions sum to 1, None if there is none.
        constant: whether the predictions are one and the same number, also far from the batch.
        predicted: its predictions, float64.
        text: how a finding names it.
    """

    activation: str | None
    low: float
    high: float
    seen: tuple[float, float]
    rows: int | None
    constant: bool
    predicted: np.ndarray
    text: str

    @property
    def is_probability(self) -> bool:
        """Whether it cannot leave 0 to 1."""
        return self.low >= 0 and self.high <= 1

    @property
    def is_unbounded(self) -> bool:
        """Whether it is known to go below 0 and above 1 without end, or has been seen there."""
        return self.low == -_INFINITE and self.high == _INFINITE


def head_of(case: Any, output: Any) -> Head:
    """The `Head` of an output, found once."""
    key = f"head {output.index}"
    if key not in case.cache:
        case.cache[key] = _head(case, output)
    return case.cache[key]


def _head(case, output):
    predicted = np.asarray(case.predictions()[output.index], dtype="float64")
    finite = predicted[np.isfinite(predicted)]
    seen = (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)
    activation = output.activation
    low, high = BOUNDS.get(activation, (np.nan, np.nan))
    far = [] if activation in BOUNDS and activation not in _UNSURE else _far(case, output)
    everywhere = np.concatenate([finite, *(values[np.isfinite(values)].ravel() for values in far)])
    if everywhere.size and (activation not in BOUNDS or activation == "linear"):
        low, high = _bounds_by_values(everywhere, linear=activation == "linear", far=bool(far))
    elif far and everywhere.size and activation in _UNSURE and everywhere.max() <= 1:
        high = 1.0  # of a distance, such as exp(-|x|)
    if everywhere.size and (everywhere.min() < low - _CLOSE or everywhere.max() > high + _CLOSE):
        # What follows the activation changes it.
        low, high = np.nan, np.nan
    return Head(
        activation=activation,
        low=low,
        high=high,
        seen=seen,
        rows=_axis_of_ones(predicted, far),
        constant=bool(everywhere.size > 1 and np.ptp(everywhere) == 0),
        predicted=predicted,
        text=_text(output),
    )


def _far(case, output) -> list[np.ndarray]:
    """Predictions of the output on inputs that are stretched; [] where they are no numbers, or the model refuses."""
    if "far" not in case.cache:
        case.cache["far"] = []
        leaves = keras.tree.flatten(case.x)
        if leaves and all(getattr(leaf, "dtype", np.dtype(object)).kind == "f" for leaf in leaves):
            for factor in _FAR:
                stretched = [(factor * np.asarray(leaf)).astype(leaf.dtype) for leaf in leaves]
                try:
                    made = keras.tree.flatten(case.call(keras.tree.pack_sequence_as(case.x, stretched)))
                except Inconclusive:
                    break
                case.cache["far"].append([np.asarray(ops.convert_to_numpy(one), dtype="float64") for one in made])
            # A normalisation behind an activation has other limits while it trains.
            case.cache["far"] += [[np.asarray(one, "float64") for one in case.predictions(training=True)]]
    return [made[output.index] for made in case.cache["far"] if output.index < len(made)]


def _bounds_by_values(values, linear, far):
    """What an output that nothing is known of was seen to reach; a range that holds far away too is taken for its limit."""
    if values.min() < 0 and values.max() > 1 + _CLOSE:
        return -_INFINITE, _INFINITE
    if linear:
        # An affine layer in training goes anywhere; only one that something else limits stays in 0 to 1, or -1 to 1, far away.
        if not far or np.ptp(values) == 0 or np.abs(values).max() > 1 + _CLOSE:
            return -_INFINITE, _INFINITE
        return (0.0 if values.min() >= 0 else -1.0), 1.0
    if not far:
        return np.nan, np.nan
    low = 0.0 if values.min() >= 0 else -1.0 if values.min() >= -1 and values.max() <= 1 else -_INFINITE
    return low, 1.0 if values.max() <= 1 else np.nan if low == 0 else _INFINITE


def _axis_of_ones(predicted, far):
    """The axis along which predictions sum to 1 everywhere."""
    for axis in range(predicted.ndim - 1, 0, -1):
        if predicted.shape[axis] < 2:
            continue
        everywhere = [predicted, *(values for values in far if np.all(np.isfinite(values)))]
        ones = all(np.all(np.abs(np.sum(values, axis=axis) - 1) < 1e-3) for values in everywhere)
        if ones and all(values.min() >= -_CLOSE for values in everywhere):
            return axis
    return None


def _text(output):
    layer = getattr(output.layer, "name", None)
    where = f"layer {layer!r}" if layer else f"output {output.index}"
    return f"{output.activation} of {where}" if output.activation else where
