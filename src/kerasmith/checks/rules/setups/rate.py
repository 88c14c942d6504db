"""The learning rate."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.setups.case import SetupCase
from kerasmith.checks.rules.setups.learning import LEARNS, learning

_LOWER, _HIGHER = (10, 100, 1000), (10, 100, 1000)
# Where the loss does not move at all.
_MUCH_HIGHER = (1000, 10_000, 100_000, 1_000_000, 10, 100)
# What a training may gain of what a higher rate gains, to count as standing still.
_STANDS = 0.03
# What is left of a rate where it has ended.
_ENDED = 0.01


@check("T186", "setup", "error", requires=("base", "T160", "T161", "T162", "T163", "T193", "T194"), since="0.2.0")
def rate_is_not_too_high(case: SetupCase) -> None:
    """The learning rate is too high: the loss does not fall on one batch, and does with a smaller rate.

    Each step leads past the minimum to a point that is no better. The same training on the same batch learns with a tenth, a
    hundredth or a thousandth of the rate, and nothing else changed.

    Fix: `keras.optimizers.Adam(1e-3)` and smaller by factors of 10 until the loss falls; `callbacks.FindLR` measures it.
    `clipnorm=1.0` helps where single batches throw it off.
    """
    found = learning(case)
    rate = _rate(found)
    # A loss that jumps up at first and has not come down again far.
    jumps = max(found.base.losses) > 1.5 * found.begin > 0 and found.left(found.base) > LEARNS
    if not found.fails and not jumps:
        raise Inconclusive(f"it learns one batch: the loss goes {found.base}")
    if found.stands:
        raise Inconclusive(f"the loss does not move at all: it goes {found.base}")
    for factor in _LOWER:
        curve = found.repairs(f"rate / {factor}", lr=rate / factor)
        if curve is not None and (found.fails or curve.end < 0.5 * found.base.end):
            raise Failed(
                f"a loss that falls on one batch, below {found.reference:.4g}",
                f"with the rate {rate:.3g} it goes {found.base}; with {rate / factor:.3g} {curve}",
                [f"print(model.optimizer.learning_rate)  # {rate:.3g}"],
                fix=f"A rate of {rate / factor:.2g} learns: `keras.optimizers.{_name(case)}({rate / factor:.2g})`.",
                severity=None if found.fails else "warning",
                place=case.place("compile"),
            )


@check("T187", "setup", "error", requires=("base", "T160", "T161", "T162", "T163", "T186"), since="0.2.0")
def rate_is_not_too_low(case: SetupCase) -> None:
    """The learning rate is too low: in all its steps the training goes next to nowhere, and learns with a higher rate.

    The way that all steps of `fit` go together is the rate times their number. One batch is trained on with a rate that goes
    that far in a few steps: the loss stays where it was; with a higher one it falls.

    Fix: a rate that is 10 or 100 times higher; `callbacks.FindLR` measures it. Or more epochs.
    """
    found = learning(case)
    if found.learns:
        raise Inconclusive(f"it learns one batch: the loss goes {found.base}")
    _ask_schedule(case, found)
    rate, gained = _rate(found), found.begin - found.base.end
    if not np.isfinite(gained) or gained < -0.1 * abs(found.begin):
        raise Inconclusive(f"the loss rises: it goes {found.base}")
    for factor in _MUCH_HIGHER if found.stands else _HIGHER:
        curve = found.train(f"rate x {factor}", lr=rate * factor)
        won = found.begin - curve.end
        if found.left(curve) < LEARNS and gained < _STANDS * won:
            raise Failed(
                f"a loss that falls on one batch, below {found.reference:.4g}",
                f"with the rate {rate:.3g} it goes {found.base}; with {rate * factor:.3g} {curve}. "
                f"`fit` has {found.total_steps} steps" + ("" if found.knows_epochs else " in 20 epochs"),
                [f"print(model.optimizer.learning_rate)  # {rate:.3g}"],
                fix=f"A rate of {rate * factor:.2g} learns: `keras.optimizers.{_name(case)}({rate * factor:.2g})`.",
                severity="error" if found.fails and found.knows_epochs and factor >= 10 else "warning",
                place=case.place("compile"),
            )


@check("T196", "setup", "warning", requires=(), needs_inputs=False, since="0.2.0")
def averages_forget(case: SetupCase) -> None:
    """The optimizer never forgets a gradient: its steps grow, or swing around the minimum without an end.

    A momentum of 1 adds up all gradients since the first step. A share of 1 in the mean of squared gradients keeps that mean
    where it began. In Adam the steps may diverge where the mean of gradients looks back further than that of their squares.

    Fix: `momentum=0.9`; in Adam `beta_1=0.9, beta_2=0.999`; in RMSprop `rho=0.9`.
    """
    from kerasmith.keras_internals.learning_rate import inner

    optimizer = None if case.model.optimizer is None else inner(case.model.optimizer)
    shares = {name: getattr(optimizer, name, None) for name in ("momentum", "rho", "beta_1", "beta_2")}
    shares = {name: float(value) for name, value in shares.items() if isinstance(value, (int, float))}
    wrong = {name: value for name, value in shares.items() if value >= 1}
    if not wrong and shares.get("beta_1", 0) ** 2 >= shares.get("beta_2", 1):
        wrong = {name: shares[name] for name in ("beta_1", "beta_2")}
    if wrong:
        values = ", ".join(f"{name}={value:g}" for name, value in wrong.items())
        raise Failed(
            "shares below 1" if max(wrong.values()) >= 1 else "beta_2 above the square of beta_1",
            f"{type(optimizer).__name__} has {values}",
            ["print(model.optimizer.get_config())"],
            place=case.place("compile"),
        )


def _ask_schedule(case, found):
    """Raises the finding where a schedule ends before anything is learned."""
    from kerasmith.keras_internals.learning_rate import rate_at, schedule_of

    schedule, losses = schedule_of(case.model.optimizer), found.base.losses
    if schedule is None:
        return
    tail = losses[len(losses) // 3 :]
    first, later = rate_at(schedule, 0), rate_at(schedule, min(found.total_steps, len(losses)) // 3)
    if not first or later > _ENDED * first or np.ptp(tail) > _STANDS * abs(found.begin):
        return
    curve = found.repairs("the first rate", lr=first)
    if curve is not None:
        raise Failed(
            f"a rate that lasts for the {found.total_steps} steps of `fit`",
            f"it is {first:.3g} in the first step and {later:.3g} after a third of them: the loss goes {found.base}; with "
            f"{first:.3g} throughout {curve}",
            ["print([float(model.optimizer.learning_rate)])"],
            fix="`decay_steps` is a number of steps, not of epochs: that of all steps of `fit`.",
            title="The schedule takes the learning rate to nothing before anything is learned",
            place=case.place("compile"),
        )


def _rate(found):
    rate = found.rate
    if not rate:
        raise Inconclusive("the optimizer has no learning rate")
    return rate


def _name(case):
    optimizer = case.model.optimizer
    return type(getattr(optimizer, "inner_optimizer", optimizer)).__name__
