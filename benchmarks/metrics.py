"""What the metrics cost: time of one update as a multiple of a floor, memory in sizes of its inputs."""

import keras
import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import memory, metric_memory, modes, timing
from benchmarks.metric_subjects import SUBJECTS


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the tables for the backend in use; arguments as of `losses.run`.

    Raises:
        ValueError: if `only` fits no row.
    """
    chosen = [subject for subject in SUBJECTS if only.lower() in subject.name.lower()]
    if not chosen:
        raise ValueError(f"`--only` must be part of one of {', '.join(s.name for s in SUBJECTS)}. Received: --only {only}")
    for mode in modes.modes():
        rows = [(subject, *_time(subject, mode, blocks=3 if quick else 9)) for subject in chosen]
        peaks = {}
        if with_memory and memory.LINUX:
            peaks = {subject.name: metric_memory.peaks(subject.name, mode) for subject in chosen if subject.unit_bytes}
        _show(f"metrics, {keras.backend.backend()}, {mode}", rows, peaks, markdown)


def _time(subject, mode, *, blocks):
    """({library: median ratio to the floor}, {library: ours to it, in the same rounds})."""
    calls, floor = subject.make(mode)
    check(subject, {library: call() for library, call in calls.items()})
    ratios = timing.ratios(calls, floor, blocks=blocks)
    ours = ratios["kerasmith"]
    return (
        {library: float(np.median(values)) for library, values in ratios.items()},
        {library: float(np.median(ours / values)) for library, values in ratios.items() if library != "kerasmith"},
    )


def check(subject, results):
    """What is timed is equal, as far as the libraries give something to compare; else an error before any figure."""
    for library, other in results.items():
        ours = results[subject.same_as.get(library, "kerasmith")]
        if other is None or ours is None:
            continue
        n = min(np.size(ours), np.size(other))
        if not np.allclose(np.ravel(ours)[:n], np.ravel(other)[:n], rtol=subject.tolerance, atol=0):
            raise RuntimeError(
                f"{subject.name}: kerasmith gives {ours}, {library} {other}. Timing unequal things says nothing."
            )


def _show(title, rows, peaks, markdown):
    head = ["metric", "batch", "beside", "time", "ours / theirs", "peak memory, inputs"]
    lines = []
    for subject, times, shares in rows:
        for library, value in times.items():
            share, peak = shares.get(library), peaks.get(subject.name, {}).get(library)
            first = library == "kerasmith"
            cells = [subject.name if first else "", subject.batch if first else "", library, f"{value:.3g}"]
            lines.append([*cells, "" if share is None else f"{share:.3g}", "" if peak is None else f"{peak:.2f}"])
    floors = "; ".join(dict.fromkeys(f"{subject.name}: {subject.floor_name}" for subject, _, _ in rows))
    if markdown:
        print(f"**{title}.** Time 1 is, for {floors}.\n\n| {' | '.join(head)} |\n|---|---|---|--:|--:|--:|")
        print("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
        return
    table = Table(title=title, caption=f"Time 1 is, for {floors}", box=box.SIMPLE_HEAD)
    for i, name in enumerate(head):
        table.add_column(name, justify="right" if i > 2 else "left")
    for line in lines:
        table.add_row(*line)
    Console().print(table)
