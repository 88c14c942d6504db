"""What a loss takes its predictions for, logits, probabilities or values, by what it answers to chosen ones."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

# (y_true, y_pred) -> the mean loss; NaN where it is not finite or where the loss refuses.
Value = Callable[[Any, Any], float]

_LOGITS = (2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 40.0)
_MOST_NUMBERS = 200_000
_LARGE, _SIDE = 20_000, 16


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a loss was seen to do on made-up labels of the shape of the real ones.

    Attributes:
        kind: "logits", "probabilities", "positive" (numbers above 0), "values" (targets of any size), or None where the
            answers fit none of these.
        encoding: "ids" (labels without the class axis), "classes" (one row for each sample), "elements" (one number each).
        axis: of the classes in the predictions.
        perfect, worst, best: the mean loss of predictions that equal the labels, that deny them, and its lowest value.
        above, below: the losses of predictions beyond 1 and under 0, each beside the one at the limit: (at, beyond).
        normalises: whether only the ratios of a row count.
        logarithmic: whether it grows as a cross-entropy where the true class gets little.
        elementwise: whether each element of a row is a yes or no of its own.
        margin: whether it is at its lowest from some finite prediction on, as a hinge loss.
    """

    kind: str | None
    encoding: str | None
    axis: int = -1
    perfect: float = np.nan
    worst: float = np.nan
    best: float = np.nan
    above: tuple[float, float] = (np.nan, np.nan)
    below: tuple[float, float] = (np.nan, np.nan)
    normalises: bool = False
    logarithmic: bool = False
    elementwise: bool = False
    margin: bool = False


def encoding_of(true: tuple[int, ...], pred: tuple[int, ...]) -> tuple[str | None, int]:
    """(how labels of one shape name what predictions of another say, the axis of the classes).

    Args:
        true, pred: shapes with the batch.
    """
    if true == pred or true == (*pred, 1) or pred == (*true, 1):
        return ("classes" if len(pred) > 1 and pred[-1] > 1 and true == pred else "elements"), -1
    for axis in (-1, 1):
        if len(pred) < 2 or (axis == 1 and len(pred) < 3):
            continue
        place = axis % len(pred)
        without = pred[:place] + pred[place + 1 :]
        if pred[place] > 1 and true in (without, (*without, 1), (*pred[:place], 1, *pred[place + 1 :])):
            return "ids", axis
    return None, -1


def made_up(y_true: Any, y_pred: Any, along: int | None = None) -> tuple[np.ndarray, np.ndarray] | None:
    """(labels as the loss gets them, the same between 0 and 1 in the shape of the predictions); None if they do not fit.

    Args:
        y_true, y_pred: a batch, for its shapes.
        along: the axis of the classes where both have one; the last one by default.
    """
    encoding, axis = encoding_of(y_true.shape, y_pred.shape)
    axis = axis if along is None else along
    if encoding is None:
        return None
    dtype = y_true.dtype if y_true.dtype.kind in "biuf" else np.dtype("float32")
    if encoding == "elements":
        hot = (np.arange(y_pred.size) % 2).reshape(y_pred.shape)
        return hot.reshape(y_true.shape).astype(dtype), hot.astype("float32")
    place = axis % y_pred.ndim
    classes = y_pred.shape[place]
    shape = y_pred.shape[:place] + y_pred.shape[place + 1 :]
    # Neighbours of one sample differ too, so that no statistic over a sample can hide a class.
    ids = (np.arange(int(np.prod(shape))) % classes).reshape(shape)
    hot = np.moveaxis(np.eye(classes, dtype="float32")[ids], -1, place)
    return (hot if encoding == "classes" else ids.reshape(y_true.shape)).astype(dtype), hot


