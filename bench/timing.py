"""CPU time in interleaved blocks, as a multiple of one pass over memory."""

import time

import numpy as np


def floor(y_true, y_pred):
    """One pass: reads p and y, writes one array of that size. No loss with a dense gradient can do with less."""
    p = np.array(y_pred)
    y = np.ones_like(p)
    y[...] = y_true if np.shape(y_true) == p.shape else 1.0
    out = np.empty_like(p)
    return lambda: np.multiply(p, y, out=out)


def ratios(calls, floor, *, blocks, block_seconds=0.02):
    """CPU time of each call divided by that of `floor`.

    Blocks of calls run in turn, A B C floor A B C floor, so that a slow moment of the machine hits all of them; each block is
    divided by the floor of its own round.

    Args:
        calls: {name: call}.
        floor: the call that is 1.
        blocks: number of rounds.
        block_seconds: a block repeats its call for about this long.

    Returns:
        {name: array of `blocks` ratios}.
    """
    calls = {**calls, None: floor}
    counts = {name: _count(call, block_seconds) for name, call in calls.items()}
    seconds = {name: [] for name in calls}
    for _ in range(blocks):
        for name, call in calls.items():
            seconds[name].append(_cpu_seconds(call, counts[name]))
    base = np.array(seconds.pop(None))
    return {name: np.array(values) / base for name, values in seconds.items()}


def _cpu_seconds(call, count):
    start = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - start) / count


def _count(call, block_seconds):
    call()
    return max(1, round(block_seconds / max(_cpu_seconds(call, 1), 1e-6)))
