"""Whether one batch is learned at all."""

import contextlib

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable, OutOfTime
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.fit_data import leaves_of
from kerasmith.checks.harness.trial import fresh_weights
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.changes import with_leaky_units, without_normalization, without_penalties
from kerasmith.checks.rules.setups.counterfactual import counterfactual
from kerasmith.checks.rules.setups.learning import FAILS as ALMOST
from kerasmith.checks.rules.setups.learning import failing, learning
from kerasmith.checks.rules.setups.scale import standardizer

_CAUSES = ("T160", "T161", "T162", "T163", "T175", "T176", "T179", "T180", "T181", "T186", "T187", "T193", "T194")
# Outputs, losses and labels that do not fit: nothing is learned, for a reason that is told already.
_MISFITS = ("T101", "T102", "T103", "T104", "T121", "T122", "T123")
# Relative to their size, differences of answers that are none.
_SAME = 1e-4
# How many times the loss at the start may be that of a constant answer.
_START = 10.0
# A constant answer with a loss below this is right nearly always.
_KNOWS = 0.02


@check("T185", "setup", "warning", requires=("base", *_MISFITS, "T109", "T110", "T160", "T161", "T163", "T186"), since="0.2.0")
def loss_stays_finite(case: SetupCase) -> None:
    """The loss is NaN or infinite within the first steps, though the data are finite.

    From there on every weight is NaN. A logarithm, root or division in the loss or a layer gets a 0 or a negative number, or
    the steps grow without a bound. It is an error where the steps stay finite with another loss, with new first weights, or
    with a slope below 0 in hidden layers, and nothing else changed.

    Fix: an epsilon within the logarithm or root, the loss that takes logits (`from_logits=True`) in place of one of
    probabilities, a smaller rate. `callbacks.NumericsGuard()` names the operation.
    """
    found = learning(case)
    bad = np.flatnonzero(~np.isfinite(found.base.losses))
    if not len(bad):
        return
    cured = _stays_finite(case, found)
    raise Failed(
        "a finite loss",
        f"it is {found.base.losses[bad[0]]} in step {bad[0] + 1} on one batch; before: "
        + (", ".join(f"{value:.4g}" for value in found.base.losses[max(0, bad[0] - 4) : bad[0]]) or "none")
        + cured,
        ["print(model.evaluate(x[:32], y[:32], verbose=0))"],
        severity="error" if cured else None,
        place=case.place("fit"),
    )


def _stays_finite(case, found) -> str:
    """With which change the steps stay finite, as text; "" with none."""
    repairs = (
        ("squares", "the mean square of the outputs as the loss", {"loss": _mean_square}),
        ("fresh weights", "new first weights", {"start": fresh_weights(case.model)}),
        ("leaky units", "a slope below 0 in hidden layers", {"around": with_leaky_units}),
    )
    with contextlib.suppress(Inconclusive, OutOfTime):
        for name, text, changes in repairs:
            losses = found.train(name, **changes).losses
            if np.isfinite(losses).all() and len(losses) >= len(found.base.losses):
                return f". With {text} in its place it stays finite for {len(losses)} steps"
    return ""


def _mean_square(y_true, y_pred, sample_weight=None):
    return sum(keras.ops.mean(keras.ops.square(leaf)) for leaf in keras.tree.flatten(y_pred))


