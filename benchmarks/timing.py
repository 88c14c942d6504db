"""CPU time in interleaved blocks, as a multiple of a floor."""

import time

import numpy as np


def ratios(calls, floor, *, blocks, block_seconds=0.02):
    """CPU time of each call divided by that of `floor`.

    Blocks of calls run in turn, A B C floor A B C floor, so that a slow moment of the machine hits all of them; each block is
    divided by the floor of its own round.

    Args:
        calls: {name: call}.
        floor: the call that is 1.
        blocks: number of rounds; a third of them where one round takes seconds.
        block_seconds: a block repeats its call for about this long.

    Returns:
        {name: array of ratios, one a round}.
    """
    calls = {**calls, None: floor}
    counts = {name: _count(call, block_seconds) for name, call in calls.items()}
    seconds = {name: [] for name in calls}
    start = time.process_time()
    for number in range(blocks):
        if number >= blocks / 3 and time.process_time() - start > 5.0:
            break
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
