"""Objects on the device, for the one place that cannot call the host: TensorFlow under XLA.

The results equal those of `matching.object_counts` from an IoU of 0.5 on, where pairs are matched or not by themselves, and of
`components.surplus_pixels`, to the last tie.

Each pixel of the flattened batch has a rank, falling from the number of pixels to 1; background counts as 0. An object is
known by the rank of its first pixel, its largest, so maxima find objects, and 0 is neutral. Nothing is sorted: under XLA on a
CPU one sort costs as much as forty segment maxima.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics.tensors import compatible, static_shape
from kerasmith.objects.components import connectivity_order


def object_counts_on_device(
    truth: Any,
    prediction: Any,
    threshold: float,
    connectivity: int | None = None,
    min_size: int = 0,
    size_edges: Sequence[int] = (),
) -> Tensor:
    """How many objects of each size there are in an image, and how many of them have a partner.

    Args:
        truth, prediction: boolean tensors (B, *spatial) of one shape, 1-D to 3-D images; sizes may be unknown where TensorFlow
            traces, the rank must be known.
        threshold: the IoU that a match must exceed, 0.5 <= threshold < 1: no object is in two such pairs.
        connectivity, min_size: see `components.label_objects`.
        size_edges: n ascending numbers of pixels, which separate n + 1 groups.

    Returns:
        int32 (B, n + 1, 4), see `matching.object_counts`.

    Raises:
        ValueError: for a threshold below 0.5, shapes that differ, unknown rank, a connectivity that the images do not have, or
            too many pixels.
    """
    if threshold < 0.5:
        raise ValueError(
            "Below an IoU of 0.5 objects are matched one to one, on the host, which XLA cannot call from TensorFlow. Write "
            f"a threshold of 0.5 or more, or `model.compile(..., jit_compile=False)`. Received: threshold={threshold}"
        )
    static, other = static_shape(truth, "truth"), static_shape(prediction, "prediction")
    if not compatible(static, other):
        raise ValueError(f"Expected masks of one shape (B, *spatial). Received: shapes {static} and {other}")
    order = connectivity_order(connectivity, len(static) - 1)
    shape = ops.shape(truth)
    batch, pixels, size = shape[0], math.prod(shape[1:]), math.prod(shape)
    if isinstance(size, int):
        if size == 0:
            return ops.zeros((batch, len(size_edges) + 1, 4), "int32")
        limit = 2 ** (24 if keras.backend.backend() == "torch" else 30)
        if size >= limit:
            raise ValueError(
                f"On the device, objects are counted in fewer than {limit} pixels. Pass fewer images at once, or use "
                f"`matching.object_counts`. Received: masks of shape {static}"
            )
    first, size_a, count_a = _objects(truth, order, min_size)
    second, size_b, count_b = _objects(prediction, order, min_size)
    at_a, at_b = _position(first), _position(second)
    size_a, size_b = ops.take(size_a, at_a), ops.take(size_b, at_b)
    shared = _shared(first, second, at_a, at_b)
    # In float64 as on the host: IoUs that differ may be equal in float32.
    iou = ops.cast(shared, "float64") / ops.cast(ops.maximum(size_a + size_b - shared, 1), "float64")
    matched = ops.cast(iou > threshold, "int32")
    counted = ((matched, size_a), (count_a, size_a), (matched, size_b), (count_b, size_b))
    return ops.stack([_per_group(at, size, size_edges, batch, pixels) for at, size in counted], axis=-1)


def surplus_pixels_on_device(
    masks: Any, keep: int | None = None, min_size: int = 0, connectivity: int | None = None
) -> Tensor:
    """Where a mask breaks a rule on its components, see `components.surplus_pixels`."""
    if 0 in static_shape(masks, "masks"):
        return ops.zeros_like(masks)
    label, area, _ = _objects(masks, connectivity_order(connectivity, len(masks.shape) - 1), 0)
    size = ops.take(area, _position(label)) * ops.cast(label > 0, "int32")
    surplus = size < min_size
    if keep is not None:
        rest, rows = (ops.reshape(flat, (ops.shape(masks)[0], -1)) for flat in (size, label))
        for _ in range(keep):  # the largest that is left is no surplus; of equal ones the first has the higher rank
            largest = rest == ops.max(rest, axis=1, keepdims=True)
            first = ops.max(ops.where(largest, rows, 0), axis=1, keepdims=True)
            rest = ops.where(rows == first, 0, rest)
        surplus = surplus | ops.reshape(rest > 0, (-1,))
    return ops.reshape(surplus & (label > 0), ops.shape(masks))


def _objects(mask, order, min_size):
    """Flat: the object of each pixel (0 for none or a small one); sizes, held at first pixels; 1 at first pixels."""
    label = _label(mask, order)
    area = ops.segment_sum(ops.cast(label > 0, "int32"), _position(label), num_segments=ops.shape(label)[0])
    if min_size > 1:
        label = ops.where(ops.take(area, _position(label)) >= min_size, label, 0)
    return label, area, ops.cast((label > 0) & (label == _ranks(label)), "int32")


def _label(mask, order):
    """The largest rank of each pixel's component, flat; 0 for background.

    In each round labels pass to neighbours, all pixels of a label follow the best among them (hooking), and labels are
    replaced by those of the pixels they name (pointer jumping). So long winding objects need few rounds.
    """
    inside = ops.cast(ops.reshape(mask, (-1,)), "int32")

    def spread(label):
        return ops.reshape(_neighbour_maximum(ops.reshape(label, ops.shape(mask)), order), (-1,)) * inside

    def jump(label):
        return ops.take(label, _position(label)) * inside

    def one_round(label, best):
        at = _position(label)
        label = ops.take(_segment_max(best, at), at) * inside
        # A loop, not a chain: XLA would fuse the chain and compute its first links again for every later one.
        label = _until_stable(jump, label)
        return label, spread(label)

    start = _ranks(inside) * inside
    return ops.while_loop(lambda label, best: ops.any(label != best), one_round, (start, spread(start)))[0]


def _until_stable(function, value):
    return ops.while_loop(lambda a, b: ops.any(a != b), lambda _, b: (b, function(b)), (value, function(value)))[0]


def _neighbour_maximum(image, order):
    """The maximum over a pixel and its neighbours that differ along at most `order` axes."""
    maximum, rank = image, range(len(image.shape))
    for axes in itertools.combinations(rank[1:], order):
        box = image
        for axis in axes:
            padded = ops.pad(box, [(int(a == axis),) * 2 for a in rank])
            parts = (tuple(part if a == axis else slice(None) for a in rank) for part in (slice(-2), slice(2, None)))
            box = ops.maximum(box, ops.maximum(*(padded[part] for part in parts)))
        maximum = ops.maximum(maximum, box)
    return maximum


def _shared(first, second, at_a, at_b):
    """Shared pixels of each pair of objects, held at the first pixel of their intersection; 0 elsewhere.

    In each round every object counts the pixels it shares with one of its partners, so k partners take at most k rounds, and
    fewer as the partners count too.
    """
    rank = _ranks(first)

    def one_round(todo, shared):
        for partner, at in ((second, at_a), (first, at_b)):
            partner = partner * todo
            pair = ops.cast((partner > 0) & (partner == ops.take(_segment_max(partner, at), at)), "int32")
            pixels = ops.segment_sum(pair, at, num_segments=ops.shape(at)[0])
            is_first = pair * ops.cast(rank == ops.take(_segment_max(rank * pair, at), at), "int32")
            shared = shared + is_first * ops.take(pixels, at)
            todo = todo - pair
        return todo, shared

    todo = ops.cast((first > 0) & (second > 0), "int32")
    return ops.while_loop(lambda todo, _: ops.any(todo > 0), one_round, (todo, ops.zeros_like(todo)))[1]


def _segment_max(values, at):
    """The maximum of the values >= 0 sent to each place, 0 where none was."""
    return ops.maximum(ops.segment_max(values, at, num_segments=ops.shape(values)[0]), 0)


def _per_group(flags, size, edges, batch, pixels):
    """How many flags of each image are set at sizes between the edges: (B, groups)."""
    # At or above each edge; groups are the differences.
    above = [flags] + [flags * ops.cast(size >= edge, "int32") for edge in edges]
    above = [ops.sum(ops.reshape(values, (batch, pixels)), axis=1) for values in above]
    return ops.stack([a - b for a, b in itertools.pairwise(above)] + above[-1:], axis=-1)


def _ranks(flat):
    return ops.shape(flat)[0] - ops.arange(ops.shape(flat)[0], dtype="int32")


def _position(label):
    """Where the pixel of this rank is; the last place for background, whose values are 0."""
    return ops.minimum(ops.shape(label)[0] - label, ops.shape(label)[0] - 1)
