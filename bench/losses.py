"""What the losses cost: time in passes over memory, memory in arrays of the size of the predictions."""

import keras
import numpy as np

from bench import equality, memory, modes, tables, timing
from bench.cases import Case, cases
from bench.contenders import LOSSES, contenders

SHAPES = ((8, 256, 256, 1), (8, 256, 256, 4), (1, 128, 128, 128, 2))
QUICK_SHAPES = ((8, 256, 256, 1),)
# Larger than the timed ones: the kernel counts resident pages a few hundred kB at a time.
MEMORY_CASES = (Case((32, 256, 256, 1), False), Case((32, 256, 256, 1), True), Case((8, 256, 256, 4), True))


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the tables for the backend in use.

    Args:
        quick: one shape and few repeats.
        only: text that the name of a loss must contain.
        markdown: print Markdown instead of tables for the terminal.
        with_memory: measure peak memory too.

    Raises:
        ValueError: if `only` fits no loss.
    """
    names = [name for name in LOSSES if only.lower() in name]
    if not names:
        raise ValueError(f"`--only` must be part of one of {', '.join(LOSSES)}. Received: --only {only}")
    show = tables.Markdown() if markdown else tables.Terminal()
    for mode in modes.modes():
        rows = []
        todo = [(name, case) for name in names for case in cases(QUICK_SHAPES if quick else SHAPES)]
        failures = []
        for name, case in show.progress(todo, mode):
            rows.append(tables.Row(name, case, time(name, case, mode, blocks=3 if quick else 9, failures=failures)))
        show.times(f"{keras.backend.backend()}, {mode}", rows)
        for failure in failures:
            show.note(failure)
    if with_memory:
        show_memory(show, names, MEMORY_CASES[:1] if quick else MEMORY_CASES)


def time(name, case, mode, *, blocks, failures):
    """{"fwd" | "fwd+bwd": {library: array of ratios to one pass}}, after values and gradients were found equal.

    A library that cannot run the case is left out and named in the list `failures`.
    """
    competing = contenders(name, case)
    prepared = {library: modes.prepare(contender, mode) for library, contender in competing.items()}
    runs, broken = equality.runnable({library: both for library, (_, both) in prepared.items()})
    failures += [f"{library} cannot run {name}, {case}: {why}" for library, why in broken.items()]
    equality.check(runs, competing)
    prepared = {library: prepared[library] for library in runs}
    floor = timing.floor(case.truth(), case.predictions())
    return {
        what: timing.ratios({library: calls[i] for library, calls in prepared.items()}, floor, blocks=blocks)
        for i, what in enumerate(("fwd", "fwd+bwd"))
    }


def show_memory(show, names, memory_cases):
    if not memory.LINUX:
        show.note("Peak memory is read from /proc and can be measured on Linux only.")
        return
    for mode in modes.modes():
        todo = [(name, case) for name in names for case in memory_cases]
        rows = [tables.Row(n, c, {"peak": _as_arrays(memory.peaks(n, c, mode))}) for n, c in show.progress(todo, mode)]
        show.memory(f"{keras.backend.backend()}, {mode}", rows)


def _as_arrays(values):
    return {library: np.array([value]) for library, value in values.items()}
