"""Sample weights of a loss reach each sample."""

import numpy as np

from kerasmith.checks.engine.comparison import REARRANGED, ROUNDED, SUMMED, differ, format_numbers, gap
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase, leaves
from kerasmith.checks.rules.losses.reproducers import callable_loss


@check("L101", "loss", "error", requires=("base", "L104"), since="0.1.0")
def weights_reach_each_sample(case: LossCase) -> None:
    """Sample weights do not multiply each sample's loss.

    `fit(sample_weight=...)`, class weights and weighted data sets train as if there were no weights, or with the wrong
    ones, without a message. Most often `__call__` was overridden and does not hand the weights on, or they are applied to
    something else than the samples.

    Fix: implement `call(self, y_true, y_pred)` and return one value per sample; leave `__call__` to Keras, or hand
    `sample_weight` on to `super().__call__`.
    """
    require_values(case)
    size = len(case.values)
    weights = np.resize([2.0, 1.0, 0.5, 3.0], size).astype("float32")
    right = allowed_sums(case.values, weights)
    if not case.contract.independent:
        return _matter(case, weights)
    if min(gap(plain_sum(case.values), value) for value in right) < 0.01:
        raise Inconclusive("the weighted and the plain loss of these inputs are too near to tell apart")
    return _compare(case, weights, right)


@check("L102", "loss", "error", requires=("base", "L101", "L119"), since="0.1.0")
def weight_zero_deletes(case: LossCase) -> None:
    """A sample of weight 0 still changes the loss or its gradient.

    Weight 0 is how samples are left out: padding, missing labels, the classes of another task. What is left of them pulls at
    the weights of the network in every step.

    Fix: multiply by the weights as they are; where they are divided by, guard the sum of the weights, not each weight.
    """
    require_values(case)
    case.contract.require("independent")
    weights = np.resize([1.0, 0.0], len(case.values)).astype("float32")
    if len(case.values) < 2 or not np.any(case.samples(case.values)[1::2]):
        raise Inconclusive("the deleted samples have no loss in the first place")
    _compare(case, weights, allowed_sums(case.values, weights))
    if not case.contract.exact_gradient:
        return
    inputs, shaped = case.inputs, _shaped(case, weights)
    _, gradient = case.gradient(case.free(), inputs["y_true"], inputs["y_pred"], shaped)
    for whole, part in zip(leaves(case.slope[1]), leaves(gradient)):
        if whole is None or part is None or not np.all(np.isfinite(part)):
            continue
        left = np.max(np.abs(part[1::2]))
        if left > SUMMED.relative * max(np.max(np.abs(whole)), 1e-12):
            raise Failed(
                "gradient 0 by the predictions of samples with weight 0",
                f"up to {left:.4g}; without weights up to {np.max(np.abs(whole)):.4g}",
                [*callable_loss(case), f"print(loss(y_true, y_pred, sample_weight={_text(shaped)}))"],
            )


@check("L103", "loss", "note", requires=("base", "L101"), since="0.1.0")
def weights_of_another_rank(case: LossCase) -> None:
    """Weights of another rank than the values of the loss are laid along the wrong axis.

    Keras multiplies the values of `call` by the weights as NumPy would, last axes first. Where the loss of an image is
    one number, a (B, H, W) weight map meets it along W; where the loss has a value per pixel, (B,) weights meet the last
    axis of the image. With other sizes that fails; where the sizes happen to agree, columns are weighted instead of
    samples, and nothing is said.

    Fix: for weight maps return one value per pixel, or take the weights inside the statistics as `kerasmith.losses` do;
    for (B,) weights return one value per sample.
    """
    require_values(case)
    case.require_arrays()
    spec, values = case.specs["y_pred"], case.values
    if len(spec.shape) < 3 or case.specs["y_true"].shape[: len(spec.shape) - 1] != spec.shape[:-1]:
        raise NotApplicable("labels and predictions are not those of pixels or steps")
    size, fine = len(values), values.ndim > 1
    weights = _telling(values, size)
    given = weights if fine else np.broadcast_to(_column(weights, len(spec.shape) - 1), spec.shape[:-1]).copy()
    inputs = case.inputs
    what = f"weights {given.shape} on values {values.shape}"
    code = f"np.array({weights.tolist()}, 'float32')"
    if not fine:
        code = f"np.broadcast_to({code}.reshape({(size,) + (1,) * (given.ndim - 1)}), {given.shape}).copy()"
    lines = [
        *callable_loss(case),
        f"weight = {code}",
        "print(loss(y_true, y_pred), loss(y_true, y_pred, sample_weight=weight))",
    ]
    right = allowed_sums(values, weights)
    try:
        actual = case.value(case.summing(), inputs["y_true"], inputs["y_pred"], given)
    except Exception as error:
        raise Failed(
            f"{what}: each sample counts by its weight",
            describe_error(error),
            lines,
            title="Weights of single pixels cannot be given"
            if not fine
            else "Weights of whole samples must have an axis per axis",
            fix=None if not fine else "Give weights with as many axes as the loss has, `sample_weight[:, None, None]`.",
        ) from None
    try:
        wrong = float(np.sum(values * given))
    except ValueError:
        return
    if min(gap(wrong, value) for value in [*right, float(np.sum(values))]) < 0.005:
        raise Inconclusive("the right and the wrong axis give nearly the same number on these inputs")
    if not differ(actual, wrong, REARRANGED):
        raise Failed(
            f"{what}: sum {format_numbers(right[0])}",
            f"{format_numbers(actual)}, the sum with the weights along the last axis",
            lines,
        )


