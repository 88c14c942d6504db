"""Why a loss is NaN: the one message of a step that XLA compiled and that cannot raise the error of its labels."""

import contextlib
import contextvars
import functools
import math
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.distribution import replica_count
from kerasmith.files.messages import warn
from kerasmith.keras_internals.xla_steps import StepSignal, keep_with_trace
from kerasmith.labels.label_domain import PREDICTIONS, LabelDomain
from kerasmith.labels.label_watch import Doubt, LabelWatch
from kerasmith.numerics.tensors import is_float

_warned: Any = weakref.WeakSet()
_signals: Any = weakref.WeakKeyDictionary()
_whole: contextvars.ContextVar[keras.losses.Loss | None] = contextvars.ContextVar("whole_loss", default=None)


@contextlib.contextmanager
def telling_for(whole: keras.losses.Loss) -> Iterator[None]:
    """Inside, the parts of a sum tell as one loss."""
    token = _whole.set(_whole.get() or whole)
    try:
        yield
    finally:
        _whole.reset(token)


def warn_of_wrong_labels(name: str, domains: Sequence[LabelDomain], otherwise: str = "") -> None:
    """Says why a metric is NaN: labels or weights were outside of one of these domains in a compiled step.

    Args:
        name: of the metric.
        domains: what labels and weights had to be.
        otherwise: what else may have made it NaN.
    """
    held = " or ".join(dict.fromkeys(domain.of for domain in domains))
    rules = " ".join(f"{domain.expected} {domain.general_advice}" for domain in domains)
    if set(domains) == {PREDICTIONS} and not otherwise:
        warn(f"'{name}' is NaN: a batch held NaN in y_pred. {rules}", stacklevel=4)
        return
    warn(
        f"'{name}' is NaN: {held} held other values than it may in a compiled step, which cannot say so{otherwise}. {rules}",
        stacklevel=4,
    )


def tell_of_wrong_labels(loss: keras.losses.Loss, watch: LabelWatch) -> Tensor | None:
    """Lets the program that is being traced tell the host of labels outside of their domain, once for each loss.

    What labels hold is computed only where there is something to tell. JAX calls the host at once; TensorFlow leaves the
    numbers in a variable, which is looked at before the next step of `fit`, at the end of an epoch, and after
    `train_on_batch`. Nothing is told in a user's own functions with `jit_compile=True` that Python itself calls. Steps of
    several replicas cannot be compiled so: TensorFlow refuses them with any loss.

    Returns:
        None, or a scalar 0 that the result has to depend on, or JAX would not tell.
    """
    loss, zero = _whole.get() or loss, None
    for doubt in watch.doubts:
        bad = ops.any(doubt.outside())
        if keras.backend.backend() == "jax":
            nothing = _call_host(loss, doubt, bad)
            zero = nothing if zero is None else zero + nothing
        elif replica_count() == 1:
            keep_with_trace(loss)
            signals = _signals.setdefault(loss, {})
            if doubt.domain not in signals:
                signals[doubt.domain] = StepSignal(functools.partial(_tell, weakref.ref(loss), doubt.domain), 4)
            signals[doubt.domain].write(bad, functools.partial(_contents, doubt))
    return zero


def _contents(doubt: Doubt) -> list[Tensor]:
    """The least and the largest label, and whether there are NaN and fractions: scalars of float32."""
    x = ops.cast(doubt.labels, "float32")
    no = ops.zeros((), "bool")
    has_nan = ops.any(ops.isnan(x)) if is_float(doubt.labels) else no
    has_fractions = ops.any(ops.not_equal(x, ops.floor(x))) if is_float(doubt.labels) else no
    return [ops.min(x), ops.max(x), ops.cast(has_nan, "float32"), ops.cast(has_fractions, "float32")]


def _call_host(loss, doubt, bad):
    import jax

    def tell(*contents):
        _tell(loss, doubt.domain, *contents)
        return np.float32(0.0)

    # An effect, as of `jax.debug.callback`, would make each call of the program ten times as slow to start.
    def call():
        contents = jax.lax.stop_gradient(_contents(doubt))
        return jax.pure_callback(tell, jax.ShapeDtypeStruct((), "float32"), *contents, vmap_method="sequential")

    return jax.lax.cond(bad, call, lambda: jax.numpy.float32(0.0))


def _tell(loss, domain: LabelDomain, low: Any, high: Any, has_nan: Any, has_fractions: Any) -> None:
    loss = loss() if isinstance(loss, weakref.ref) else loss
    if loss is None or loss in _warned:
        return
    low, high = (math.nan if has_nan else float(x) for x in (low, high))
    complaint = domain.answer(low, high, bool(has_fractions))
    if complaint:  # else the loss is NaN because predictions are
        _warned.add(loss)
        warn(f"'{loss.name}' is NaN: a compiled step cannot raise this error. {complaint}", stacklevel=2)
