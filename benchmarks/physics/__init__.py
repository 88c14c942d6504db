"""Differential equations beside DeepXDE: relative L2 errors after equal steps, and CPU time of a step."""

import os

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.physics.problems import NAMES
from benchmarks.physics.process import Contender

AIM = 0.8
SEEDS = 3


def run(*, quick=False, only="", markdown=False, with_memory=True):
    """Prints the tables for the backend in KERAS_BACKEND; arguments as of `losses.run`. Memory is not measured."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    names = [name for name in NAMES if only.lower() in name]
    if not names:
        raise ValueError(f"`--only` must be part of one of {', '.join(NAMES)}. Received: --only {only}")
    if quick:
        names = names[:2]
    times = [(name, _times(name, backend, rounds=3 if quick else 9)) for name in names]
    _show_times(backend, times, markdown)
    errors = [(name, *_median_errors(name, backend, quick)) for name in names]
    _show_errors(backend, errors, markdown)


def _pair(name, backend, seed=0):
    return Contender("kerasmith", name, backend, seed), Contender("deepxde", name, backend, seed)


def _times(name, backend, rounds, steps=200):
    """(milliseconds of ours, of DeepXDE, ratios)."""
    ours, theirs = _pair(name, backend)
    with ours, theirs:
        _require_equal(name, ours, theirs)
        for contender in (ours, theirs):
            contender("train", steps)
            contender("train", steps)
        seconds = np.array([[contender("train", steps)[0] for contender in (ours, theirs)] for _ in range(rounds)])
    per_step = np.median(seconds, axis=0) / steps * 1e3
    return per_step[0], per_step[1], float(np.median(seconds[:, 0] / seconds[:, 1]))


def _require_equal(name, ours, theirs):
    losses = ours("loss")[1], theirs("loss")[1]
    if not np.isclose(*losses, rtol=1e-3):
        raise RuntimeError(f"{name}: unequal things, the first loss is {losses[0]} and {losses[1]}")


def _median_errors(name, backend, quick):
    steps = 100 if quick else 1000
    of_seeds = [_errors(name, backend, steps, steps, seed) for seed in range(1 if quick else SEEDS)]
    return [
        [{what: np.median([run[who][when][what] for run in of_seeds]) for what in first} for when, first in enumerate(both)]
        for who, both in enumerate(of_seeds[0])
    ]


def _errors(name, backend, adam, finish, seed=0):
    """[(after Adam, after L-BFGS)] of ours and of DeepXDE."""
    found = []
    for contender in _pair(name, backend, seed):
        with contender:
            contender("train", adam)
            before = contender("error")[1]
            contender("finish", finish)
            found.append((before, contender("error")[1]))
    return found


def _show_times(backend, rows, markdown):
    lines = [[name, f"{ours:.2f}", f"{theirs:.2f}", f"{ratio:.2f}"] for name, (ours, theirs, ratio) in rows]
    title = f"physics, {backend}: CPU time of a step of Adam"
    _print(title, ["problem", "kerasmith, ms", "DeepXDE, ms", "ratio"], lines, markdown)
    ratios = [ratio for _, (_, _, ratio) in rows]
    print(f"ratio: at most {AIM} in {sum(r <= AIM for r in ratios)} of {len(ratios)} rows, median {np.median(ratios):.2f}\n")


def _show_errors(backend, rows, markdown):
    lines = []
    for name, ours, theirs in rows:
        cells = [[f"{found[what]:.1e}" for found in (*ours, *theirs)] for what in ours[1]]
        lines += [[name if what == "error" else f"{name}: {what}", *row] for what, row in zip(ours[1], cells)]
    head = ["problem", "kerasmith, Adam", "and L-BFGS", "DeepXDE, Adam", "and L-BFGS"]
    _print(f"physics, {backend}: relative L2 error, and that of unknown coefficients", head, lines, markdown)
    better = sum(ours[1]["error"] <= theirs[1]["error"] * 1.1 for _, ours, theirs in rows)
    print(f"at most a tenth larger than DeepXDE's in {better} of {len(rows)}\n")


def _print(title, head, lines, markdown):
    if markdown:
        print(f"**{title}.**\n\n| {' | '.join(head)} |\n|---|{'--:|' * (len(head) - 1)}")
        print("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
        return
    table = Table(title=title, box=box.SIMPLE_HEAD)
    for i, name in enumerate(head):
        table.add_column(name, justify="right" if i else "left")
    for line in lines:
        table.add_row(*line)
    Console().print(table)
