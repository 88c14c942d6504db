"""What it costs to draw an epoch of samples by weight, beside one permutation and beside `Generator.choice`."""

import tracemalloc

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import timing
from kerasmith.data.weighted_batches import WeightedBatches

BATCH = 256
SIZES = (100_000, 1_000_000, 10_000_000)


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints one table; arguments as of `losses.run`, `only` is part of a number of samples. No backend has a part in it."""
    chosen = [n for n in SIZES if only in str(n) and (n <= 1_000_000 or not quick)]
    if not chosen:
        raise ValueError(f"`--only` must be part of one of {', '.join(map(str, SIZES))}. Received: --only {only}")
    rows = []
    for samples in chosen:
        calls = _calls(samples)
        floor = calls.pop("permutation")
        ratios = timing.ratios(calls, floor, blocks=3 if quick else 15, block_seconds=0.0)
        memory = {name: _peak(call, samples) for name, call in calls.items()} if with_memory else {}
        rows += [(samples, name, np.median(values), memory.get(name)) for name, values in ratios.items()]
    _show(rows, markdown, with_memory)


def _calls(samples):
    """{what: call}; each of ours draws all batches of the next epoch."""
    rng = np.random.default_rng(0)
    x, p = np.zeros(samples, "int8"), rng.random(samples)
    p /= p.sum()

    def data(**options):
        return WeightedBatches(x, batch_size=BATCH, **options)

    def epoch(batches):
        batches.epoch += 1
        for number in range(len(batches)):
            batches.indices(number)

    def new_weights(batches):
        batches.set_weights(p)
        epoch(batches)

    plain, weighted, changing = data(), data(weights=p), data(weights=p)
    half = data(weights=p, samples_per_epoch=samples // 2, replace=False)
    calls = {
        "permutation": lambda: rng.permutation(samples),
        "WeightedBatches, no weights": lambda: epoch(plain),
        "WeightedBatches, weights": lambda: epoch(weighted),
        "WeightedBatches, new weights": lambda: new_weights(changing),
        "WeightedBatches, half of it, new weights, replace=False": lambda: new_weights(half),
    }
    if samples <= 1_000_000:
        calls["rng.choice(p=)"] = lambda: rng.choice(samples, samples, p=p)
    return calls


def _peak(call, samples):
    """Peak bytes a call takes on top of what is there, for each sample."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        call()
        return (tracemalloc.get_traced_memory()[1] - before) / samples
    finally:
        tracemalloc.stop()


def _show(rows, markdown, with_memory):
    title = "Drawing an epoch of samples"
    note = f"CPU time of all batches of {BATCH} indices, in multiples of rng.permutation; peak memory in bytes per sample"
    head = ["samples", "what", "time", *(["bytes"] if with_memory else [])]
    lines = [
        [f"{samples:,}", what, f"{ratio:.2f}", *([f"{memory:.0f}"] if with_memory else [])]
        for samples, what, ratio, memory in rows
    ]
    if markdown:
        print(f"**{title}.** {note}.\n\n| {' | '.join(head)} |\n|--:|---|{'--:|' * (len(head) - 2)}")
        print("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
        return
    table = Table(title=title, caption=note, box=box.SIMPLE_HEAD)
    for name in head:
        table.add_column(name, justify="left" if name == "what" else "right")
    for line in lines:
        table.add_row(*line)
    Console().print(table)
