"""Datasets to look into while the original stays where it is."""

import contextlib
import copy
import sys
from typing import Any

from kerasmith.keras_internals.dataset_order import changing_order, source_tensors

# A copy of a `tf.data.Dataset` holds the arrays of the original once more.
_MOST_BYTES = 256_000_000
# Random stages of TensorFlow: the form of each that keeps no counter outside of it, and how many inputs that one has.
_COUNTED = {
    "ShuffleDatasetV3": ("ShuffleDataset", 4),
    "ShuffleAndRepeatDatasetV2": ("ShuffleAndRepeatDataset", 5),
    "RandomDatasetV2": ("RandomDataset", 2),
}


def without_its_counter(dataset: Any) -> Any:
    """A `tf.data.Dataset` of the same elements whose iterators do not move the order of the original's next epoch.

    It is the dataset itself where its order is fixed, where its arrays are large, and where TensorFlow cannot write it down.
    """
    held = sum(getattr(one, "nbytes", 0) for tensors in source_tensors(dataset).values() for one in tensors)
    if changing_order(dataset) is None or held > _MOST_BYTES:
        return dataset
    tf = sys.modules["tensorflow"]
    with contextlib.suppress(Exception):
        graph = tf.raw_ops.DatasetToGraphV2(
            input_dataset=tf.data.experimental.to_variant(dataset), external_state_policy=1, strip_device_assignment=True
        )
        variant = tf.raw_ops.DatasetFromGraph(graph_def=_with_own_counters(tf, graph))
        return tf.data.experimental.from_variant(variant, dataset.element_spec)
    return dataset


def _with_own_counters(tf: Any, graph: Any) -> bytes:
    """A written dataset whose random stages count by themselves: the original's counter is written as a reference to it."""
    written = tf.compat.v1.GraphDef.FromString(graph.numpy())
    for nodes in (written.node, *(function.node_def for function in written.library.function)):
        for node in nodes:
            if node.op in _COUNTED:
                node.op, count = _COUNTED[node.op]
                del node.input[count:]
    return written.SerializeToString()


def in_this_process(loader: Any) -> Any:
    """A `torch.utils.data.DataLoader` of the same samples without processes of its own; its generator is the original's."""
    alike = copy.copy(loader)
    if getattr(alike, "num_workers", 0):
        # Not by `setattr`, which refuses some of them.
        vars(alike).update(num_workers=0, prefetch_factor=None, timeout=0, persistent_workers=False)
    alike._iterator = None
    return alike
