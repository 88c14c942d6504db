"""Whether processes see the same data."""

import zlib
from typing import Any

from keras import tree

# Of each array of a batch; enough to tell another order or other data.
_LOOKED_AT = 2**18


def checksum(batch: Any) -> int:
    """A number that differs for other batches."""
    number = 0
    for leaf in tree.flatten(batch):
        if not hasattr(leaf, "shape"):
            continue
        array = leaf.detach().cpu().numpy() if hasattr(leaf, "detach") else leaf
        number = zlib.crc32(repr((tuple(array.shape), str(array.dtype))).encode(), number)
        number = zlib.crc32(array.reshape(-1)[:_LOOKED_AT].tobytes(), number)
    return number
