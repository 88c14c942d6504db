"""The arithmetic of losses: `0.3 * a + b` is a `WeightedSum`."""

import numbers
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasmith.base.loss import Loss


class Algebra:
    """Gives a loss `+`, `-`, `*` and `/`; the other side of a sum may be any Keras loss, of a product a number."""

    # Lets `np.float32(0.3) * loss` reach `__rmul__` instead of becoming an array of objects.
    __array_ufunc__ = None

    # A sum is itself a loss, so it stands on this file; `weighted_sum` says here how one is made.
    _make_sum: Callable[[Sequence[Any], Sequence[float]], "Loss"]

    def __add__(self, other: Any) -> "Loss":
        return self._make_sum([self, other], [1.0, 1.0])

    def __radd__(self, other: Any) -> "Loss":
        # `sum([a, b])` starts with 0.
        return self if isinstance(other, numbers.Real) and other == 0 else self._make_sum([other, self], [1.0, 1.0])

    def __sub__(self, other: Any) -> "Loss":
        return self._make_sum([self, other], [1.0, -1.0])

    def __rsub__(self, other: Any) -> "Loss":
        return self._make_sum([other, self], [1.0, -1.0])

    def __mul__(self, factor: Any) -> "Loss":
        return self._make_sum([self], [factor]) if isinstance(factor, numbers.Real) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> "Loss":
        return self._make_sum([self], [1.0 / divisor]) if isinstance(divisor, numbers.Real) else NotImplemented

    def __neg__(self) -> "Loss":
        return self._make_sum([self], [-1.0])
