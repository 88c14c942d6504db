"""Which part of a batch is this process's, and whether all processes see the same one."""

from typing import Any

from keras import tree

from kerasmith.distribution._replica_error import SetupError


def part_of(batch: Any, rank: int, count: int) -> tuple[Any, int, int]:
    """(this process's part of a batch, its samples, those of the whole).

    The samples are split in order, the first processes get one more where they do not divide; what has another first dimension
    than `x` goes to every process.

    Args:
        batch: x, (x,), (x, y) or (x, y, sample_weight), of arrays or tensors.
        rank, count: of this process.
    """
    whole = samples_of(batch)
    share, more = divmod(whole, count)
    start = rank * share + min(rank, more)
    stop = start + share + (rank < more)
    part = tree.map_structure(
        lambda leaf: leaf[start:stop] if getattr(leaf, "ndim", 0) and leaf.shape[0] == whole else leaf, batch
    )
    return part, stop - start, whole


def samples_of(batch: Any) -> int:
    """The first dimension of the first array."""
    for leaf in tree.flatten(batch):
        if getattr(leaf, "ndim", 0):
            return int(leaf.shape[0])
    raise SetupError(f"A batch must hold arrays of samples to be split over processes. Received: {batch!r}")


def brings_own_share(data: Any, count: int) -> bool:
    """Whether data give each process its own samples: a `DataLoader` with a sampler for several processes."""
    sampler = getattr(data, "sampler", None)
    inner = getattr(getattr(data, "batch_sampler", None), "sampler", None)
    return any(getattr(one, "num_replicas", 1) == count > 1 for one in (sampler, inner) if one is not None)
