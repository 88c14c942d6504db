"""Whether a dataset comes in another order each time that it is gone over."""

import sys
from typing import Any


def reshuffles(dataset: Any) -> bool:
    """Whether a `tf.data.Dataset` has a `shuffle` whose order a second process does not repeat epoch by epoch."""
    tf = sys.modules.get("tensorflow")
    if tf is None or not isinstance(dataset, tf.data.Dataset):
        return False
    waiting, seen = [dataset], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        # Without a seed, or with another order in each epoch: its counter of epochs begins anew with the process.
        if hasattr(one, "_reshuffle_each_iteration"):
            seeds = (int(getattr(one, "_seed", 0)), int(getattr(one, "_seed2", 0)))
            if one._reshuffle_each_iteration is not False or not any(seeds):
                return True
        waiting += getattr(one, "_inputs", list)()
    return False


def own_generator(loader: Any) -> bool:
    """Whether a `torch.utils.data.DataLoader` draws its order from a generator of its own."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(loader, torch.utils.data.DataLoader):
        return False
    return any(getattr(one, "generator", None) is not None for one in (loader, getattr(loader, "sampler", None)))
