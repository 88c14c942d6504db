"""A layer that makes a model fulfil a condition exactly."""

from typing import Any

import keras
from keras import ops

from kerasmith._types import Config, Function, Tensor
from kerasmith.base import Configured, register
from kerasmith.base.arguments import check_number
from kerasmith.base.saved_function import find_again, register_function, why_not_savable
from kerasmith.numerics.tensors import static_shape


@register
class HardConstraint(Configured, keras.layers.Layer):
    """Values that hold exactly where a distance is 0 (since 0.2).

    output(x) = value(x) + distance(x) u(x)

    Args:
        distance: a function of the coordinates (B, D) that is 0 where the value is prescribed and not elsewhere, such as
            `def ends(x): return x[:, 0] * (1 - x[:, 0])`. It returns (B,), (B, 1) or (B, K), written with `keras.ops`.
        value: a number or such a function: what is prescribed there.
        name, dtype: see `keras.layers.Layer`.

    Call arguments:
        x: the coordinates, (B, D).
        u: what the network gives, (B, K).

    Returns:
        (B, K).

    The functions are saved by their names, see `Residual`.

    Raises:
        TypeError: for a distance that is no function.
        ValueError: for functions that return other shapes.

    Example:

    >>> def ends(x):
    ...     return x[:, 0] * (1 - x[:, 0])
    >>> layer = HardConstraint(ends, 2.0)
    >>> [float(v[0]) for v in layer(ops.array([[0.0], [0.5], [1.0]]), ops.array([[7.0], [4.0], [7.0]]))]
    [2.0, 3.0, 2.0]
    """

    def __init__(self, distance: Function, value: Any = 0.0, *, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        if not callable(distance):
            raise TypeError(f"`distance` must be a function of the coordinates. Received: distance={distance!r}")
        if not callable(value):
            check_number("value", value)
        self.distance, self.value = distance, value
        for function in (distance, value):
            register_function(function)

    def call(self, x: Tensor, u: Tensor) -> Tensor:
        shape = static_shape(u, "u")
        if len(shape) != 2:
            raise ValueError(f"`u` must have shape (points, outputs). Received: u of shape {shape}")
        distance = _fitted(self.distance(x), shape, "distance")
        value = _fitted(self.value(x), shape, "value") if callable(self.value) else self.value
        return value + ops.cast(distance, u.dtype) * u

    def compute_output_shape(self, x_shape: Any, u_shape: Any) -> Any:
        return u_shape

    def get_config(self) -> Config:
        for function in (self.distance, self.value):
            reason = why_not_savable(function) if callable(function) else None
            if reason is not None:
                raise ValueError(
                    f"{reason}. Write a named function in a module:\n    def ends(x): return x[:, 0] * (1 - x[:, 0])\n"
                    "    HardConstraint(ends)"
                )
        return super().get_config()

    @classmethod
    def from_config(cls, config: Config) -> "HardConstraint":
        for part in ("distance", "value"):
            find_again(config[part], f"The {part} of the layer {config.get('name')!r}")
        return super().from_config(config)


def _fitted(values, wanted, what):
    values = ops.convert_to_tensor(values)
    shape = static_shape(values, what)
    if len(shape) == 1:
        values, shape = ops.expand_dims(values, -1), (*shape, 1)
    fits = len(shape) == 2 and shape[1] in (1, wanted[1]) and (None in (shape[0], wanted[0]) or shape[0] == wanted[0])
    if not fits:
        raise ValueError(
            f"`{what}` must return one number a point, ({wanted[0]},), or one for each output, {wanted}. It returned {shape}."
        )
    return values
