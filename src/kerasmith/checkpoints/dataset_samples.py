"""What a dataset of the user's own holds: samples, and plain options, in its attributes and those of objects inside."""

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasmith.checkpoints.sample_set import SampleSet, sample_set
from kerasmith.files.plain_data import plain

_DEEPEST = 3
_SHORT = 4  # numbers in a list, such as the size of an image
_LIBRARIES = {"keras", "tensorflow", "torch", "jax", "jaxlib", "numpy", "builtins", *sys.stdlib_module_names} - {"__main__"}


class DatasetSamples(NamedTuple):
    """What `dataset_samples` finds; places are such as `x` and `source.images`.

    Attributes:
        samples: {place: what the samples there are known by}.
        options: {place: plain value}, such as the number of a fold.
    """

    samples: dict[str, SampleSet]
    options: dict[str, Any]


def dataset_samples(dataset: Any) -> DatasetSamples:
    """By what a dataset is known again, without reading a batch of it.

    Args:
        dataset: such as a `keras.utils.PyDataset`, or a dict of objects.
    """
    found = DatasetSamples({}, {})
    for place, part in _parts(dataset):
        if _is_option(part):
            found.options[place] = plain(part)
        elif not isinstance(part, str):
            known = sample_set(part)
            if known is not None:
                found.samples[place] = known
    return found


def _parts(dataset: Any) -> Iterator[tuple[str, Any]]:
    """(place, value) of the attributes of an object and of the objects of users in them."""
    seen, waiting = {id(dataset)}, [("", dataset, 0)]
    of_keras = vars(keras.utils.PyDataset())
    while waiting:
        place, holder, depth = waiting.pop(0)
        for name, part in list(holder.items() if isinstance(holder, dict) else vars(holder).items()):
            where = f"{place}.{name}" if place else str(name)
            if name in of_keras:
                continue
            if not _is_object(part):
                yield where, part
            elif id(part) not in seen and depth < _DEEPEST:
                seen.add(id(part))
                waiting.append((where, part, depth + 1))


def _is_object(part):
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(part, (torch.utils.data.Dataset, torch.utils.data.Sampler)):
        return True
    if not hasattr(part, "__dict__") or isinstance(part, type) or callable(part) or hasattr(part, "shape"):
        return False
    return type(part).__module__.partition(".")[0] not in _LIBRARIES


def _is_option(part):
    if isinstance(part, (tuple, list)):
        return len(part) <= _SHORT and all(_is_number(item) for item in part)
    return isinstance(part, str) or _is_number(part)


def _is_number(part):
    return part is None or isinstance(part, (bool, int, float, np.generic))
