"""The shapes that a loss takes and gives: one value per sample, nothing broadcast across samples."""

import numpy as np

from kerasmith.checks.engine.comparison import REARRANGED, ROUNDED, differ, format_numbers
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase, each, leaves
from kerasmith.checks.rules.losses.reproducers import callable_loss, unreduced_loss


@check("L104", "loss", "error", requires=("base", "L105"), since="0.1.0")
def one_value_per_sample(case: LossCase) -> None:
    """The loss is not one value per sample.

    `call` must return (B,) values, or finer ones. A mean inside `call` gives one number for the batch: sample weights, class
    weights and masks then change nothing or scale everything, the last, smaller batch counts as much as a full one, and two
    replicas step twice as far.

    Fix: reduce over all axes but the first, `ops.mean(..., axis=-1)`; Keras takes the mean over the samples. If one
    number for the batch is what you want, declare `per_sample=False`.
    """
    case.contract.require("per_sample")
    inputs = case.inputs
    size = case.batch
    others = [n for array in _arrays(inputs) for n in array.shape[1:]]
    if size in others:
        # Another axis of the same length must not pass for the batch.
        size = next(n for n in range(case.batch + 1, case.batch + 20) if n not in others)
        inputs = case.draw(0, size)
    values = case.values_of(inputs) if size != case.batch else case.values
    if values.ndim == 0 or len(values) != size:
        what = "one number" if values.ndim == 0 else f"shape {values.shape}"
        raise Failed(
            f"{size} values for {size} samples, shape ({size}, ...)",
            f"{what}, {format_numbers(values)}",
            [*(_redrawn(case, size) if size != case.batch else ()), *unreduced_loss(case), "print(loss(y_true, y_pred))"],
            **_of_the_whole(case, inputs, values),
        )


def _of_the_whole(case, inputs, values):
    """A number of the whole batch that no values of samples add up to, such as a correlation, may be meant: a question."""
    if values.ndim:
        return {}
    try:
        parts = [{name: each(lambda a, i=i: a[i : i + 1], array) for name, array in inputs.items()} for i in range(case.batch)]
        alone = [float(np.mean(case.values_of(part))) for part in parts]
    except Exception:  # samples that cannot stand alone are compared with others
        return {"severity": "warning", "fix": _WHOLE}
    if not all(np.isfinite(alone)):
        return {"severity": "warning", "fix": _WHOLE}
    if any(not differ(float(values), whole, REARRANGED) for whole in (np.mean(alone), np.sum(alone))):
        return {}
    return {"severity": "warning", "fix": _WHOLE}


_WHOLE = (
    "Declare `per_sample=False` if one number for the batch is meant; sample weights and replicas then mean something else. "
    "Reduce over all axes but the first if it is not."
)


@check("L105", "loss", "error", since="0.1.0")
def broadcast_across_samples(case: LossCase) -> None:
    """Labels and predictions of different rank are broadcast: each prediction meets the labels of other samples.

    (B,) labels against (B, 1) predictions become (B, B) values, (B,) class numbers against (B, C) predictions meet along the
    classes where B equals C, and class numbers (..., 1) are compared with every channel as if they were values. The loss is
    computed, falls, and means nothing.

    Fix: bring both to one shape first, `y_true = ops.reshape(y_true, ops.shape(y_pred))`, or turn class numbers into one-hot
    labels; raise an error for anything else.
    """
    case.require_arrays()
    true, pred = case.specs["y_true"].shape, case.specs["y_pred"].shape
    if len(true) == len(pred):
        return _ids_as_values(case, true, pred)
    if len(true) > len(pred):
        raise NotApplicable("the labels have more axes than the predictions")
    met = pred[len(pred) - len(true)]
    batch = case.batch if met == 1 else met
    if met != 1:
        if met != case.batch:
            # It ran, though nothing could be broadcast: the ranks differ on purpose.
            return None
        try:
            case.values_of(case.draw(0, batch + 1))
        except Exception:  # what a broadcast does with sizes that do not agree
            pass
        else:
            return None
    inputs = case.draw(0, batch)
    whole = case.values_of(inputs)
    alone = [case.values_of({name: array[i : i + 1] for name, array in inputs.items()}) for i in (0, batch - 1)]
    if whole.ndim == 0 or len(whole) != batch:
        return None
    together = [float(np.mean(whole[i])) for i in (0, batch - 1)]
    single = [float(np.mean(value)) for value in alone]
    if differ(together, single, REARRANGED):
        raise Failed(
            f"{format_numbers(single[0])} for the first sample, as it is alone",
            f"{format_numbers(together[0])} with {batch - 1} others; labels {(batch, *true[1:])}, "
            f"predictions {(batch, *pred[1:])}",
            [
                *(_redrawn(case, batch) if batch != case.batch else ()),
                *unreduced_loss(case),
                "print(loss(y_true[:1], y_pred[:1]))",
                "print(loss(y_true, y_pred)[0])",
            ],
        )
    return None


