"""Short trainings of a set-up on one batch, as it is and with one thing changed; and what of them counts as learning."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Inconclusive
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.harness.fit_data import cut, leaves_of
from kerasmith.checks.harness.trial import Trial
from kerasmith.checks.harness.work import seconds_of_a_step
from kerasmith.checks.rules.setups.constant_answer import constant_loss, lowest_loss
from kerasmith.checks.rules.setups.signals import signals

STEPS, SAMPLES = 100, 64
# Seconds for one training, and for all of a set-up together, as they are estimated: no clock decides what is found.
_SECONDS, _ALL_SECONDS, _FEWEST = 2.0, 14.0, 25
# What is left of the loss of a constant answer: below the first it learns, above the second it does not.
LEARNS, FAILS = 0.7, 0.9
# What a loss that stands still moves at most, as a part of it.
_STANDS = 0.003
# What a loss that is on its way down loses from the second third to the last.
_FALLING = 0.03
# Samples that a batch needs to be asked alone.
_FEW_SAMPLES = 8
# Epochs that a training has where nobody says how many.
_USUAL_EPOCHS = 20


@dataclasses.dataclass
class Curve:
    """The losses of one training without weight penalties, NaN included.

    Attributes:
        losses: one a step.
        trial: its `Trial`, at the end.
        batches: how many were taken in turn.
    """

    losses: list[float]
    trial: Any
    batches: int = 1

    @property
    def end(self) -> float:
        """The mean of the last steps; infinite where one of them is not finite."""
        last = self.losses[-max(3, len(self.losses) // 10, self.batches) :]
        return float(np.mean(last)) if np.isfinite(last).all() else float("inf")

    def __str__(self) -> str:
        places = sorted({0, len(self.losses) // 3, 2 * len(self.losses) // 3, len(self.losses) - 1})
        numbers = " -> ".join(f"{self.losses[place]:.4g}" for place in places)
        return f"{numbers} in {len(self.losses)} steps"


class Learning:
    """The trainings of one set-up; each is made once.

    Attributes:
        batch: (x, y, sample_weight) that is trained on; batches: several, where one has few samples.
        base: the `Curve` of the set-up as it is.
        reference: the lower of the first loss and that of the best constant answer.
        lowest: the loss of answers that equal the labels, which soft labels leave above 0; 0 where it is not known.
    """

    def __init__(self, case: Any) -> None:
        self.case: Any = case
        self._curves: dict[Any, Curve] = {}
        self._spent = self._each = 0.0
        self.steps: int = STEPS
        self.batch: Any = cut((case.x, case.y, case.sample_weight), SAMPLES)
        constant = constant_loss(case, samples_of(self.batch)) if samples_of(self.batch) >= _FEW_SAMPLES else None
        self.reference: float = float("nan") if constant is None else constant
        lowest = None if constant is None else lowest_loss(case, samples_of(self.batch))
        # One below 0 is that of a loss without a lowest value, or of a likelihood: they are taken as before, from 0.
        self.lowest: float = 0.0 if lowest is None or constant is None or not 0 < lowest < constant else lowest
        self.base: Curve = self._first()
        begin = self.base.losses[0]
        if len(self.batches) > 1:
            begin = float(np.mean(trial(case, lr=0.0).run(len(self.batches), self.batches)))
        known = [value for value in (begin, constant) if value is not None and np.isfinite(value)]
        self.begin: float = begin
        self.constant: float | None = constant
        self.reference = min(known) if known else float("nan")

    def _first(self) -> Curve:
        for samples in (SAMPLES, 8):
            self.batch = cut(self.batch, samples)
            self.batches = self._several()
            self._each = _seconds(self.case, samples)
            if self._each * _FEWEST < _SECONDS:
                self.steps = next(steps for steps in (STEPS, STEPS // 2, _FEWEST) if steps * self._each < 2 * _SECONDS)
                return self.train("base")
        raise Inconclusive(f"a step of training on 8 samples takes {self._each:.2g} s by estimate")

    def _several(self):
        """One batch, or as many of the size that `fit` has as give a few samples together."""
        size = samples_of(self.batch)
        if size >= _FEW_SAMPLES:
            return [self.batch]
        return [self.batch, *(cut(one, size) for one in self.case.more_batches(-(-2 * _FEW_SAMPLES // size) - 1))]

    def train(self, name: Any, batch: Any = None, **changes: Any) -> Curve:
        """The `Curve` of a training with `changes` as `Trial` takes them, made once for each `name`.

        Raises:
            Inconclusive: if all time is spent.
        """
        if name not in self._curves:
            if self._spent > _ALL_SECONDS:
                raise Inconclusive(f"{_ALL_SECONDS:g} s of training were spent")
            made = trial(self.case, **changes)
            data = self.batches if batch is None else [batch]
            losses = made.run(self.steps, data, self._enough if batch is None else None, penalties=False)
            self._curves[name] = Curve(losses, made, len(data))
            self._spent += len(losses) * self._each
        return self._curves[name]

    @property
    def _enough(self) -> float | None:
        """A loss that shows that it learns, beyond doubt."""
        return self.reference - 0.5 * self._size if self.reference > 0 else None

    @property
    def _size(self) -> float:
        """What there is to learn: the way from the reference down to the lowest loss, 0 where that is not known."""
        return float(min(abs(self.reference), self.reference - self.lowest))

    def left(self, curve: Curve) -> float:
        """The part of the reference that a training leaves: 1 for none learned, 0 for all, infinite where it diverges."""
        if not np.isfinite(curve.end):
            return float("inf")
        if not np.isfinite(self.reference):
            return 0.0
        return float(1 + (curve.end - self.reference) / max(self._size, 1e-12))

    @property
    def is_trivial(self) -> bool:
        """Whether there is nothing to learn: the first answers are right."""
        return bool(np.isfinite(self.reference) and self._size < 1e-5)

    @property
    def learns(self) -> bool:
        """Whether the set-up learns one batch, now or in the steps that its `fit` has."""
        return self.is_trivial or self.left(self.base) < LEARNS or (self._stalls and self._patience < LEARNS)

    @property
    def fails(self) -> bool:
        """Whether it clearly does not."""
        return not self.is_trivial and self._stalls and not self._is_falling and self._patience > FAILS

    @property
    def _is_falling(self) -> bool:
        """Whether the loss was still on its way down, so that more steps would have shown more."""
        third = len(self.base.losses) // 3
        if third < 5 or not np.isfinite(self.base.losses).all():
            return False
        first, middle, last = (float(np.mean(self.base.losses[k * third : (k + 1) * third])) for k in range(3))
        is_calm = first < self.begin + 0.1 * abs(self.begin)
        return is_calm and first > middle > last and middle - last > _FALLING * abs(middle)

    @property
    def stands(self) -> bool:
        """Whether the loss stays where it began, from the first step on."""
        losses, begin = self.base.losses, self.begin
        return bool(np.isfinite(losses).all() and np.abs(np.array(losses) - begin).max() < _STANDS * abs(begin))

    @property
    def _stalls(self) -> bool:
        return self.left(self.base) > FAILS

    @property
    def _patience(self) -> float:
        """What is left after as long a way as `fit` goes in all its steps."""
        if "patient" not in self.case.cache:
            best, factor = self.left(self.base), min(self.total_steps / self.steps, 100.0)
            rate = self.rate
            if factor > 1.5 and rate:
                for power in (1.0,) if self.stands else (1.0, 0.5):
                    curve = self.train(f"rate x {factor**power:.3g}", lr=rate * factor**power)
                    best = min(best, self.left(curve))
                    if best < LEARNS:
                        break
            self.case.cache["patient"] = best
        return self.case.cache["patient"]

    @property
    def knows_epochs(self) -> bool:
        """Whether it is known how long the training is."""
        return self.case.fit.epochs > 1 or bool(self.case.fit.steps_per_epoch)

    @property
    def total_steps(self) -> int:
        """The number of steps of the whole `fit`; a guess where it is not known."""
        fit = self.case.fit
        each = fit.steps_per_epoch
        if not each:
            arrays = self.case.arrays
            each = 100 if arrays is None else -(-samples_of(arrays) // int(fit.batch_size or 32))
        epochs = fit.epochs - fit.initial_epoch if self.knows_epochs else _USUAL_EPOCHS
        return int(max(1, each * epochs))

    @property
    def rate(self) -> float | None:
        """The learning rate, of a schedule the mean over all steps of `fit`; None where the optimizer has none."""
        from kerasmith.keras_internals.learning_rate import rate_at, rate_now, schedule_of

        schedule = schedule_of(self.case.model.optimizer)
        if schedule is None:
            return rate_now(self.case.model.optimizer)
        return float(np.mean([rate_at(schedule, int(step)) for step in np.linspace(0, self.total_steps - 1, 50)]))

    def repairs(self, name: Any, **changes: Any) -> Curve | None:
        """The `Curve` of a training with these changes if it learns, else None."""
        curve = self.train(name, **changes)
        return curve if self.left(curve) < LEARNS else None


def trial(case: Any, **changes: Any) -> Trial:
    """A `Trial` of the set-up; all of one set-up share what is compiled."""
    return Trial(case.model, shared=case.cache.setdefault("trials", {}), **changes)


def learning(case: Any) -> Learning:
    """The `Learning` of a set-up.

    Raises:
        Inconclusive: where it cannot be trained here, or trains by a step of its own, whose loss need not fall.
    """
    found = case.cache.get("learning")
    if found is None:
        try:
            if case.has_own_step:
                raise Inconclusive("the model has a `train_step` of its own, whose loss need not fall")
            if not case.model.trainable_variables:
                raise Inconclusive("no weight is trainable")
            if not all(np.isfinite(leaf).all() for leaf in leaves_of((case.x, case.y)) if _is_float(leaf)):
                raise Inconclusive("the data are not finite")
            found = Learning(case)
        except Inconclusive as reason:
            found = reason
        case.cache["learning"] = found
    if isinstance(found, Inconclusive):
        raise Inconclusive(str(found))
    return found


def failing(case: Any) -> Learning:
    """The `Learning` of a set-up that does not learn.

    Raises:
        Inconclusive: where that is not so, or not certain.
    """
    found = learning(case)
    if not found.fails:
        raise Inconclusive(f"it learns one batch: the loss goes {found.base}")
    return found


def _seconds(case, samples) -> float:
    """What a step takes, by an estimate."""
    calls = [(one.layer, one.inputs, one.outputs) for one in signals(case)]
    return seconds_of_a_step(case.model, calls, min(samples, samples_of((case.x, None, None))))


def _is_float(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f"


def weight_penalty(model: Any) -> float:
    """The sum of the regularisers of all weights now."""
    total = 0.0
    for variable in model.trainable_variables:
        if getattr(variable, "regularizer", None) is not None:
            total += float(np.sum(keras.ops.convert_to_numpy(keras.ops.stop_gradient(variable.regularizer(variable)))))
    return total


def samples_of(batch: Sequence[Any]) -> int:
    """The number of samples of (x, y, sample_weight)."""
    return int(leaves_of(batch)[0].shape[0])
