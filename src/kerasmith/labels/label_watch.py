"""What a program that XLA compiles knows of labels outside of their domain, which it cannot say: the samples become NaN."""

import contextlib
import contextvars
import functools
import math
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.labels.label_domain import LabelDomain
from kerasmith.numerics.tensors import is_float


class Doubt:
    """Labels of which it is not yet known whether they are inside of their domain.

    A part that reads them anyway can say so from what it computes, see `settle`; otherwise `outside` reads them once more.

    Attributes:
        labels: (B, ...), as they came in.
        low, high: the bounds in numbers of the labels' dtype; None where every number passes.
        domain: their `LabelDomain`.
        is_marked: whether `marked` was asked.
    """

    def __init__(self, labels: Tensor, low: float | None, high: float | None, domain: LabelDomain) -> None:
        self.labels, self.low, self.high, self.domain = labels, low, high, domain
        self.is_marked = False
        self._bad: Any = None

    @property
    def is_open(self) -> bool:
        """Whether no part has settled it."""
        return self._bad is None

    def settle(self, bad: Tensor) -> None:
        """Says for which samples labels are outside, (B,) booleans."""
        if self.is_open:
            self._bad = bad

    def inside(self, labels: Tensor) -> Tensor:
        """Whether each of these labels, cast to another dtype or in another layout, is inside."""
        inside = ops.equal(labels, labels) if self.low is None and self.high is None else None
        if self.low is not None:
            inside = labels >= self.low
        if self.high is not None:
            inside = labels <= self.high if inside is None else ops.logical_and(inside, labels <= self.high)
        if self.domain.fractions and is_float(labels):
            inside = ops.logical_and(inside, ops.equal(labels, ops.floor(labels)))
        return inside

    def marked(self, values: Tensor, labels: Tensor) -> Tensor:
        """Values with NaN where the labels beside them are outside: a sum over them settles it, see `settle_by_sum`.

        The choice comes last, so that XLA on the CPU leaves it and `values` in one loop with what is before.
        """
        self.is_marked = True
        return _marked(values, self.inside(labels))

    def settle_by_sum(self, sums: Tensor) -> None:
        """Settles it by sums over `marked` values, (B,) or (B, C)."""
        bad = ops.isnan(sums)
        self.settle(ops.any(bad, axis=-1) if len(bad.shape) > 1 else bad)

    def outside(self) -> Tensor:
        """(B,) booleans."""
        if self.is_open:
            # XLA on the CPU writes what it reduces: small integers are least, and the largest takes no longer than a sum.
            bad = ops.cast(ops.logical_not(self.inside(self.labels)), "int8")
            self._bad = ops.max(ops.reshape(bad, (ops.shape(bad)[0], -1)), axis=1) > 0
        return self._bad


def _marked(values, inside):
    """Values with NaN where not `inside`; the gradient passes by, or XLA would keep `inside` for it."""
    nan = ops.cast(math.nan, values.dtype)
    if keras.backend.backend() == "jax":
        return _marked_on_jax()(values, inside, nan)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.custom_gradient(lambda x: (tf.where(inside, x, nan), lambda gradient: gradient))(values)
    return ops.where(inside, values, nan)


@functools.cache
def _marked_on_jax():
    import jax

    @jax.custom_jvp
    def marked(values, inside, nan):
        return jax.numpy.where(inside, values, nan)

    marked.defjvp(lambda primals, tangents: (marked(*primals), tangents[0]))
    return marked


class LabelWatch:
    """Which samples have labels that cannot be, in one call of a loss or a metric.

    Attributes:
        owner: who opened it.
        sample: (B,) weights of samples; a sample of weight 0 may have any label. None where all count.
        doubts: the `Doubt`s that came up.
    """

    def __init__(self, owner: Any = None, sample: Tensor | None = None) -> None:
        self.owner = owner
        self.sample = sample
        self.doubts: list[Doubt] = []

    def doubt(self, doubt: Doubt) -> None:
        """Takes up a doubt."""
        self.doubts.append(doubt)

    def doubt_about(self, labels: Tensor) -> Doubt | None:
        """The doubt about just these labels, if there is one."""
        return next((doubt for doubt in self.doubts if doubt.labels is labels), None)

    @property
    def domains(self) -> tuple[LabelDomain, ...]:
        """What labels and weights had to be, each once."""
        return tuple(dict.fromkeys(doubt.domain for doubt in self.doubts))

    def bad(self) -> Tensor | None:
        """(B,) booleans, or None if there is no doubt."""
        bad = None
        for doubt in self.doubts:
            outside = doubt.outside()
            bad = outside if bad is None else ops.logical_or(bad, outside)
        return bad

    def poison(self, values: Tensor, zero: Tensor | None = None) -> Tensor:
        """(B,) values with NaN for samples with such labels, in the gradient too; they depend on `zero`, which is 0."""
        bad = self.bad()
        if bad is None:
            return values
        factor = ops.where(bad, math.nan, ops.ones_like(values))
        return values * (factor if zero is None else factor + ops.cast(zero, factor.dtype))

    def poison_all(self, values: Tensor) -> Tensor:
        """Values of any shape, all NaN if there is such a sample."""
        bad = self.bad()
        return values if bad is None else ops.where(ops.any(bad), math.nan, values)


_running: contextvars.ContextVar[LabelWatch | None] = contextvars.ContextVar("label_watch", default=None)
running_watch = _running.get


def doubt_about(labels: Tensor) -> Doubt | None:
    """The doubt of the running watch about just these labels, as `check_labels` gave them back."""
    watch = running_watch()
    return None if watch is None else watch.doubt_about(labels)


@contextlib.contextmanager
def watch_labels(owner: Any = None, sample: Tensor | None = None) -> Iterator[LabelWatch]:
    """Opens a `LabelWatch` for the labels that are checked inside."""
    watch = LabelWatch(owner, sample)
    token = _running.set(watch)
    try:
        yield watch
    finally:
        _running.reset(token)
