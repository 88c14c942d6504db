"""The arithmetic of losses: `0.3 * a + b` is a `WeightedSum`."""

import numbers


class Algebra:
    """Gives a loss `+`, `-`, `*` and `/`; the other side of a sum may be any Keras loss, of a product a number."""

    # Lets `np.float32(0.3) * loss` reach `__rmul__` instead of becoming an array of objects.
    __array_ufunc__ = None

    def __add__(self, other):
        return _sum([self, other], [1.0, 1.0])

    def __radd__(self, other):
        # `sum([a, b])` starts with 0.
        return self if isinstance(other, numbers.Real) and other == 0 else _sum([other, self], [1.0, 1.0])

    def __sub__(self, other):
        return _sum([self, other], [1.0, -1.0])

    def __rsub__(self, other):
        return _sum([other, self], [1.0, -1.0])

    def __mul__(self, factor):
        return _sum([self], [factor]) if isinstance(factor, numbers.Real) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, divisor):
        return _sum([self], [1.0 / divisor]) if isinstance(divisor, numbers.Real) else NotImplemented

    def __neg__(self):
        return _sum([self], [-1.0])


def _sum(losses, factors):
    from kerasmith.base.weighted_sum import add  # a sum is itself a loss, so it stands on this file

    return add(losses, factors)
