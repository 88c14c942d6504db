"""Orthogonal wavelets: one step of the transform along an axis and back, periodic, without loss."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics.axis_filters import part, sum_of

_THIRD = math.sqrt(3)

LOW_PASS: dict[str, tuple[float, ...]] = {
    "haar": (math.sqrt(0.5), math.sqrt(0.5)),
    # Daubechies, "Ten lectures on wavelets", 1992: the shortest with two and four vanishing moments; sym4 the most symmetric.
    "db2": tuple(value / (4 * math.sqrt(2)) for value in (1 - _THIRD, 3 - _THIRD, 3 + _THIRD, 1 + _THIRD)),
    "sym4": (
        -0.07576571478927333,
        -0.02963552764599851,
        0.49761866763201545,
        0.8037387518059161,
        0.29785779560527736,
        -0.09921954357684722,
        -0.012603967262037833,
        0.0322231006040427,
    ),
}
"""{name: taps of the low-pass filter}, of sum sqrt(2) and square sum 1."""


def high_pass(low: Sequence[float]) -> tuple[float, ...]:
    """The mirrored filter that keeps what the low-pass filter drops.

    >>> [round(tap, 4) for tap in high_pass(LOW_PASS["haar"])]
    [-0.7071, 0.7071]
    """
    return tuple((-1) ** (i + 1) * tap for i, tap in enumerate(reversed(low)))


def halved(size: int | None) -> int | None:
    """How many coefficients an axis of `size` has in each band: half, rounded up."""
    return None if size is None else (size + 1) // 2


def analysis(x: Tensor, wavelet: str, axis: int) -> tuple[Tensor, Tensor]:
    """(low, high) coefficients along `axis`, half as many each.

    low_k = sum_j taps_j x_(2k + F/2 - j), indices modulo the size, F the number of taps: the mode "periodization" of
    PyWavelets. An odd size is made even by one more copy of the last entry.
    """
    low = LOW_PASS[wavelet]
    even = part(x, slice(None, None, 2), axis)
    odd = part(x, slice(1, None, 2), axis)
    if x.shape[axis] is None or x.shape[axis] % 2:
        odd = part(ops.concatenate([odd, part(x, slice(-1, None), axis)], axis), slice(ops.shape(even)[axis]), axis)
    phases = (even, odd)
    shifts = [divmod(len(low) // 2 - j, 2) for j in range(len(low))]
    moved = [_roll(phases[phase], -shift, axis) for shift, phase in shifts]
    bands = [sum_of([tap * values for tap, values in zip(taps, moved)]) for taps in (low, high_pass(low))]
    return bands[0], bands[1]


def synthesis(low: Tensor, high: Tensor, wavelet: str, axis: int) -> Tensor:
    """The inverse of `analysis`, of even size. The transform is orthogonal: its inverse is its transpose."""
    taps = LOW_PASS[wavelet]
    phases = {0: [], 1: []}
    for j, (of_low, of_high) in enumerate(zip(taps, high_pass(taps))):
        shift, phase = divmod(len(taps) // 2 - j, 2)
        phases[phase].append(_roll(of_low * low + of_high * high, shift, axis))
    shape = list(ops.shape(low))
    shape[axis] = 2 * shape[axis]
    return ops.reshape(ops.stack([sum_of(phases[0]), sum_of(phases[1])], axis=axis + 1), shape)


def undecimated_taps(wavelet: str, level: int) -> tuple[Any, Any]:
    """(low, high) taps of a level of the undecimated transform as float64 arrays; those of `low` have the sum 1.

    Reference: Holschneider et al., "A real-time algorithm for signal analysis with the help of the wavelet transform", 1989.
    """
    low = np.array(LOW_PASS[wavelet]) / math.sqrt(2)
    high = np.array(high_pass(LOW_PASS[wavelet])) / math.sqrt(2)
    before = np.ones(1)
    for step in range(level - 1):
        before = np.convolve(before, _with_holes(low, 2**step))
    # Turned round: those of a convolution, like those above, become those of a correlation.
    return tuple(np.convolve(before, _with_holes(taps, 2 ** (level - 1)))[::-1].copy() for taps in (low, high))


def _with_holes(taps, step):
    wide = np.zeros((len(taps) - 1) * step + 1)
    wide[::step] = taps
    return wide


def _roll(x, shift, axis):
    return ops.roll(x, shift, axis=axis) if shift else x
