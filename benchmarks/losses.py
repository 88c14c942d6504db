"""What the losses cost: time as a multiple of a floor, memory in arrays of the batch."""

import keras
import numpy as np

from benchmarks import equality, memory, modes, tables, timing
from benchmarks.contenders import contenders
from benchmarks.families import FAMILIES


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the tables for the backend in use.

    Args:
        quick: one batch and few repeats.
        only: text that the name of a loss or of a family must contain.
        markdown: print Markdown instead of tables for the terminal.
        with_memory: measure peak memory too.

    Raises:
        ValueError: if `only` fits no loss.
    """
    chosen = [(family, [name for name in family.losses if only.lower() in f"{family.name} {name}"]) for family in FAMILIES]
    if not any(names for _, names in chosen):
        known = ", ".join(name for family in FAMILIES for name in (family.name, *family.losses))
        raise ValueError(f"`--only` must be part of one of {known}. Received: --only {only}")
    show = tables.Markdown() if markdown else tables.Terminal()
    for family, names in chosen:
        for mode in modes.modes() if names else ():
            show_times(show, family, names, mode, quick)
            if with_memory:
                show_memory(show, family, names, mode, quick)


def show_times(show, family, names, mode, quick):
    todo = [(name, case) for name in names for case in (family.quick_cases if quick else family.cases)]
    rows, failures = [], []
    for name, case in show.progress(todo, mode):
        figures = time(name, case, mode, family.floor(case), blocks=3 if quick else 9, failures=failures)
        rows.append(tables.Row(name, case, figures))
    show.times(f"{family.name}, {keras.backend.backend()}, {mode}", f"{family.time_unit}, one thread", rows)
    for failure in failures:
        show.note(failure)


def time(name, case, mode, floor, *, blocks, failures):
    """{"fwd" | "fwd+bwd": {library: array of ratios to the floor}}, after values and gradients were found equal.

    A library that cannot run the case is left out and named in the list `failures`.
    """
    competing = contenders(name, case)
    prepared = {library: modes.prepare(contender, mode) for library, contender in competing.items()}
    runs, broken = equality.runnable({library: both for library, (_, both) in prepared.items()})
    failures += [f"{library} cannot run {name}, {case}: {why}" for library, why in broken.items()]
    equality.check(runs, competing)
    prepared = {library: prepared[library] for library in runs}
    return {
        what: timing.ratios({library: calls[i] for library, calls in prepared.items()}, floor, blocks=blocks)
        for i, what in enumerate(("fwd", "fwd+bwd"))
    }


def show_memory(show, family, names, mode, quick):
    if not memory.LINUX:
        show.note("Peak memory is read from /proc and can be measured on Linux only.")
        return
    todo = [(name, case) for name in names for case in (family.memory_cases[:1] if quick else family.memory_cases)]
    rows = []
    for name, case in show.progress(todo, mode):
        peaks = memory.peaks(name, case, mode)
        rows.append(tables.Row(name, case, {"peak": {library: np.array([peak]) for library, peak in peaks.items()}}))
    show.memory(f"{family.name}, {keras.backend.backend()}, {mode}", f"Peak memory in {family.memory_unit}", rows)
