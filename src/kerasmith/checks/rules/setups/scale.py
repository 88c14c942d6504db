"""The scale of inputs and of targets."""

from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable, OutOfTime
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.fit_data import leaves_of, map_leaves
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.counterfactual import counterfactual
from kerasmith.checks.rules.setups.frozen import fresh_frozen
from kerasmith.checks.rules.setups.learning import learning
from kerasmith.checks.rules.setups.signals import first_inputs, signals

# Root mean squares of inputs below and above which a layer with the usual first weights is saturated or sees nothing.
_SMALL, _LARGE = 0.02, 15.0
# A spread below this part of the numbers is their rounding.
_ROUNDING = 1e-5
# Standard deviations of columns that differ by more than this are of other units.
_SPREAD = 100.0
# Targets that are so many times larger than what the model says at first, and larger than the numbers that it deals in.
_FAR = 30.0


@check("T161", "setup", "warning", since="0.2.0")
def inputs_are_scaled(case: SetupCase) -> None:
    """The inputs are not scaled: the first trainable layer gets numbers that its weights are not made for.

    Weights are drawn for inputs around 0 with a standard deviation near 1. Pixels from 0 to 255 or columns in other units make
    steps that are too large in some directions and too small in others. It is an error where the set-up does not learn one
    batch, and learns it with standardized inputs and nothing else changed.

    Fix: scale the data before `fit`, `x = x / 255.0` or `StandardScaler().fit_transform(x)` with the numbers of the training
    part; or in the model: `keras.layers.Rescaling(1 / 255)`, `keras.layers.Normalization()` after its `adapt(x)`.
    """
    found = [text for text in map(_too_large, _first(case)) if text]
    if not found:
        return
    _raise(case, found, "numbers with a root mean square near 1", "x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-7)")


@check("T162", "setup", "warning", requires=("base", "T161"), since="0.2.0")
def inputs_are_not_scaled_twice(case: SetupCase) -> None:
    """The inputs are scaled twice, or to next to nothing: the first trainable layer gets numbers that are nearly the same.

    Division by 255 in the data and a `Rescaling` or the preprocessing of an application in the model make pixels of 0 to
    0.004; pixels between -1 and 1 that are centred once more all lie near -1. All samples then look alike. It is an error
    where the set-up does not learn one batch, and learns it with standardized inputs and nothing else changed.

    Fix: keep one of the two scalings: take it out of the data, or out of the model.
    """
    if any(isinstance(signal.layer, keras.layers.Embedding) for signal in signals(case)):
        raise NotApplicable("the model has embeddings, which begin small")
    if fresh_frozen(case):
        raise NotApplicable("frozen layers with fresh weights stand in front: T176 tells of them")
    found = [text for text in map(_too_small, _first(case)) if text]
    if not found:
        return
    _raise(case, found, "numbers with a standard deviation near 1", "print(x.min(), x.max(), x.std())")


def _first(case):
    found = [signal for signal in first_inputs(case) if signal.inputs[0].size and np.isfinite(signal.inputs[0]).all()]
    if not found:
        raise NotApplicable("no trainable layer with a kernel gets finite numbers")
    return found


def _too_large(signal) -> str | None:
    x = signal.inputs[0]
    size = float(np.sqrt(np.mean(np.square(x, dtype="float64"))))
    text = f"`{signal.name}` gets {_range(x)}"
    if size > _LARGE:
        return text
    if x.ndim == 2 and len(x) >= 8:
        spread = x.std(axis=0)
        moving = spread[spread > 0]
        if len(moving) > 1 and moving.max() / moving.min() > _SPREAD and moving.max() > 3:
            low, high = int(np.argmin(np.where(spread > 0, spread, np.inf))), int(np.argmax(spread))
            return f"{text}; column {high} has a standard deviation of {spread[high]:.3g}, column {low} of {spread[low]:.2g}"
    return None


def _too_small(signal) -> str | None:
    x = signal.inputs[0]
    size, spread = float(np.sqrt(np.mean(np.square(x, dtype="float64")))), float(np.std(x, dtype="float64"))
    # Beside an offset, too: pixels from -1 to 1 that are centred once more are all near -1.
    is_small = 0 < size < _SMALL or _ROUNDING * size < spread < _SMALL
    return f"`{signal.name}` gets {_range(x)}" if is_small else None