def few(array: np.ndarray) -> np.ndarray:
    """The first samples, as many as can be asked often."""
    size = int(np.prod(array.shape[1:])) or 1
    return array[: int(np.clip(_MOST_NUMBERS // size, 2, 16))]


def _common_axes(true: tuple[int, ...], pred: tuple[int, ...]) -> int:
    """How many axes behind the batch labels and predictions share, the last one of the predictions left out."""
    count = 0
    for a, b in zip(true[1:], pred[1:-1]):
        if a != b:
            break
        count += 1
    return count


def reading_of(value: Value, y_true: np.ndarray, y_pred: np.ndarray) -> Reading:
    """What `value` takes its predictions for.

    Args:
        value: the loss.
        y_true, y_pred: a real batch, for its shapes.
    """
    pred = few(y_pred)
    true = y_true[: len(pred)]
    encoding, axis = encoding_of(true.shape, pred.shape)
    if encoding is None:
        return Reading(None, None)
    if pred.size > _LARGE and axis == -1:
        # A part of each image or text says the same, where the loss takes any size.
        part = (slice(None), *[slice(_SIDE)] * _common_axes(true.shape, pred.shape))
        if np.isfinite(value(*made_up(true[part], pred[part]))):
            true, pred = true[part], pred[part]
    found = _Questions(value, *made_up(true, pred), encoding, axis).answer()
    if found.kind is None and encoding == "classes" and pred.ndim > 2 and pred.shape[1] > 1:
        # Channels first: a loss that was told so.
        other = _Questions(value, *made_up(true, pred, 1), encoding, 1).answer()
        found = found if other.kind in (None, "values") else other
    return found


class _Questions:
    """The predictions that a loss is asked with; `hot` is what is true, between 0 and 1."""

    def __init__(self, value: Value, y: np.ndarray, hot: np.ndarray, encoding: str | None, axis: int) -> None:
        self.y, self.hot, self.encoding, self.axis = y, hot, encoding, axis
        self.value = value
        self.classes = hot.shape[axis] if encoding != "elements" else 1
        self.wrong = np.roll(hot, 1, axis) if self.classes > 1 else 1 - hot

    def at(self, pred: np.ndarray, y: np.ndarray | None = None) -> float:
        return self.value(self.y if y is None else y, pred.astype("float32"))

    def leaning(self, share: float, towards: np.ndarray) -> np.ndarray:
        """Probabilities that give `share` to what `towards` says."""
        rest = (1 - share) / max(self.classes - 1, 1)
        return np.where(towards > 0.5, share, rest).astype("float32")

    def answer(self) -> Reading:
        at, hot = self.at, self.hot
        perfect, worst = at(hot), at(self.wrong)
        signs = 2 * hot - 1
        logits = {k: at(k * signs) for k in _LOGITS}
        finite = [v for v in logits.values() if np.isfinite(v)]
        known = {
            "encoding": self.encoding,
            "axis": self.axis,
            "perfect": perfect,
            "worst": worst,
            "best": min([perfect, *finite]) if np.isfinite(perfect) else np.nan,
        }
        if self._linear() or self._without_labels(perfect):
            return Reading(None, **known)
        if self._reads_logits(perfect, worst, logits):
            margin = abs(logits[2.0] - logits[40.0]) <= 1e-6 * max(abs(worst), 1e-6)
            return Reading("logits", margin=margin, elementwise=self._elementwise(4.0), **known)
        soft = at(self.leaning(0.9, hot))
        if np.isfinite(soft) and soft < at(self.leaning(0.5 if self.classes == 1 else 1 / self.classes, hot)):
            read = self._probabilities(soft, known)
            if read is not None:
                return read
        return Reading(self._values(), **known)

    def _linear(self) -> bool:
        """The loss of a critic, y * p: it has no lowest value, and no range of predictions."""
        p = self.leaning(0.7, self.hot)
        one, two, other = self.at(p), self.at(2 * p), self.at(-p)
        return bool(abs(one) > 1e-6 and max(abs(two - 2 * one), abs(other + one)) <= 1e-4 * abs(one))

    def _without_labels(self, perfect: float) -> bool:
        """Whether other labels change nothing, as for a loss that compares the samples with each other."""
        other = (self.y + 1) % self.classes if self.encoding == "ids" else self.wrong.reshape(self.y.shape)
        denied = self.at(self.hot, other.astype(self.y.dtype))
        return bool(abs(denied - perfect) <= 1e-6 * (1e-6 + abs(perfect)))

    def _reads_logits(self, perfect: float, worst: float, logits: dict[float, float]) -> bool:
        if not np.all(np.isfinite([perfect, worst, *logits.values()])):
            return False
        best = min(logits.values())
        gap = perfect - best
        # A loss that falls for ever is none from logits, but one that does not know its range.
        return worst > perfect and gap > 0.1 * (worst - best) and logits[40.0] >= logits[20.0] - 0.01 * gap

    def _elementwise(self, size: float | None = None) -> bool:
        """Whether saying yes where all labels are 0 costs something."""
        if self.encoding == "ids":
            return False
        none = np.zeros_like(self.y)
        low, high = (0.1, 0.9) if size is None else (-size, size)
        no, yes = (self.at(np.full_like(self.hot, p), none) for p in (low, high))
        return bool(yes - no > 0.1)

    def _probabilities(self, soft: float, known: dict[str, Any]) -> Reading | None:
        at, hot = self.at, self.hot
        inside = self.leaning(0.9, hot)
        above = at(np.where(hot > 0.5, 1.0, inside)), at(np.where(hot > 0.5, 7.0, inside))
        below = at(np.where(hot > 0.5, 0.0, inside)), at(np.where(hot > 0.5, -3.0, inside))
        one, little, less = (at(self.leaning(share, hot)) for share in (0.999, 1e-2, 1e-4))
        growth = (less - little) / (little - one) if little > one else np.nan
        logarithmic = bool(0.5 < growth < 2.5)
        scaled = [at(factor * inside) for factor in (0.5, 0.25)]
        normalises = self.classes > 1 and all(abs(v - soft) <= 1e-4 * max(abs(soft), 1e-3) for v in scaled)
        answers = {
            "above": above,
            "below": below,
            "normalises": normalises,
            "logarithmic": logarithmic,
            "elementwise": self._elementwise(),
            **known,
        }
        flat = [abs(pair[1] - pair[0]) <= 1e-4 * max(abs(pair[0]), 1e-2) for pair in (above, below)]
        if logarithmic:
            # A count's loss rises again above 1, at any finite number.
            if np.isfinite(above[1]) and above[1] > above[0] + 0.5 and not normalises:
                return Reading("positive", **answers)
            return Reading("probabilities", **answers)
        # What a loss does not feel inside of the range either, it need not feel beyond.
        moved = abs(at(np.where(hot > 0.5, 0.5, inside)) - above[0]) > 1e-2 * max(abs(above[0]), 1e-2)
        if all(flat) and moved and not normalises:
            return Reading("probabilities", **answers)
        perfect, cheats = known["perfect"], [at(np.where(hot > 0.5, 7.0, other)) for other in (inside, -3.0)]
        cheated = min([v for v in cheats if np.isfinite(v)], default=np.nan)
        scale = max(abs(known["worst"] - perfect), 1e-3)
        if not normalises and cheated < perfect - 0.5 * scale:
            return Reading("probabilities", **{**answers, "above": (perfect, cheated)})
        return None

    def _values(self) -> str | None:
        """Whether the loss is lowest where predictions equal targets that lie anywhere."""
        if self.encoding == "ids":
            return None
        lowest = []
        for shift in (3.0, -3.0):
            target = (self.hot + shift).astype("float32")
            y = target.reshape(self.y.shape)
            here = self.at(target, y)
            near = [self.at(target + d, y) for d in (0.5, -0.5)]
            far = [self.at(target + d, y) for d in (2.0, -2.0)] + [self.at(2 * target, y)] * (shift > 0)
            lowest.append(all(n > here for n in near) and far[0] > near[0] and far[1] > near[1] and min(far) > here)
        if not lowest[0]:
            return None
        # One that flattens what is below 0, as those of logarithms do, still has targets above it.
        return "values" if lowest[1] or np.isfinite(self.at(-3 * self.hot - 1)) else "positive"
