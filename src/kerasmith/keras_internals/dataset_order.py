"""Whether a dataset comes in another order each time that it is gone over, and what it takes its elements from."""

import sys
from collections.abc import Iterator
from typing import Any


def changing_order(dataset: Any) -> str | None:
    """What of a `tf.data.Dataset` a second process does not repeat epoch by epoch; None if nothing of it is known.

    "shuffle": another order in each epoch, or no seed; "seed": another random choice without one; "deterministic": elements
    come as they are ready.
    """
    tf = sys.modules.get("tensorflow")
    if tf is None or not isinstance(dataset, tf.data.Dataset):
        return None
    if dataset.options().deterministic is False:
        return "deterministic"
    return next((found for found in map(_of, _stages(dataset)) if found is not None), None)


def source_tensors(dataset: Any) -> dict[str, list[Any]]:
    """{place: tensors} that a `tf.data.Dataset` takes its elements from: slices of arrays, and the names of files."""
    tf = sys.modules.get("tensorflow")
    if tf is None or not isinstance(dataset, tf.data.Dataset):
        return {}
    held = [one._tensors for one in _stages(dataset) if hasattr(one, "_tensors")]
    # Within a function of TensorFlow a tensor has no values.
    held = [[tensor.numpy() for tensor in tensors if hasattr(tensor, "numpy")] for tensors in held]
    return {f"tensors{i or ''}": arrays for i, arrays in enumerate(held) if arrays}


def _stages(dataset: Any) -> Iterator[Any]:
    """A dataset and those that it takes elements from."""
    waiting, seen = [dataset], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += getattr(one, "_inputs", list)()


def own_generator(loader: Any) -> bool:
    """Whether a `torch.utils.data.DataLoader` draws its order from a generator of its own."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(loader, torch.utils.data.DataLoader):
        return False
    return any(getattr(one, "generator", None) is not None for one in (loader, getattr(loader, "sampler", None)))


def _of(dataset):
    has_seed = not hasattr(dataset, "_seed") or any(int(getattr(dataset, name, 0)) for name in ("_seed", "_seed2"))
    if hasattr(dataset, "_reshuffle_each_iteration"):
        # The counter of the epochs begins anew with the process.
        return "shuffle" if dataset._reshuffle_each_iteration is not False or not has_seed else None
    if not has_seed or getattr(dataset, "_rerandomize", None):
        return "seed"
    return "deterministic" if getattr(dataset, "_deterministic", None) == "false" else None
