"""What a loss makes of the batch around a sample: other samples, other sizes, other replicas."""

import numpy as np

from kerasmith.checks.engine.comparison import differ, format_numbers
from kerasmith.checks.engine.finding import Failed, Inconclusive
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase, each, leaves
from kerasmith.checks.rules.losses.reproducers import unreduced_loss


@check("L119", "loss", "warning", requires=("base", "L104"), since="0.1.0")
def other_samples(case: LossCase) -> None:
    """The loss of a sample depends on the other samples of its batch.

    What a sample contributes then changes with the shuffling and the batch size, sample weights cannot delete it, and two
    replicas compute something else than one device. Usual causes: a mean, a maximum or a softmax over axis 0.

    Fix: compute over all axes but the first. If comparing samples is what the loss is for (contrastive losses), declare
    `independent=False`.
    """
    case.contract.require("independent")
    case.contract.require("per_sample")
    if case.batch < 2:
        raise Inconclusive("one sample has no others")
    inputs, other = case.inputs, case.draw(1)
    mixed = {name: each(lambda a, b: np.concatenate([a[:1], b[1:]]), inputs[name], other[name]) for name in inputs}
    changed = case.values_of(mixed)
    if not differ(case.samples(changed)[1:], case.samples(case.values)[1:]):
        raise Inconclusive("other samples have the same loss")
    if differ(case.values[0], changed[0]):
        raise Failed(
            f"{format_numbers(np.mean(case.values[0]))} for the first sample, whatever the others are",
            f"{format_numbers(np.mean(changed[0]))} with {case.batch - 1} others in its batch",
            [*unreduced_loss(case), "print(loss(y_true, y_pred)[0])", *_mixed_lines(case), "print(loss(y_true, y_pred)[0])"],
        )


@check("L120", "loss", "error", requires=("base", "L119"), since="0.1.0")
def other_batch_size(case: LossCase) -> None:
    """The loss of a sample changes with the number of samples, or only one number works.

    The last batch of an epoch is smaller, `evaluate` uses another size, and replicas get shares of a batch. A size that
    is given once, or read from the first batch, scales those wrongly or fails there.

    Fix: ask the tensor, `ops.shape(y_pred)[0]`, or better: return one value per sample and let Keras take the mean.
    """
    case.contract.require("per_sample")
    if case.batch < 2:
        raise Inconclusive("one sample cannot be fewer")
    fewer = max(case.batch - 1, 2) if case.batch > 2 else 1
    part = {name: each(lambda a: a[:fewer], array) for name, array in case.inputs.items()}
    cut = f"print(loss(y_true, y_pred)[:{fewer}], loss(y_true[:{fewer}], y_pred[:{fewer}]))"
    try:
        values = case.values_of(part)
    except Exception as error:
        raise Failed(f"runs with {fewer} samples as with {case.batch}", describe_error(error), [cut]) from None
    if not case.contract.independent:
        return
    if differ(values, case.values[:fewer]):
        raise Failed(
            f"{format_numbers(case.samples(case.values[:fewer]))} for the first {fewer} samples",
            f"{format_numbers(case.samples(values))} when they are a batch of {fewer} instead of {case.batch}",
            [*unreduced_loss(case), cut],
        )


def _mixed_lines(case):
    """[lines] that replace all samples but the first one in a reproducer."""
    lines = []
    for name in ("y_true", "y_pred"):
        spec = case.specs[name]
        if len(leaves(case.inputs[name])) > 1 or isinstance(spec, (dict, list)):
            continue
        lines.append(f"{name}[1:] = {spec.code(case.seed_of(name, 1))}[1:]")
    return lines