@check("T188", "setup", "warning", requires=("base", *_MISFITS, "T171", "T179", "T181", "T186"), since="0.2.0")
def answers_depend_on_the_inputs(case: SetupCase) -> None:
    """The predictions are the same for all samples, before and after training on a batch whose labels differ.

    The inputs do not reach the output: units that are dead or saturated, a branch that is never used, an input that is lost on
    the way, or an output with one possible value. It is an error where one batch is learned with new first weights, with
    another activation, with standardized inputs, without normalization or without penalties, and nothing else changed.

    Fix: look at each layer's output for two samples: `keras.Model(model.inputs, layer.output).predict(x[:2])`. The first one
    that is the same for both is the cause.
    """
    found = failing(case)
    if not _differ(case.y):
        raise NotApplicable("the labels of the batch are the same")
    answers = found.base.trial.predict(found.batch[0])
    sizes = [(float(np.ptp(a, axis=0).max()), float(np.abs(a).max())) for a in answers if a.dtype.kind == "f" and a.size]
    if not sizes or any(not np.isfinite(size) or change > _SAME * max(size, 1e-6) for change, size in sizes):
        return
    cured = counterfactual(
        case,
        ("fresh weights", "with new first weights", lambda: {"start": fresh_weights(case.model)}),
        (
            ("leaky units", "T178"),
            "with leaky units",
            lambda: {"around": with_leaky_units, "start": fresh_weights(case.model)},
        ),
        ("without normalization", "without normalization", lambda: {"around": without_normalization}),
        ("no penalties", "without penalties", lambda: {"around": without_penalties}),
        ("standardized inputs", "with standardized inputs", lambda: {"scale_x": standardizer(case.x)}),
    )
    raise Failed(
        "other predictions for other samples",
        f"after {len(found.base.losses)} steps they differ by {max(change for change, _ in sizes):.2g} at most over "
        f"{len(answers[0])} samples, the first is {np.ravel(answers[0])[:3].round(4).tolist()}; the loss goes "
        f"{found.base}{cured}",
        ["print(model.predict(x[:8]))"],
        severity="error" if cured else None,
        place=case.place("fit"),
    )


@check("T189", "setup", "warning", requires=("base", "T161", "T163"), since="0.2.0")
def loss_starts_near_a_constant_answer(case: SetupCase) -> None:
    """The loss at the start is many times that of a constant answer.

    A new model knows nothing, and its loss should be near that of the best constant, such as log(10) for ten classes. Where it
    is far above, the first epochs go into weights that are too large, or into a last bias far from the data.

    Fix: scale inputs and targets, use the default initializers, and start the last bias at the mean or at the log of
    the classes' shares: `bias_initializer=keras.initializers.Constant(...)`.
    """
    found = learning(case)
    if found.constant is None or found.constant < _KNOWS or not np.isfinite(found.begin):
        raise NotApplicable("the loss of a constant answer is not known")
    if found.begin > _START * found.constant:
        raise Failed(
            f"a loss near {found.constant:.4g}, that of the best constant answer",
            f"{found.begin:.4g} at the start",
            ["print(model.evaluate(x[:32], y[:32], verbose=0))"],
            place=case.place("compile"),
        )


@check("T190", "setup", "warning", requires=("base", *_MISFITS, *_CAUSES, "T185", "T188"), since="0.2.0")
def one_batch_can_be_learned(case: SetupCase) -> None:
    """One batch cannot be learned: after many steps on the same few samples the loss is that of a constant answer.

    A model that works learns a single batch by heart within a few hundred steps. Where it does not, the labels may belong to
    other samples, the loss may not fit the output, the model may be too small, or something on the way takes the information
    away.

    Fix: look at the findings on output, loss and labels first; then at a few samples with their labels. More units,
    `keras.optimizers.Adam(1e-3)`, and no dropout or penalty until one batch is learned.
    """
    found = failing(case)
    if not _differ(case.y):
        raise NotApplicable("the labels of the batch are the same")
    text = f"the loss goes {found.base}; a constant answer has {found.reference:.4g}"
    text += f", the labels themselves {found.lowest:.4g}" if found.lowest > 0 else ""
    for factor in (10, 100):
        with contextlib.suppress(Inconclusive):
            if found.rate and found.left(found.train(f"rate x {factor}", lr=found.rate * factor)) < ALMOST:
                raise NotApplicable(f"it is learned with {factor} times the rate")
    with contextlib.suppress(Inconclusive):
        other = found.repairs("fresh weights", start=fresh_weights(case.model))
        if other is not None:
            text += f"; with other first weights {other}"
    raise Failed(
        f"a loss well below {found.reference:.4g} on one batch of {len(leaves_of(found.batch)[0])} samples",
        text,
        ["model.fit(x[:32], y[:32], epochs=150)"],
        place=case.place("fit"),
    )


def _differ(y) -> bool:
    leaves = [np.asarray(leaf) for leaf in leaves_of(y)]
    return any(leaf.dtype.kind in "biuf" and len(leaf) > 1 and bool((leaf[1:] != leaf[:1]).any()) for leaf in leaves)