@check("L133", "loss", "warning", requires=("base", "L104"), since="0.1.0")
def labels_without_last_axis(case: LossCase) -> None:
    """Labels (B,) against predictions (B, 1) are silently broadcast to (B, B).

    Keras repairs these shapes for its own losses and for plain functions, not for a class that derives from `Loss`: with
    labels as `fit` often gets them, each prediction is compared with the labels of all samples.

    Fix: begin `call` with `y_true = ops.reshape(y_true, ops.shape(y_pred))`, or raise an error that names both shapes.
    """
    case.require_call("Keras repairs the shapes for a function")
    case.contract.require("per_sample")
    case.require_arrays()
    true, pred = case.specs["y_true"].shape, case.specs["y_pred"].shape
    # Inputs that nobody declared may as well have one column.
    cut = case.archetype is not None and len(pred) == 2 and case.specs["y_pred"].domain != ("simplex",)
    if true != pred or len(pred) != 2 or (pred[-1] != 1 and not cut):
        raise NotApplicable("predictions have another shape than (B, 1)")
    column = {name: array[:, :1] for name, array in case.inputs.items()}
    right = case.values_of(column)
    try:
        flat = case.unreduced(case.loss(), column["y_true"][:, 0], column["y_pred"])
    except Exception:  # refused, as it should be
        return
    if flat.ndim == 0:
        return
    if differ(case.samples(flat), case.samples(right), REARRANGED):
        lines = ["y_true, y_pred = y_true[:, :1], y_pred[:, :1]"] if pred[-1] != 1 else []
        raise Failed(
            f"{format_numbers(case.samples(right))}, or an error that names the shapes",
            format_numbers(case.samples(flat)),
            [*lines, *callable_loss(case), "print(loss(y_true, y_pred), loss(y_true[:, 0], y_pred))"],
        )


def _ids_as_values(case, true, pred):
    """Class numbers (..., 1) against (..., C) probabilities: a loss that compares them must know the channels apart."""
    labels, domain = case.specs["y_true"].domain, case.specs["y_pred"].domain
    is_ids = labels is not None and labels[0] == "integers" and labels[1] >= 0 and labels[2] >= 2
    if true[:-1] != pred[:-1] or true[-1] != 1 or pred[-1] == 1 or not is_ids or domain != ("simplex",):
        raise NotApplicable("labels and predictions have the same rank")
    inputs = case.inputs
    rolled = case.values_of({**inputs, "y_pred": np.roll(inputs["y_pred"], 1, axis=-1)})
    if not differ(case.values_of({**inputs, "y_true": case.draw(1)["y_true"]}), case.values):
        raise Inconclusive("the value does not depend on the labels")
    if not differ(rolled, case.values, ROUNDED):
        raise Failed(
            "another value when the predictions of the classes change places",
            f"{format_numbers(np.mean(case.values))} in either case: each class number is compared with every channel",
            [*callable_loss(case), "print(loss(y_true, y_pred), loss(y_true, np.roll(y_pred, 1, axis=-1)))"],
        )


def _arrays(inputs):
    return [array for structure in inputs.values() for array in leaves(structure)]


def _redrawn(case, size):
    """[line] that draws other inputs of `size` samples in a reproducer."""
    specs = {name: case.specs[name] for name in ("y_true", "y_pred")}
    if any(isinstance(value, (dict, list)) for value in specs.values()):
        raise Inconclusive("the inputs are several arrays, of which one has the length of the batch on another axis")
    return [f"{name} = {spec.with_batch(size).code(case.seed_of(name))}" for name, spec in specs.items()]
