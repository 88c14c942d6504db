"""What can be seen of a training from outside, and how two of them differ."""

import dataclasses
import re

import numpy as np

from kerasmith.checks.engine.lazy_keras import ops

# Levels of lists and dicts that are looked into.
_DEEP = 6
_NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]?\d+)?")


@dataclasses.dataclass
class Trace:
    """What a callback has done.

    Attributes:
        first: the epoch that the training began with.
        stopped: the epoch after which training was ended, or None.
        rates: {epoch: [learning rate of each step]}; None where it cannot be seen.
        logs: {epoch: logs as the callbacks after it see them}.
        weights: {epoch: weights at its end}.
        final: the weights when training has ended, None if it was broken off.
        printed: {epoch: text}; "end" for what was printed at the end.
        files: {relative path: bytes, or checksums of an archive}.
        touched: [(hook, key, value before, value after)] of logs that were changed or removed; after is None if removed.
        held: {epoch: numbers in the arrays that the callback holds}.
        attributes: {name: value} of the callback at the end.
        asked_to_stop: whether `model.stop_training` was set.
    """

    first: int = 0
    stopped: int | None = None
    rates: dict = dataclasses.field(default_factory=dict)
    logs: dict = dataclasses.field(default_factory=dict)
    weights: dict = dataclasses.field(default_factory=dict)
    final: np.ndarray | None = None
    printed: dict = dataclasses.field(default_factory=dict)
    files: dict = dataclasses.field(default_factory=dict)
    touched: list = dataclasses.field(default_factory=list)
    held: dict = dataclasses.field(default_factory=dict)
    attributes: dict = dataclasses.field(default_factory=dict)
    asked_to_stop: bool = False

    def facts(self, since=0):
        """{what: value} of everything that another training can be compared with, from epoch `since` on."""
        found = {"stopped": self.stopped, "final": self.final}
        for kind in ("rates", "logs", "weights", "printed"):
            for epoch, value in getattr(self, kind).items():
                if epoch == "end" or epoch >= since:
                    # Numbers that are printed are seconds too often.
                    found[f"{kind} {epoch}"] = _NUMBER.sub("0", value) if kind == "printed" else value
        for path, content in self.files.items():
            found[f"files {path}"] = content
        return found


def differences(one, other, since=0, clock=(), rounding=1e-5):
    """{what: (value in one, value in other)} of two traces.

    Args:
        since: the first epoch to compare.
        clock: names of facts that differ by themselves, such as a time; see `restless`.
        rounding: relative difference of numbers that counts as none.
    """
    left, right = one.facts(since), other.facts(since)
    names = [name for name in dict.fromkeys([*left, *right]) if name not in clock]
    return {name: (left.get(name), right.get(name)) for name in names if not same(left.get(name), right.get(name), rounding)}


def restless(one, other, since=0):
    """The facts that differ between two equal trainings, be it by the last digit: a clock, a random number."""
    return tuple(differences(one, other, since, rounding=0.0))


def of_consequence(found):
    """Those differences that are more than printed text."""
    return {name: pair for name, pair in found.items() if not name.startswith("printed")}


def same(left, right, rounding=1e-5):
    """Whether two values are equal, numbers up to `rounding`."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key], rounding) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(same(a, b, rounding) for a, b in zip(left, right))
    if _is_number(left) and _is_number(right):
        left, right = np.asarray(left), np.asarray(right)
        close = left.shape == right.shape and np.allclose(left, right, rtol=rounding, atol=0.01 * rounding, equal_nan=True)
        return bool(close)
    try:
        return left is right or bool(left == right)
    except Exception:
        return False


def told(name, value):
    """One fact in words."""
    kind, _, which = name.partition(" ")
    if name == "stopped":
        return "training goes on to its end" if value is None else f"training stops after epoch {value + 1}"
    if kind == "files":
        return f"file {which}: " + ("does not exist" if value is None else _text(value))
    when = "at the end" if which in ("", "end") else f"in epoch {int(which) + 1}"
    what = {"rates": "learning rate", "logs": "logs", "weights": "weights", "final": "weights", "printed": "prints"}[kind]
    if kind == "printed":
        return f"{what} {when}: {value!r}"
    return f"{what} {when}: {_short(value)}"


def _is_number(value):
    return isinstance(value, (bool, int, float, np.ndarray, np.generic)) and np.asarray(value).dtype.kind in "biuf"


def _text(content):
    if isinstance(content, dict):
        return "checksums " + ", ".join(f"{name} {number:08x}" for name, number in content.items())[:120]
    try:
        return repr(content.decode())[:120]
    except UnicodeDecodeError:
        return f"{len(content)} bytes"


def _short(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_short(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
        return "[" + ", ".join(_short(part) for part in list(value)[:5]) + "]"
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)[:80]


def elements(value, model, seen=None, depth=0):
    """Numbers in the arrays and tensors that can be reached through lists and dicts; not those of the model."""
    seen = set() if seen is None else seen
    if id(value) in seen or value is model or depth > _DEEP:
        return 0
    seen.add(id(value))
    if isinstance(value, dict):
        return sum(elements(part, model, seen, depth + 1) for part in list(value.values()))
    if isinstance(value, (list, tuple, set)) or type(value).__name__ == "deque":
        return sum(elements(part, model, seen, depth + 1) for part in list(value))
    if isinstance(value, np.ndarray) or ops.is_tensor(value):
        shape = tuple(value.shape)
        return int(np.prod(shape)) if shape else 0
    return 0
