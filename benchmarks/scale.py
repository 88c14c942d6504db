"""What 8, 256 and 4,096 processes would do: the code of one of them run here as if it had so many others."""

import json
import pathlib
import tempfile
import time
import types

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

COUNTS = (8, 256, 4096)
SAMPLES, SHARE = 1_281_167, 32
HEAD = ("what", "unit", *(f"{count:,} processes" for count in COUNTS))


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints one table; arguments as of `losses.run`, `only` is part of a row's name."""
    lines = [(name, unit, *map(_short, values)) for name, unit, values in _rows(quick) if only.lower() in name.lower()]
    if not lines:
        raise ValueError(f"`--only` must be part of a row's name. Received: --only {only}")
    if markdown:
        print(f"| {' | '.join(HEAD)} |\n|---|---|{'--:|' * len(COUNTS)}")
        print("\n".join(f"| {' | '.join(line)} |" for line in lines))
        return
    table = Table(title="scale", box=box.SIMPLE_HEAD)
    for index, name in enumerate(HEAD):
        table.add_column(name, justify="right" if index > 1 else "left")
    for line in lines:
        table.add_row(*line)
    Console().print(table)


def _rows(quick):
    yield "an epoch of `WeightedBatches`: shares of all ranks are its order, each sample once", "", _orders(quick)
    yield "the order of this process's part of it alone", "ms", [1e3 * _seconds(_part_of(n)) for n in COUNTS]
    yield "a batch in the middle of an epoch after a restart", "ms", [1e3 * _seconds(_resumed(n)) for n in COUNTS]
    yield "samples that each process reads in a step, same data", "", [SHARE * count for count in COUNTS]
    yield "the numbers of all processes, once", "ms", [1e3 * _seconds(_numbers_of(n)) for n in COUNTS]
    yield "what the watch of one process does in a second", "ms", [2e3 * _seconds(_look_of(n)) for n in COUNTS]
    asked, rate = [2 * n * _requests(n) for n in COUNTS], _store_rate()
    yield "requests of all to the store of rank 0 in a second", "", asked
    yield "of what the store answered one process here", "x", [one / rate for one in asked]
    sizes, writes = zip(*map(_checkpoint, COUNTS))
    yield "a checkpoint of 25 million weights with Adam", "MB", [size / 1e6 for size in sizes]
    yield "writing it", "s", writes


def _short(value):
    return value if isinstance(value, str) else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _seconds(call, repeats=3):
    call()
    found = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return min(found)


def _batches(count):
    from kerasmith.data.weighted_batches import WeightedBatches

    return WeightedBatches(np.zeros(SAMPLES, "int8"), batch_size=SHARE * count, seed=3)


def _orders(quick):
    """The parts of all ranks, put together, beside the order of one process."""
    from kerasmith.distribution.engines.torch_batches import part_of

    found = []
    for count in COUNTS:
        batches = _batches(count)
        steps = range(len(batches))[: 3 if quick else None]
        whole = np.concatenate([batches.indices(step) for step in steps])
        # Another object, as in a process that was started later.
        again, shares = _batches(count), []
        for step in steps:
            drawn = again.indices(step)
            parts = [part_of(drawn, rank, count) for rank in range(count)]
            if {size for _, _, size in parts} != {len(drawn)} or sum(own for _, own, _ in parts) != len(drawn):
                raise RuntimeError(f"{count} processes do not share the {len(drawn)} samples of step {step}")
            shares += [part for part, _, _ in parts]
        same = np.array_equal(np.concatenate(shares), whole)
        once = quick or (len(whole) == SAMPLES and np.array_equal(np.sort(whole), np.arange(SAMPLES)))
        found.append("yes" if same and once else "no")
    return found


def _part_of(count):
    from kerasmith.data.epoch_order import EpochOrder

    order, start = EpochOrder(SAMPLES, SAMPLES, 3), SHARE * count
    return lambda: order.at(start, start + SHARE, 0)


def _resumed(count):
    state = _batches(count).state_dict()

    def resume():
        batches = _batches(count)
        batches.load_state_dict(state)
        batches.indices(len(batches) // 2)

    return resume


def _numbers_of(count):
    """What each process does with the whole numbers of all after they have arrived, as at the end of each step."""
    import torch

    rows = [torch.zeros(7, dtype=torch.int64) for _ in range(count)]
    return lambda: np.stack([one.cpu().numpy() for one in rows])


class _Beats:
    """A store of which all that it costs is the reading of its answers."""

    beat = json.dumps([7, "runs", "training, epoch 3, step 41", "", False, [9, "2 tensors"]])

    def __init__(self):
        self.asked = 0

    def check(self, keys):
        self.asked += 1
        return keys != ["failure"]

    def get(self, key):
        self.asked += 1
        return self.beat


def _look_of(count):
    from kerasmith.distribution.engines.watch import Watch

    return Watch(_Beats(), 0, count)._look


def _requests(count):
    """Those of one process in one look, and its own beat."""
    from kerasmith.distribution.engines.watch import Watch

    store = _Beats()
    Watch(store, 0, count)._look()
    return store.asked + 1


def _store_rate():
    """Requests in a second that the store of PyTorch answers to one process."""
    import torch.distributed as dist

    store = dist.TCPStore("127.0.0.1", 0, None, True, wait_for_workers=False)
    store.set("beat", "x" * 80)
    start, asked = time.perf_counter(), 3000
    for _ in range(asked // 2):
        store.check(["beat"])
        store.get("beat")
    return asked / (time.perf_counter() - start)


def _checkpoint(count):
    """(bytes, seconds) of a checkpoint that the first of `count` processes writes, each with random generators of its own."""
    import keras

    from kerasmith.checkpoints import state_file, state_of_processes
    from kerasmith.keras_internals import random_state

    def state_of(seed):
        keras.utils.set_random_seed(seed)
        return {"random": random_state.capture(), "variables": {}, "callbacks": []}

    first, other = state_of(0), state_of(1)
    first["variables"] = other["variables"] = {str(k): np.zeros(5_000_000, np.float32) for k in range(15)}
    digests = {}

    def of_first(own):
        return digests or own

    here = types.SimpleNamespace(count=count, brings_own_share=False, of_first=of_first, of_all=lambda value: [value] * count)
    leaves = state_of_processes._leaves(state_of_processes._keyed(first), ())
    digests.update({place: state_of_processes._digest(leaf) for place, leaf in leaves})
    # The first writes what it is given by the others: here each gives the same, in a copy of its own.
    joined = state_of_processes.joined(other, here)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "state")
        start = time.perf_counter()
        state_file.write(path, state_file.pack(joined))
        return path.stat().st_size, time.perf_counter() - start