def _range(x: np.ndarray) -> str:
    return f"numbers from {x.min():.4g} to {x.max():.4g}, mean {x.mean():.3g}, standard deviation {x.std():.3g}"


def _raise(case, found, expected, line):
    cured = ""
    if all(np.asarray(leaf).dtype.kind in "biuf" for leaf in leaves_of(case.x)):
        cured = counterfactual(
            case, ("standardized inputs", "with standardized inputs", lambda: {"scale_x": standardizer(case.x)})
        )
    raise Failed(expected, "; ".join(found) + cured, [line], severity="error" if cured else None, place=case.place("fit"))


def standardizer(x: Any) -> Any:
    """`(x) -> x` with mean 0 and standard deviation 1 for each column of a table, over all pixels and steps otherwise."""

    def moments(leaf):
        leaf = np.asarray(leaf, "float64")
        axes = 0 if leaf.ndim <= 2 else tuple(range(leaf.ndim - 1))
        mean, spread = leaf.mean(axis=axes), leaf.std(axis=axes)
        return mean, np.where(spread > 0, spread, 1.0)

    known = [moments(leaf) for leaf in leaves_of(x)]

    def scale(nest):
        rest = iter(known)

        def one(leaf):
            mean, spread = next(rest)
            return ((np.asarray(leaf, "float64") - mean) / spread).astype("float32")

        return map_leaves(one, nest)

    return scale


@check("T163", "setup", "warning", requires=("base", "T161"), since="0.2.0")
def targets_have_the_scale_of_outputs(case: SetupCase) -> None:
    """The targets are far from the numbers that the model gives: it spends its training on getting there.

    A linear output begins near 0. Prices of 300 000 give a loss of 1e11 and gradients to match; targets of 1e-4 are met by a
    constant. It is an error where the set-up does not learn one batch, and learns it with standardized targets and nothing
    else changed.

    Fix: train on `(y - y.mean()) / y.std()` of the training part, or on `np.log1p(y)`, and turn predictions back; or start
    the last layer there: `keras.layers.Dense(1, bias_initializer=keras.initializers.Constant(y.mean()))`.
    """
    found = []
    for output, predicted in zip(case.outputs, case.predictions()):
        y = output.y_true
        if (
            output.loss is None
            or output.activation not in ("linear", "relu", "softplus", None)
            or not _is_target(y, predicted)
        ):
            continue
        largest, given = float(np.abs(y).max()), float(np.abs(predicted).max())
        spread = float(np.std(y))
        if largest > _FAR * max(given, 1.0):
            found.append(
                (
                    output,
                    f"`y` of {output.name!r} goes from {y.min():.4g} to {y.max():.4g}, the outputs are at most {given:.3g}",
                )
            )
        elif 0 < spread < 1e-3 and largest < 1e-2:
            found.append((output, f"`y` of {output.name!r} goes from {y.min():.3g} to {y.max():.3g}: no answer is far off"))
    if not found:
        return
    actual, severity = "; ".join(text for _, text in found), None
    if len(case.outputs) == 1 and not isinstance(case.y, (dict, list, tuple)):
        try:
            trained = learning(case)
            if trained.fails:
                x, y, weight = trained.batch
                curve = trained.train("standardized targets", batch=(x, _standard(y), weight))
                reference = 1.0 if np.isnan(trained.reference) else float(curve.losses[0])
                if np.isfinite(curve.end) and curve.end < 0.8 * reference:
                    severity = "error"
                    actual += f". One batch is not learned: the loss goes {trained.base}; with standardized targets {curve}"
        except (Inconclusive, OutOfTime):
            pass
    raise Failed(
        "targets near the outputs in size",
        actual,
        ["print(y.min(), y.max(), model.predict(x[:8]))"],
        severity=severity,
        place=case.place("fit"),
    )


def _is_target(y: Any, predicted: np.ndarray) -> bool:
    if not isinstance(y, np.ndarray) or y.dtype.kind not in "iuf" or y.size != predicted.size or not np.isfinite(y).all():
        return False
    return len(np.unique(y)) > 2 and bool(np.isfinite(predicted).all())


def _standard(y: np.ndarray) -> np.ndarray:
    y = y.astype("float64")
    return ((y - y.mean(axis=0)) / (y.std(axis=0) + 1e-12)).astype("float32")
