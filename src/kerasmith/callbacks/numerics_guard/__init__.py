"""Stops or mends a training at the first number that is not finite, and says where it came from."""

from kerasmith.callbacks.numerics_guard.numerics_guard import NumericsGuard

__all__ = ["NumericsGuard"]
