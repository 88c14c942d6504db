"""Finds, among the steps since the last good state, the one that made the first bad number."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from kerasmith.callbacks.numerics_guard.first_nonfinite import first_nonfinite, in_inputs
from kerasmith.callbacks.numerics_guard.origin import Origin
from kerasmith.callbacks.numerics_guard.step_repeater import StepRepeater, is_finite_loss
from kerasmith.keras_internals.device_state import Copy

_MOST_NAMES = 8


class RecordedStep(NamedTuple):
    """A step that was made: the number of its batch, the batch in a list (None: not seen), its loss (None: unknown)."""

    number: int
    batches: Any
    loss: Any


class FirstNonfiniteStep(NamedTuple):
    """What `find_first_nonfinite_step` found.

    Attributes:
        origin: the `Origin` in the step.
        index: the step's position among the recorded ones.
        before: a copy of the state before it; None if there is none.
    """

    origin: Origin
    index: int
    before: Any


def recorded_steps(batches: Any, losses: Sequence[Any], first: int, at_once: int) -> list[RecordedStep]:
    """Lists of batches and losses as `RecordedStep`s.

    Args:
        batches: what the data gave, one after the other; None for steps that were not seen.
        losses: the running mean after each, or None.
        first: number of the first batch.
        at_once: how many batches a step takes that was not seen.
    """
    stride = at_once if batches[0] is None else 1
    return [
        RecordedStep(first + i * stride, None if batch is None else [batch], loss)
        for i, (batch, loss) in enumerate(zip(batches, losses, strict=True))
    ]


def find_first_nonfinite_step(
    repeater: StepRepeater, good: Copy | None, recorded: list[RecordedStep], now: Copy
) -> FirstNonfiniteStep:
    """The first step that made a number which is not finite.

    Args:
        repeater: a `StepRepeater`.
        good: the copy before the first recorded step, or None.
        recorded: the `RecordedStep`s since then, at least one.
        now: the copy after the last one, in which something is not finite.
    """
    bad = next((i for i, step in enumerate(recorded) if not is_finite_loss({"loss": step.loss})), len(recorded) - 1)
    if repeater.is_stalled(now):
        origin = _look_inside(repeater, recorded[-1].batches, now, None)
        detail = "The loss-scaling optimizer leaves out step after step: gradients are not finite, however small the scale"
        origin = origin or Origin("gradient", "loss")
        return FirstNonfiniteStep(origin._replace(detail=f"{detail}. {origin.detail}".strip()), len(recorded) - 1, now)
    if any(step.batches is None for step in recorded):
        detail = "The batches were not seen, so that its origin remains open"
        return FirstNonfiniteStep(from_outside(repeater, now, detail), bad, good)
    if good is None:
        detail = "There is no copy from before this step, so that its origin remains open"
        origin = in_inputs(recorded[bad].batches[0]) or from_outside(repeater, now, detail)
        return FirstNonfiniteStep(origin, bad, None)
    index, before, after = _repeat(repeater, good, recorded)
    if index is None:
        detail = (
            "The fault could not be repeated: the same steps give finite numbers, so that another callback has written it, or "
            "the training step is not the same each time"
        )
        origin = in_inputs(recorded[bad].batches[0]) or from_outside(repeater, now, detail)
        return FirstNonfiniteStep(origin, bad, good)
    return FirstNonfiniteStep(_look_inside(repeater, recorded[index].batches, before, after), index, before)


def _repeat(repeater, good, recorded):
    """(position of the first bad step, copy before it, copy after it), or Nones if it does not come up again."""
    state, before = repeater.go_to(good), good
    for index, step in enumerate(recorded):
        logs, state = repeater.step(state, step.batches)
        after = repeater.state.copy(state)
        if not repeater.is_good(logs, after):
            return index, before, after
        before = after
    return None, None, None


def _look_inside(repeater, batches, before, after):
    """The origin in one step; None if all is finite up to the gradients and there is no copy after it."""
    if after is not None:
        always = repeater.bad_from_the_beginning(before)
        if always:
            return Origin("weight", always[0], "It was so before the first step")
    # A loss-scaling optimizer leaves out steps with bad gradients: they cannot have spoilt the weights.
    skips = bool(repeater.loss_scales)
    try:
        origin = first_nonfinite(
            repeater.model, batches[0], lambda: repeater.state.assign(before), gradients=after is None or not skips
        )
    except Exception as problem:  # whatever a user's layers do when they are called outside of the step
        detail = f"The step could not be taken apart ({type(problem).__name__}: {problem})"
        bad = repeater.bad_variables(after) if after is not None else []
        return Origin("weight", bad[0], detail) if bad else Origin("loss", "loss", detail)
    if origin is not None or after is None:
        return origin
    bad = repeater.bad_variables(after)
    return Origin("weight", bad[0], "The gradients are finite: the update is too large") if bad else Origin("loss", "loss")


def from_outside(repeater: StepRepeater, now: Copy, detail: str) -> Origin:
    """What can be said without taking a step apart: what is not finite now.

    Args:
        repeater: a `StepRepeater`.
        now: the copy in which something is not finite, or after a step whose loss is not.
        detail: why no more can be said, as a sentence.
    """
    weights, slots = repeater.bad_weights_and_slots(now)
    if weights or slots:
        listed = [f"{kind} {_listed(paths)}" for kind, paths in (("the variables", weights), ("the slots", slots)) if paths]
        return Origin("weight", [*weights, *slots][0], f"{detail}. Not finite now are {' and '.join(listed)}")
    return Origin("loss", "loss", detail)


def _listed(paths):
    return ", ".join(paths[:_MOST_NAMES]) + (f" and {len(paths) - _MOST_NAMES} more" if len(paths) > _MOST_NAMES else "")
