"""Pseudo-random permutations that are computed value by value: nothing is drawn ahead, nothing is stored."""

from typing import Any

import numpy as np

# Up to here a whole permutation is sorted together; above, halves of 8 bits and more mix well.
_SORTED = 1 << 16
_ROUNDS = 6
_CHUNK = 1 << 15  # fits into the cache
_WORD = (1 << 64) - 1


def permute(positions: Any, n: int, key: int) -> np.ndarray:
    """Values of a permutation of 0..n-1 at some positions.

    For n > 2^16 a Feistel network on the bits of the position: rounds that add a keyed hash of one half of the bits to the
    other half, which is a bijection whatever the hash. Values that fall beyond n - 1 go through it again ("cycle walking")
    until they come out inside, less than once per value on average. For smaller n the order of hashed numbers.

    The result depends on the arguments alone: not on the machine, the version of NumPy or any generator's state.

    Args:
        positions: integers in 0..n-1, any shape.
        n: 1 to 2^62.
        key: integer >= 0, see `key_of`.

    Returns:
        int64 array of the shape of `positions`.

    Example:

    >>> sorted(permute(range(10), 10, key=7).tolist()) == list(range(10))
    True
    >>> int(permute(123_456_789_012, 2**40, key=7)) < 2**40
    True

    Reference: Luby and Rackoff, "How to construct pseudorandom permutations from pseudorandom functions", 1988; Black and
    Rogaway, "Ciphers with arbitrary finite domains", 2002.
    """
    positions = np.asarray(positions, np.int64)
    if n <= _SORTED:
        return np.argsort(_mixed(np.arange(n, dtype=np.uint64) + np.uint64(key_of(key)))).astype(np.int64)[positions]
    bits = (n - 1).bit_length()
    keys = _round_keys(key)
    given = positions.reshape(-1)
    values, outside = np.empty(given.size, np.int64), []
    for start in range(0, given.size, _CHUNK):
        part = _feistel(given[start : start + _CHUNK], bits, keys)
        outside.append(np.flatnonzero(part >= part.dtype.type(n)) + start)
        values[start : start + _CHUNK] = part
    outside = np.concatenate(outside) if outside else np.empty(0, np.int64)
    while outside.size:
        again = _feistel(values[outside], bits, keys)
        values[outside] = again
        outside = outside[again >= again.dtype.type(n)]
    return values.reshape(positions.shape)


def key_of(*words: int | str) -> int:
    """A 64-bit key of integers >= 0 and short texts; other words, another key.

    Example:

    >>> key_of(7, "order", 0) != key_of(7, "order", 1)
    True
    """
    state = 0x243F6A8885A308D3
    for word in words:
        word = int.from_bytes(word.encode(), "little") if isinstance(word, str) else int(word)
        while True:  # the length belongs to the word: (1, 0) is not (1,)
            state = _mixed_int(state ^ (word & _WORD))
            word >>= 64
            if not word:
                break
        state = _mixed_int(state + 0x9E3779B97F4A7C15)
    return state


def _mixed_int(z):
    """The finaliser of SplitMix64, a bijection of 64-bit integers."""
    z &= _WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
    return z ^ (z >> 31)


def _mixed(z):
    """As `_mixed_int`, on a uint64 array."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _round_keys(key):
    """An odd factor and a summand for each round."""
    words = [key_of(key, "round", number) for number in range(_ROUNDS)]
    return [(np.uint32(word >> 32 | 1), np.uint32(word & 0xFFFFFFFF)) for word in words]


def _feistel(values, bits, keys):
    """A bijection of 0..2^bits - 1, elementwise on an int64 array, in 32-bit arithmetic; uint32 up to 31 bits, else int64."""
    low_bits = bits // 2
    word = values.astype(np.uint32) if bits <= 31 else values
    low = (word & word.dtype.type((1 << low_bits) - 1)).astype(np.uint32, copy=False)
    high = (word >> word.dtype.type(low_bits)).astype(np.uint32, copy=False)
    mixed = np.empty_like(low)
    for number, (factor, summand) in enumerate(keys):
        source, target, width = (low, high, bits - low_bits) if number % 2 == 0 else (high, low, low_bits)
        np.multiply(source, factor, out=mixed)
        np.add(mixed, summand, out=mixed)
        np.multiply(mixed, mixed, out=mixed)
        np.right_shift(mixed, np.uint32(32 - width), out=mixed)  # the upper bits of a square depend on all of its root
        np.bitwise_xor(target, mixed, out=target)
    high = high.astype(word.dtype, copy=False)
    high <<= word.dtype.type(low_bits)
    high |= low
    return high
