"""What images a backbone is given: the range of their values, and what they go through before."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.backbones import applications
from kerasmith.base.arguments import check_number
from kerasmith.files.messages import warn
from kerasmith.keras_internals.tensors import compiled_by_xla, is_concrete, is_symbolic
from kerasmith.labels.label_check import check_labels
from kerasmith.labels.label_domain import LabelDomain

_OVERSHOOT = 0.1  # of the range: interpolation, noise
_BYTES = 100.0  # a range as wide as this counts whole grey levels


def checked_range(name: str, value: Any) -> tuple[float, float] | None:
    """`value` as (low, high), or None.

    Raises:
        ValueError, TypeError: unless it is None or two finite numbers, the smaller one first.
    """
    if value is None:
        return None
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__") or len(value) != 2:
        raise ValueError(f"`{name}` must be two numbers, such as (0, 1). Received: {name}={value!r}")
    for i, number in enumerate(value):
        check_number(f"{name}[{i}]", number)
    low, high = map(float, value)
    if low >= high:
        raise ValueError(f"`{name}` must be (low, high) with low < high. Received: {name}={value!r}")
    return low, high


class RangeCheck:
    """Refuses true images that do not lie in the range of values that was named.

    Args:
        value_range: (low, high). A tenth of the range beyond passes: interpolation and noise overshoot.
    """

    def __init__(self, value_range: Sequence[float]) -> None:
        low, high = value_range
        margin = _OVERSHOOT * (high - low)
        text = f"({low:g}, {high:g})"
        self.is_signed, self.is_wide = low < 0, high - low >= _BYTES
        self.text = text
        self.domain = LabelDomain(
            f"Images must lie in the range that `value_range={text}` names.",
            "Write the range that they have, such as `value_range=(0, 1)`, `(-1, 1)` or `(0, 255)`.",
            low - margin,
            high + margin,
        )
        self._warned = False

    def __call__(self, y_true: Tensor) -> Tensor:
        """`y_true`, checked as labels are: an error where values can be read, and in graphs of TensorFlow; NaN under XLA."""
        self._warn_of_another_range(y_true)
        return check_labels(y_true, self.domain)

    def _warn_of_another_range(self, y_true):
        if self._warned or not (self.is_signed or self.is_wide) or 0 in tuple(y_true.shape) or is_symbolic(y_true):
            return
        if is_concrete(y_true):
            self._warn_of(*(ops.convert_to_numpy(ops.cast(f(y_true), "float32")) for f in (ops.min, ops.max)))
        elif keras.backend.backend() == "tensorflow" and not compiled_by_xla():
            import tensorflow as tf

            tf.numpy_function(self._warn_of, [tf.reduce_min(y_true), tf.reduce_max(y_true)], [])

    def _warn_of(self, low, high):
        if not self._warned and ((self.is_signed and 0 <= low < high) or (self.is_wide and low >= 0 and 0 < high <= 1)):
            self._warned = True
            warn(
                f"The images of a batch lie between {low:g} and {high:g}, but `value_range={self.text}`: to the backbone "
                f"they are {'bright' if self.is_signed else 'black'}. Write `value_range=(0, 1)` if that is their range.",
                stacklevel=3,
            )


def preprocessing(
    preprocess: Any, value_range: Any, application: str | None
) -> tuple[applications.Preprocessing | None, tuple[float, float] | None]:
    """What images go through before the backbone, None for nothing, and the range that they have before that.

    Args:
        preprocess: "auto", None, a name of `keras.applications`, its `preprocess_input`, or the range that the backbone wants.
        value_range: (low, high) or None: (0, 1) where that has to be known.
        application: the name of the backbone, if it has one.
    """
    value_range = checked_range("value_range", value_range)
    name = applications.name_of_preprocessing(preprocess)
    if name is not None:
        preprocess = name
    if isinstance(preprocess, str) and preprocess == "auto":
        preprocess = application
    if preprocess is None:
        return None, value_range
    given = value_range or (0.0, 1.0)
    if isinstance(preprocess, str):
        return applications.of_application(preprocess, given), given
    if callable(preprocess):
        raise TypeError(
            '`preprocess` is a name such as "vgg16", or the range (low, high) that the backbone wants. For a function of '
            "your own put a layer in front, which is saved with the loss: `backbone = keras.Sequential([keras.Input((None, "
            f"None, 3)), keras.layers.Rescaling(...), backbone])`. Received: preprocess={preprocess!r}"
        )
    wanted = checked_range("preprocess", preprocess) or given
    return applications.between_ranges(given, wanted), given


def warn_of_missing_preprocessing(model: keras.Model, value_range: Sequence[float] | None) -> None:
    """Warns where a model of `keras.applications` is probably given images that it was not trained on."""
    if value_range is None and applications.names_an_application(model.name):
        name = applications.application_name(model.name)
        warn(
            f"The backbone {model.name!r} looks like that of `keras.applications`, which was trained on what "
            f"`keras.applications.{applications.module_name(name)}.preprocess_input` returns. The loss hands images on as "
            f'they are. Write `preprocess="{name}", value_range=(0, 1)` for images between 0 and 1, or `preprocess=None` if '
            "they have been preprocessed.",
            stacklevel=4,
        )
