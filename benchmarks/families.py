"""What is timed together: losses of one kind, their batches, and the unit of their time and memory."""

import dataclasses
from collections.abc import Callable

import numpy as np

from benchmarks.cases import Case, EmbeddingCase, cases

SHAPES = ((8, 256, 256, 1), (8, 256, 256, 4), (1, 128, 128, 128, 2))
SURFACES = (
    Case((4, 256, 256, 1), True, blobs=True),
    Case((4, 256, 256, 4), True, ids=True, blobs=True),
    Case((1, 96, 96, 96, 1), True, blobs=True),
)
BATCHES = tuple(EmbeddingCase(size, 128) for size in (256, 1024, 4096))


@dataclasses.dataclass(frozen=True)
class Family:
    """Losses that are timed on the same batches.

    Attributes:
        name: heading of the table.
        losses: names of the losses.
        cases: the batches.
        quick_cases: one or two of them, for a look.
        memory_cases: the batches on which peak memory is measured.
        floor: case -> a call whose time is 1.
        time_unit: what that call is.
        memory_unit: what an array of 1 is; see `unit_bytes` of the case.
    """

    name: str
    losses: tuple
    cases: tuple
    quick_cases: tuple
    memory_cases: tuple
    floor: Callable
    time_unit: str
    memory_unit: str


def one_pass(case):
    """Reads p and y, writes one array of that size. No loss with a dense gradient can do with less."""
    p, y_true = np.array(case.predictions()), case.truth()
    y = np.ones_like(p)
    y[...] = y_true if np.shape(y_true) == p.shape else 1.0
    out = np.empty_like(p)
    return lambda: np.multiply(p, y, out=out)


def one_product(case):
    """All similarities of a batch, x x^T. No loss on pairs can do with less."""
    x = case.predictions()
    out = np.empty((len(x), len(x)), x.dtype)
    return lambda: np.matmul(x, x.T, out=out)


PASSES = {
    "floor": one_pass,
    "time_unit": "CPU time in passes (read p and y, write one array)",
    "memory_unit": "arrays like p (the gradient itself is 1)",
}

FAMILIES = (
    Family(
        "pixels",
        ("dice", "dice_batch", "tversky", "cross_entropy", "focal", "dice_ce", "dice_focal"),
        tuple(cases(SHAPES)),
        tuple(cases(SHAPES[:1])),
        # Larger than the timed ones: the kernel counts resident pages a few hundred kB at a time.
        (Case((32, 256, 256, 1), False), Case((32, 256, 256, 1), True), Case((8, 256, 256, 4), True)),
        **PASSES,
    ),
    Family("surfaces", ("lovasz", "hausdorff_dt"), SURFACES, SURFACES[:1], SURFACES[:2], **PASSES),
    Family(
        "pairs",
        ("triplet_hard", "triplet_semi_hard", "triplet_all", "nt_xent", "sup_con", "multi_similarity"),
        BATCHES,
        BATCHES[:1],
        BATCHES[1:],
        one_product,
        "CPU time in products x x^T of the batch",
        "(B, B) matrices",
    ),
)