def _telling(values, size):
    """(B,) weights for which the sum along the wrong axis is far from the right one, if there is a wrong one."""
    candidates = np.concatenate([np.resize([2.0, 1.0, 0.5, 3.0], size)[None], 1 + 3 * np.eye(size)[: min(size, 8)]]).astype(
        "float32"
    )
    if values.ndim == 1 or values.shape[-1] != size:
        return candidates[0]
    return max(candidates, key=lambda w: min(gap(np.sum(values * w), right) for right in allowed_sums(values, w)))


def require_values(case: LossCase) -> None:
    case.contract.require("per_sample")
    if case.values.ndim == 0:
        raise NotApplicable("the loss is one number for the batch")


def plain_sum(values: np.ndarray) -> float:
    return float(np.sum(values))


def _column(weights, ndim):
    return weights.reshape(-1, *(1,) * (ndim - 1))


def _shaped(case, weights):
    """(B,) weights with as many axes as the values: Keras does not align (B,) with (B, H, W)."""
    return _column(weights, case.values.ndim) if weights.ndim == 1 else weights


def allowed_sums(values: np.ndarray, weights: np.ndarray) -> list[float]:
    """Sums that a right loss may give for weights: their sum, or one of the means when a loss reduces by itself."""
    if weights.ndim < values.ndim:
        weights = _column(weights, values.ndim)
    weights = np.broadcast_to(weights, values.shape).astype("float64")
    total = float(np.sum(weights * values))
    mean = total / values.size
    return [total, mean, total / max(float(np.sum(weights)), 1e-12), float(np.sum(weights * values)) / len(values)]


def _compare(case, weights, right):
    inputs, shaped = case.inputs, _shaped(case, weights)
    actual = case.value(case.summing(), inputs["y_true"], inputs["y_pred"], shaped)
    if all(differ(actual, value, REARRANGED) for value in right):
        raise Failed(
            f"sum of weight * loss {format_numbers(right[0])}, weights {format_numbers(weights)}, "
            f"losses {format_numbers(case.samples(case.values))}",
            format_numbers(actual),
            [
                *callable_loss(case),
                'loss.reduction = "sum"',
                f"print(loss(y_true, y_pred), loss(y_true, y_pred, sample_weight={_text(shaped)}))",
            ],
        )


def _matter(case, weights):
    """Where samples are compared with each other, weights may act inside the statistic: they must act at all."""
    inputs, shaped = case.inputs, _shaped(case, weights)
    plain = case.value(case.summing(), inputs["y_true"], inputs["y_pred"])
    actual = case.value(case.summing(), inputs["y_true"], inputs["y_pred"], shaped)
    if np.any(case.values) and not differ(plain, actual, ROUNDED):
        lines = [*callable_loss(case), f"print(loss(y_true, y_pred), loss(y_true, y_pred, sample_weight={_text(shaped)}))"]
        raise Failed(f"another value with weights {format_numbers(weights)} than without", format_numbers(actual), lines)


def _text(weights):
    return f"np.array({np.round(weights.reshape(-1), 3).tolist()}, 'float32').reshape({weights.shape})"
