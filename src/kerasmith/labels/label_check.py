"""What happens where labels are outside of their domain: never a plausible number.

Where values can be read, it is an error. In a TensorFlow graph an assertion ends the step with the same text. A program that
XLA compiles (JAX, TensorFlow with `jit_compile=True`) can say nothing: there the `LabelWatch` of the running call gets a
`Doubt`, which turns the loss of these samples, or the totals of the metric, into NaN.
"""

import functools
import math
import re

import keras
import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.keras_internals.tensors import compiled_by_xla, is_concrete, is_symbolic
from kerasmith.labels.label_domain import LabelDomain
from kerasmith.labels.label_watch import Doubt, running_watch
from kerasmith.numerics.tensors import is_float, static_shape


def id_dtype() -> str:
    """The widest dtype that ids can have: "int64", or "int32" on JAX without 64-bit types."""
    return keras.backend.standardize_dtype(ops.convert_to_tensor(np.zeros((), "int64")).dtype)


def check_labels(labels: Tensor, domain: LabelDomain, counts: Tensor | None = None) -> Tensor:
    """The labels; those outside of their domain are an error, or make the result NaN, or are 0 where they do not count.

    Args:
        labels: (B, ...), in the dtype that they came in: a narrowed one may have wrapped.
        domain: what they may be.
        counts: None, or weights that broadcast against `labels`; an element of weight 0 may hold anything.

    Raises:
        ValueError: where values can be read.
    """
    shape = static_shape(labels, "y_true")
    low, high = _bounds(labels, domain)
    if 0 in shape or is_symbolic(labels) or (low is None and high is None and not is_float(labels)):
        return labels
    watch = running_watch()
    sample = None if watch is None or watch.sample is None or len(watch.sample.shape) != 1 else watch.sample
    if is_concrete(labels) and _are_inside(labels, domain):
        return labels
    readable = all(x is None or is_concrete(x) for x in (labels, counts, sample))
    labels = used_labels(labels, counts, sample)
    if readable:
        _raise_unless_inside(labels, domain)
    elif keras.backend.backend() == "tensorflow" and not compiled_by_xla():
        labels = _asserted_in_graph(labels, low, high, domain)
    elif watch is not None and shape:
        watch.doubt(Doubt(labels, low, high, domain))
    return labels


def _bounds(labels, domain):
    """The bounds in the numbers of the labels' dtype; None where every number passes."""
    kind = keras.backend.standardize_dtype(labels.dtype)
    low, high = domain.low, domain.high
    if kind == "bool" and low <= 0 and high >= 1:
        return None, None
    if "int" in kind:
        low = None if math.isinf(low) or ("uint" in kind and low <= 0) else math.ceil(low)
        bits = int(kind.strip("uint")) - ("uint" not in kind)
        high = None if high >= 2**bits - 1 else math.floor(high)
    return (None if low == -math.inf else low), (None if high == math.inf else high)


def used_labels(labels: Tensor, counts: Tensor | None, sample: Tensor | None) -> Tensor:
    """Labels with 0, which is in every domain, where they do not count."""
    if counts is not None:
        labels = ops.where(ops.not_equal(counts, 0), labels, ops.zeros_like(labels))
    if sample is not None:
        sample = ops.reshape(sample, (-1,) + (1,) * (len(labels.shape) - 1))
        labels = ops.where(ops.not_equal(sample, 0), labels, ops.zeros_like(labels))
    return labels


def _are_inside(labels, domain):
    if keras.backend.backend() == "torch" and _has_bits_inside(labels, domain):
        return True
    low, high = _extremes(labels)
    return low >= domain.low and high <= domain.high and not _has_fractions(labels, domain)


def _raise_unless_inside(labels, domain):
    if _are_inside(labels, domain):
        return
    raise ValueError(domain.answer(*_extremes(labels), _has_fractions(labels, domain)))


def _has_bits_inside(labels, domain):
    """Whether the numbers of float32, read as integers, show that all are inside: in less than half the time.

    Numbers from 0 on have the order of their bits; negative ones, -0 too, read as negative, and NaN as more than any.
    """
    import torch

    if labels.dtype != torch.float32 or domain.fractions or domain.low > 0:
        return False
    low, high = labels.view(torch.int32).aminmax()
    return low.item() >= 0 and high.item() <= int(np.float32(min(domain.high, np.finfo("float32").max)).view("int32"))


def _extremes(labels):
    if keras.backend.backend() == "torch":
        low, high = labels.aminmax()  # one pass over memory
        return low.item(), high.item()
    return tuple(ops.convert_to_numpy(extreme(labels)).item() for extreme in (ops.min, ops.max))


def _has_fractions(labels, domain):
    return bool(domain.fractions) and is_float(labels) and not bool(ops.all(ops.equal(labels, ops.floor(labels))))


def _asserted_in_graph(labels, low, high, domain):
    """The labels, which nothing can use before the assertion holds: else a step would train on them and fail then."""
    import tensorflow as tf

    holds = _assert_by_bits if high is not None and _have_quick_bits(labels, domain) else _assert_by_extremes
    with tf.control_dependencies(holds(labels, low, high, domain)):
        return tf.identity(labels)


def _assert_by_bits(labels, low, high, domain):
    import tensorflow as tf

    # Bits of float32 from 0 on have the order of the numbers; those of negative numbers, -0 too, and of NaN are larger.
    largest = tf.reduce_max(tf.bitcast(labels, tf.uint32))
    bound = int(np.array(min(high, np.finfo("float32").max), labels.dtype.as_numpy_dtype).view("uint32"))

    def slowly():
        with tf.control_dependencies(_assert_by_extremes(labels, low, high, domain)):
            return tf.constant(True)

    return [tf.cond(largest <= tf.constant(bound, tf.uint32), lambda: tf.constant(True), slowly)]


def _have_quick_bits(labels, domain):
    """Whether one pass instead of two shows that labels are inside; a GPU would send such integers to the CPU."""
    import tensorflow as tf

    is_short = labels.dtype in (tf.float32, tf.int32) and not (domain.fractions and is_float(labels))
    return is_short and domain.low <= 0 <= domain.high < 2**31 and not tf.config.list_logical_devices("GPU")


def _assert_by_extremes(labels, low, high, domain):
    import tensorflow as tf

    least, largest = tf.reduce_min(labels), tf.reduce_max(labels)
    inside = tf.constant(True)
    if low is not None:
        inside &= least >= tf.cast(low, labels.dtype)
    if high is not None:
        inside &= largest <= tf.cast(high, labels.dtype)
    if is_float(labels):
        inside &= tf.equal(least, least) & tf.equal(largest, largest)
    asserted = [_assert(inside, functools.partial(_complaint_in_graph, domain, least, largest, low))]
    if domain.fractions and is_float(labels):
        asserted.append(_assert(tf.reduce_all(tf.equal(labels, tf.floor(labels))), lambda: domain.fractions))
    return asserted


def _assert(condition, text):
    """The text is made only where the condition fails."""
    import tensorflow as tf

    def fail():
        with tf.control_dependencies([tf.debugging.Assert(False, [text()])]):
            return tf.constant(False)

    return tf.cond(condition, lambda: tf.constant(True), fail)


def _complaint_in_graph(domain, least, largest, low):
    import tensorflow as tf

    is_high = tf.constant(True) if low is None else least >= tf.cast(low, least.dtype)
    values = {"low": least, "high": largest, "odd": tf.where(is_high, largest, least)}
    names = re.findall(r"{(\w+)}", domain.template)
    return tf.strings.format(re.sub(r"{\w+}", "{}", domain.template), [values[name] for name in names])
