"""Finds, among the steps since the last good state, the one that made the first bad number."""

from typing import Any, NamedTuple

from kerasmith.callbacks.numerics_guard.first_nonfinite import Place, first_nonfinite, in_inputs
from kerasmith.callbacks.numerics_guard.step_repeater import is_finite_loss


class KeptStep(NamedTuple):
    """A step that was made: the number of its batch, the batch in a list (None: not seen), its loss (None: unknown)."""

    number: int
    batches: Any
    loss: Any


class Culprit(NamedTuple):
    """What `find_culprit` found.

    Attributes:
        place: the `Place` in the step.
        index: the step's position among the kept ones.
        before: a copy of the state before it; None if there is none.
    """

    place: Place
    index: int
    before: Any


def kept_steps(batches, losses, first, at_once):
    """Lists of batches and losses as `KeptStep`s.

    Args:
        batches: what the data gave, one after the other; None for steps that were not seen.
        losses: the running mean after each, or None.
        first: number of the first batch.
        at_once: how many batches a step takes that was not seen.
    """
    stride = at_once if batches[0] is None else 1
    return [
        KeptStep(first + i * stride, None if batch is None else [batch], loss)
        for i, (batch, loss) in enumerate(zip(batches, losses, strict=True))
    ]


def find_culprit(repeater, good, kept, now):
    """The first bad step.

    Args:
        repeater: a `StepRepeater`.
        good: the copy before the first kept step, or None.
        kept: the `KeptStep`s since then, at least one.
        now: the copy after the last one, in which something is not finite.
    """
    shown = next((i for i, step in enumerate(kept) if not is_finite_loss({"loss": step.loss})), len(kept) - 1)
    if repeater.is_stalled(now):
        place = _look_inside(repeater, kept[-1].batches, now, None)
        detail = "The loss-scaling optimizer leaves out step after step: gradients are not finite, however small the scale"
        place = place or Place("gradient", "loss")
        return Culprit(place._replace(detail=f"{detail}. {place.detail}".strip()), len(kept) - 1, now)
    if good is None or any(step.batches is None for step in kept):
        return Culprit(_from_outside(repeater, kept[shown], now), shown, good)
    index, before, after = _repeat(repeater, good, kept)
    if index is None:
        place = in_inputs(kept[shown].batches[0]) or _from_outside(repeater, kept[shown], now)
        detail = "The steps could not be repeated exactly, so that its origin remains open"
        return Culprit(place if place.kind == "input" else place._replace(detail=detail), shown, good)
    return Culprit(_look_inside(repeater, kept[index].batches, before, after), index, before)


def _repeat(repeater, good, kept):
    """(position of the first bad step, copy before it, copy after it), or Nones if it does not come up again."""
    state, before = repeater.go_to(good), good
    for index, step in enumerate(kept):
        logs, state = repeater.step(state, step.batches)
        after = repeater.state.copy(state)
        if not repeater.is_good(logs, after):
            return index, before, after
        before = after
    return None, None, None


def _look_inside(repeater, batches, before, after):
    """The place in one step; None if all is finite up to the gradients and there is no copy after it."""
    if after is not None:
        always = repeater.bad_from_the_beginning(before)
        if always:
            return Place("weight", always[0], "It was so before the first step")
    # A loss-scaling optimizer leaves out steps with bad gradients: they cannot have spoilt the weights.
    skips = getattr(repeater.model.optimizer, "dynamic_scale", None) is not None
    try:
        place = first_nonfinite(
            repeater.model, batches[0], lambda: repeater.state.assign(before), gradients=after is None or not skips
        )
    except Exception as problem:  # whatever a user's layers do when they are called outside of the step
        detail = f"The step could not be taken apart ({type(problem).__name__}: {problem})"
        bad = repeater.bad_variables(after) if after is not None else []
        return Place("weight", bad[0], detail) if bad else Place("loss", "loss", detail)
    if place is not None or after is None:
        return place
    bad = repeater.bad_variables(after)
    return Place("weight", bad[0], "The gradients are finite: the update is too large") if bad else Place("loss", "loss")


def _from_outside(repeater, step, now):
    """What can be said without the batches."""
    detail = "The batches were not seen, so that its origin remains open"
    if not is_finite_loss({"loss": step.loss}):
        return Place("loss", "loss", detail)
    return Place("weight", next(iter(repeater.bad_variables(now)), "?"), detail)
