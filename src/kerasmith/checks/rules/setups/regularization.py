"""Dropout, batch normalization and penalties."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.fit_data import cut
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.changes import is_dropout, without_dropout, without_penalties
from kerasmith.checks.rules.setups.counterfactual import counterfactual
from kerasmith.checks.rules.setups.learning import learning, samples_of, trial, weight_penalty
from kerasmith.checks.rules.setups.signals import signals

# A penalty that is so many times the loss rules the training; a rate of dropout above which little is left.
_PENALTY, _DROPPED = 2.0, 0.7


@check("T191", "setup", "warning", since="0.2.0")
def nothing_is_dropped_from_the_output(case: SetupCase) -> None:
    """Dropout acts on the output itself: in training parts of each prediction are 0, and the loss takes them for answers.

    The classes of a softmax no longer sum to 1, the right one is 0 in a share of the samples, and its logarithm is cut
    at an epsilon. It is an error for probabilities.

    Fix: put the dropout before the last layer.
    """
    last = signals(case)[-1:] and [signal for signal in signals(case) if signal.layer is not None][-1:]
    usual, training = case.predictions(), case.predictions(training=True)
    for output, a, b in zip(case.outputs, usual, training):
        if a.shape != b.shape or a.dtype.kind != "f" or a.size < 8 or output.loss is None:
            continue
        lost = float(np.mean((b == 0) & (a != 0)))
        scaled = (b != 0) & (a != 0)
        if lost < 0.02 or not scaled.any():
            continue
        ratio = b[scaled] / a[scaled]
        is_dropped = (bool(last) and is_dropout(last[-1].layer)) or float(np.std(ratio)) < 0.05 * abs(float(np.mean(ratio)))
        if not is_dropped:
            continue
        is_probability = output.activation in ("softmax", "sigmoid") or (a.min() >= 0 and a.max() <= 1)
        raise Failed(
            f"the output {output.name!r} of the last layer, whole",
            f"{lost:.0%} of its numbers are 0 in training, the others {np.mean(ratio):.2f} times what they are",
            ["print(model(x[:4], training=True))"],
            severity="error" if is_probability else None,
            place=case.place("compile"),
        )


@check("T192", "setup", "error", since="0.2.0")
def batch_normalization_has_a_batch(case: SetupCase) -> None:
    """Batch normalization gets batches of one sample: in training its output is the same for every sample.

    It subtracts the mean of the batch, which is the sample itself. Nothing of the data is left behind it while training, and
    at inference, with moving statistics, something else comes out. With two to four samples the output is mostly noise.

    Fix: a batch size of 16 and more; `LayerNormalization` or `GroupNormalization` do not look at the batch. Where the last
    batch of an epoch has one sample: `drop_remainder=True`, or another batch size.
    """
    found = [s for s in signals(case) if _is_batch_normalization(s.layer) and s.inputs and s.layer.trainable]
    if not found:
        raise NotApplicable("there is no batch normalization")
    size = samples_of((case.x, None, None)) if case.arrays is None else min(int(case.fit.batch_size or 32), _count(case))
    for signal in found:
        x = signal.inputs[0]
        each = size * int(np.prod(x.shape[1:-1])) if x.ndim > 2 else size
        if each == 1:
            raise Failed(
                "several numbers for each mean",
                f"`{signal.name}` takes the mean of one: the batch size is 1 and its inputs have the shape {x.shape[1:]}",
                ["print(model(x[:1], training=True), model(x[1:2], training=True))"],
                place=case.place("fit"),
            )
        if each <= 4:
            raise Failed(
                "16 samples and more for each mean",
                f"`{signal.name}` takes the mean of {each}: the batch size is {size}",
                ["print(model(x[:2], training=True))"],
                severity="warning",
                place=case.place("fit"),
            )
        rest = _count(case) % size if case.arrays is not None and size else 0
        if rest == 1 and x.ndim == 2 and _count(case) > size:
            raise Failed(
                "several samples in every batch",
                f"the last batch of each epoch has 1 of {_count(case)} samples: `{signal.name}` gives the same for any",
                [f"print(len(x) % {size})"],
                severity="warning",
                place=case.place("fit"),
            )


@check("T193", "setup", "warning", since="0.2.0")
def penalty_is_smaller_than_the_loss(case: SetupCase) -> None:
    """The penalty on the weights is larger than the loss: the training makes weights small and learns little else.

    It is an error where one batch is not learned, and is with the penalty left out and nothing else changed.

    Fix: a smaller factor, `kernel_regularizer=keras.regularizers.L2(1e-4)`.
    """
    penalty = weight_penalty(case.model)
    if not penalty:
        raise NotApplicable("no weight has a penalty")
    loss = abs(_loss_now(case))
    is_large = penalty >= _PENALTY * loss
    repair = ("no penalties", "without the penalty", lambda: {"around": without_penalties})
    cured = counterfactual(case, repair, is_finding=is_large)
    if cured or is_large:
        raise Failed(
            "a penalty below the loss",
            f"the penalty is {penalty:.4g}, the loss {loss:.4g}{cured}",
            ["print(sum(model.losses))"],
            severity="error" if cured else None,
            place=case.place("compile"),
        )


def _loss_now(case) -> float:
    """The loss of the first batch without the penalty."""
    return trial(case).run(1, [cut((case.x, case.y, case.sample_weight), 64)], penalties=False)[0]


@check("T194", "setup", "warning", since="0.2.0")
def dropout_leaves_something(case: SetupCase) -> None:
    """Dropout takes away nearly everything: its rate is the share that is dropped, not the share that is kept.

    `Dropout(0.9)` keeps one unit of ten. It is an error where one batch is not learned, and is without dropout.

    Fix: `Dropout(0.2)` to `Dropout(0.5)`.
    """
    rates = {signal.name: signal.layer.rate for signal in signals(case) if is_dropout(signal.layer)}
    if not rates:
        raise NotApplicable("there is no dropout")
    high = {name: rate for name, rate in rates.items() if rate > _DROPPED}
    actual = ", ".join(f"`{name}` drops {rate:.0%}" for name, rate in (high or rates).items())
    repair = ("no dropout", "without dropout", lambda: {"around": without_dropout})
    cured = counterfactual(case, repair, is_finding=bool(high))
    if high or cured:
        raise Failed(
            "half of the units and more",
            actual + cured,
            ["model.summary()"],
            severity="error" if cured else None,
            place=case.place("compile"),
        )


@check("T195", "setup", "warning", since="0.2.0")
def training_and_inference_agree(case: SetupCase) -> None:
    """After a few steps the model says something else at inference than in training: batch normalization has not followed.

    The moving mean and variance start at 0 and 1 and take `momentum` of what they were in each step: with 0.99 it takes
    hundreds of steps until they are those of the data. Where `fit` has fewer, validation and predictions are far off.

    Fix: `keras.layers.BatchNormalization(momentum=0.9)` or more steps; scale the inputs.
    """
    layers = [s.layer for s in signals(case) if _is_batch_normalization(s.layer) and s.layer.trainable]
    if not layers:
        raise NotApplicable("there is no batch normalization")
    found = learning(case)
    momentum = max(float(layer.momentum) for layer in layers)
    left = momentum**found.total_steps
    if momentum < 1 and (not found.knows_epochs or left < 0.2):
        return
    steps = min(found.total_steps, found.steps)
    made = trial(case)
    batches = [cut((case.x, case.y, case.sample_weight), 64)]
    made.run(steps, batches)
    usual, training = made.predict(batches[0][0]), made.predict(batches[0][0], training=True)
    gap = max(float(np.abs(a - b).mean() / (np.abs(b).std() + 1e-6)) for a, b in zip(usual, training) if b.dtype.kind == "f")
    if gap > (1.0 if momentum < 1 else 0.2):
        raise Failed(
            "the same predictions but for noise",
            f"after {steps} of {found.total_steps} steps they differ by {gap:.2g} times their standard deviation: "
            f"{left:.0%} of the moving mean is still what it began with",
            ["print(model.predict(x[:4]), model(x[:4], training=True))"],
            place=case.place("fit"),
        )


def _is_batch_normalization(layer) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization)


def _count(case) -> int:
    return samples_of(case.arrays) if case.arrays is not None else samples_of((case.x, None, None))
